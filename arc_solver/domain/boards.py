"""Sudoku and Maze: boards of one side, every cell a token. Shapes: n boards, B rows, N answers, L = side · side.

A cell's token is its value + 1: digits with 0 for a blank, or indices into "# SGo".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.config import TrainConfig
from arc_solver.domain import Bytes, Canvas, Codes, Restored
from arc_solver.task import DataError
from augment.maze import CHARACTERS, UNKNOWN, MazePairs, paint_maze_views, paint_mazes, restore_mazes
from augment.sudoku import BoardViews, SudokuView, paint_board_views, paint_boards, restore_boards, tabulate

MAZE_VIEWS = 8


@dataclass(frozen=True, eq=False)
class Boards:
    """Puzzles of one domain ("sudoku" or "maze") and side; `answers` is None where they are unknown."""

    domain: str
    questions: Bytes  # (n, L) cell values
    answers: Bytes | None  # (n, L)

    @property
    def length(self) -> int:
        """Cells of a board."""
        return self.questions.shape[1]

    @property
    def side(self) -> int:
        """Cells of a row."""
        return math.isqrt(self.length)

    @property
    def vocabulary(self) -> int:
        """Tokens: PAD and one for every cell value."""
        return 1 + (self.side + 1 if self.domain == "sudoku" else len(CHARACTERS))

    def __len__(self) -> int:
        return len(self.questions)

    def first(self, num: int | None) -> Boards:
        """The first `num` boards, or all."""
        return Boards(self.domain, self.questions[:num], None if self.answers is None else self.answers[:num])

    @staticmethod
    def joined(parts: Sequence[Boards]) -> Boards:
        """The boards of all parts in order; DataError where domain or side differ."""
        head = parts[0]
        for part in parts[1:]:
            if (part.domain, part.length) != (head.domain, head.length):
                raise DataError(f"{part.domain} of side {part.side} cannot join {head.domain} of side {head.side}")
        answers = [part.answers for part in parts]
        known = all(a is not None for a in answers)
        return Boards(
            head.domain,
            np.concatenate([part.questions for part in parts]),
            np.concatenate([a for a in answers if a is not None]) if known else None,
        )


class BoardTraining:
    """TrainingData of boards: each once per epoch, under a fresh view of its domain."""

    def __init__(self, boards: Boards, config: TrainConfig) -> None:
        if boards.answers is None:
            raise DataError(f"these {boards.domain} boards have no answers to learn from")
        self.boards, self.answers, self.seed = boards, boards.answers, config.seed
        digest = hashlib.sha256(f"{boards.domain} {boards.questions.shape}".encode())
        digest.update(boards.questions.tobytes())
        digest.update(boards.answers.tobytes())
        self._fingerprint = digest.hexdigest()

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return ((self.boards.side, self.boards.side),)

    @property
    def sizes(self) -> tuple[int, ...]:
        return (len(self.boards),)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        del group
        codes[:] = 0
        if self.boards.domain == "sudoku":
            paint_boards(self.boards.questions, self.answers, self.seed, first, tokens, targets)
        else:
            paint_mazes(MazePairs(self.boards.questions, self.answers), self.seed, first, tokens, targets)


class BoardQueries:
    """QueryData of boards: every board under `num_views` views, the identity of all first.

    `repeats` asks each of these rows again, for rollouts that differ by their noise alone.
    """

    def __init__(self, boards: Boards, num_views: int = 1, seed: int = 0, repeats: int = 1) -> None:
        self.boards = boards
        num = len(boards)
        if boards.domain == "maze":
            num_views = min(num_views, MAZE_VIEWS)
        self._queries = np.tile(np.arange(num), num_views * repeats)
        self._turns = np.tile(np.repeat(np.arange(num_views, dtype=np.uint8), num), repeats)
        if boards.domain == "sudoku":
            rng = np.random.default_rng(seed)
            drawn = [SudokuView.identity(boards.side)]
            drawn += [SudokuView.draw(rng, boards.side) for _ in range(num_views - 1)]
            self._views = tabulate(drawn)

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return ((self.boards.side, self.boards.side),)

    def queries(self, group: int) -> npt.NDArray[np.int64]:
        return self._queries

    def paint(self, group: int, rows: npt.NDArray[np.int64], tokens: Bytes, codes: Codes) -> None:
        codes[:] = 0
        questions = self.boards.questions[self._queries[rows]]
        if self.boards.domain == "sudoku":
            paint_board_views(questions, self._views_of(rows), tokens)
        else:
            paint_maze_views(questions, self._turns[rows], tokens)

    def restore(self, group: int, rows: npt.NDArray[np.int64], answers: Bytes) -> Restored:
        """Boards with a cell that has no value are spoiled."""
        answers = np.ascontiguousarray(answers)
        if self.boards.domain == "sudoku":
            cells = restore_boards(answers, self._views_of(rows))
            whole = (cells > 0).all(axis=1)
        else:
            cells = restore_mazes(answers, self._turns[rows])
            whole = (cells != UNKNOWN).all(axis=1)
        side = self.boards.side
        shapes = np.where(whole[:, None], np.array([side, side], np.uint8), np.uint8(0)).astype(np.uint8)
        keys = np.array([_key(board) for board in cells], np.uint64).reshape(len(cells), 2)
        return Restored(cells, shapes, keys, np.zeros(len(cells), np.bool_))

    def _views_of(self, rows: npt.NDArray[np.int64]) -> BoardViews:
        turns = self._turns[rows]
        return BoardViews(*(array[turns] for array in self._views))


def _key(board: Bytes) -> tuple[int, int]:
    digest = hashlib.blake2b(board.tobytes(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
