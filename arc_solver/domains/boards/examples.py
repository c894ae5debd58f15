"""Sudoku and Maze: boards of one side, every cell a token.

Shapes: n boards, B rows, N answers, L = side · side.
A cell's token is its value + 1: digits with 0 for a blank, or indices into "# SGo".
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from arc_solver.config import TrainConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.maze.hints import maze_hints
from arc_solver.domains.maze.paths import FREE, PATH
from arc_solver.domains.maze.rules import connected_mazes, solve_mazes, valid_mazes
from arc_solver.domains.protocols import Bytes, Canvas, Codes, Hints, Restored
from arc_solver.domains.sudoku.rules import valid_boards
from arc_solver.storage.text import DataError
from augment.maze import CHARACTERS, MazePairs, paint_maze_views, paint_mazes, restore_mazes
from augment.sudoku import BoardViews, SudokuView, paint_board_views, paint_boards, restore_boards, tabulate

MAZE_VIEWS = 8
# Standard deviation of the noise of rollouts and how one of them is chosen, as published (PTRM).
ROLLOUTS = {"sudoku": (0.3, "first"), "maze": (1.0, "vote")}


def vocabulary(boards: BoardSet) -> int:
    """Tokens of a kind of board: PAD and one for every cell value."""
    return 1 + (boards.side + 1 if boards.kind == "sudoku" else len(CHARACTERS))


def num_distinct_views(boards: BoardSet, num_views: int) -> int:
    """How many of the views asked for there are: a maze has its symmetries alone."""
    return min(num_views, MAZE_VIEWS) if boards.kind == "maze" else num_views


def board_hashes(boards: BoardSet) -> npt.NDArray[np.uint64]:
    """A hash (n,) of every question, so that what is random about a board does not depend on its place."""
    digests = (hashlib.blake2b(question, digest_size=8).digest() for question in boards.questions)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def valid_answers(boards: BoardSet, numbers: npt.NDArray[np.int64], answers: Bytes) -> npt.NDArray[np.bool_]:
    """(n,): whether answers (n, L) to the boards at `numbers` solve them, for scores: of a maze by search."""
    check = valid_boards if boards.kind == "sudoku" else valid_mazes
    return check(boards.questions[numbers], answers)


def consistent_answers(
    boards: BoardSet, numbers: npt.NDArray[np.int64], answers: Bytes
) -> npt.NDArray[np.bool_]:
    """(n,): what may be asked of answers (n, L) while they are chosen: rules and givens, no search.

    A Sudoku's rules and givens; of a maze that the marks connect start and goal, not that no path is shorter.
    """
    check = valid_boards if boards.kind == "sudoku" else connected_mazes
    return check(boards.questions[numbers], answers)


def board_scores(boards: BoardSet, answers: Bytes) -> dict[str, float]:
    """Shares of boards answered as in the file (exact) and by the rules of their kind (valid)."""
    exact = (answers == boards.answers).all(axis=1)
    valid = valid_answers(boards, np.arange(len(boards)), answers)
    return {"exact": float(exact.mean()), "valid": float(valid.mean())}


def num_given_away(boards: BoardSet, seen: BoardSet) -> int:
    """How many boards have the question, or from side 6 on the answer, of one of the boards `seen`.

    Of the Sudokus of side 4 there are only 288 answers, so that two of them share one by chance.
    """
    few = boards.kind == "sudoku" and boards.side == 4
    fresh = boards.without(boards.questions, seen.questions)
    return len(boards) - len(fresh if few else fresh.without(fresh.answers, seen.answers))


class BoardTraining:
    """TrainingData of boards: each once per epoch, under a fresh view of its domain."""

    def __init__(self, boards: BoardSet, config: TrainConfig) -> None:
        if not boards.answers.any(axis=1).all():
            raise DataError(f"some of these {boards.kind} boards have no answer to learn from")
        self.boards, self.seed = boards, config.seed
        # Of several shortest paths one is the label, by a rule that no symmetry keeps: a turned maze is
        # labelled anew, and where labels follow another rule than ours mazes are not turned.
        self._ruled = boards.kind == "maze" and bool(
            (solve_mazes(boards.questions)[0] == boards.answers).all()
        )
        if config.hint_weight and not self._ruled:
            raise DataError(
                f"hint_weight={config.hint_weight}: these paths break the rule of dense labels (of down, "
                "left, right, up the first that gets closer to the goal); set it to 0"
            )
        digest = hashlib.sha256(f"{boards.kind} {boards.questions.shape}".encode())
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
        if self.boards.kind == "sudoku":
            paint_boards(self.boards.questions, self.boards.answers, self.seed, first, tokens, targets)
        else:
            pairs = MazePairs(self.boards.questions, self.boards.answers)
            paint_mazes(pairs, self.seed, first, tokens, targets, symmetries=self._ruled)
            if self._ruled:
                targets[:] = solve_mazes(tokens - 1)[0] + 1

    def hints(self, tokens: Bytes, targets: Bytes) -> Hints:
        """The dense labels of painted mazes."""
        del targets
        return maze_hints(tokens - 1)


class BoardQueries:
    """QueryData of boards: those at `chosen` (default: all) under each of the `contenders` in turn.

    Contender c is view c % num_views, the identity first, in rollout c // num_views.
    """

    def __init__(
        self,
        boards: BoardSet,
        num_views: int = 1,
        seed: int = 0,
        contenders: range | None = None,
        chosen: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.boards = boards
        self.num_views = num_distinct_views(boards, num_views)
        chosen = np.arange(len(boards)) if chosen is None else chosen
        numbers = np.arange(self.num_views) if contenders is None else np.array(contenders, np.int64)
        self._queries = np.tile(chosen, len(numbers))
        self.contenders = np.repeat(numbers, len(chosen))  # of every row
        self._turns = self.contenders % self.num_views
        if boards.kind == "sudoku":
            rng = np.random.default_rng(seed)
            drawn = [SudokuView.identity(boards.side)]
            drawn += [SudokuView.draw(rng, boards.side) for _ in range(self.num_views - 1)]
            self._views = tabulate(drawn)

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return ((self.boards.side, self.boards.side),)

    def queries(self, group: int) -> npt.NDArray[np.int64]:
        return self._queries

    def paint(self, group: int, rows: npt.NDArray[np.int64], tokens: Bytes, codes: Codes) -> None:
        codes[:] = 0
        questions = self.boards.questions[self._queries[rows]]
        if self.boards.kind == "sudoku":
            paint_board_views(questions, self._views_of(rows), tokens)
        else:
            paint_maze_views(questions, self._turns[rows].astype(np.uint8), tokens)

    def restore(self, group: int, rows: npt.NDArray[np.int64], answers: Bytes) -> Restored:
        """Sudokus with a cell that has no value are spoiled; of a maze an answer can only mark free cells."""
        answers = np.ascontiguousarray(answers)
        if self.boards.kind == "sudoku":
            cells = restore_boards(answers, self._views_of(rows))
            whole = (cells > 0).all(axis=1)
        else:
            marks = restore_mazes(answers, self._turns[rows].astype(np.uint8)) == PATH
            questions = self.boards.questions[self._queries[rows]]
            cells = np.where(marks & (questions == FREE), np.uint8(PATH), questions)
            whole = np.ones(len(cells), np.bool_)
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
