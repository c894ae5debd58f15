"""Training examples and questions of boards of one side, one token per cell.

Shapes: n boards, B rows, N answers, L = side · side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig, TrainConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.kind import BoardKind
from arc_solver.domains.protocols import Breaks, Bytes, Canvas, Codes, Flags, Hints, Numbers, Restored
from arc_solver.storage.text import DataError


def num_given_away(boards: BoardSet, seen: BoardSet) -> int:
    """How many boards have the question, or the answer, of one of the boards `seen`.

    Answers are not compared for Sudokus of side 4: there are only 288, so that many share one by chance.
    """
    few = boards.kind == "sudoku" and boards.side == 4
    fresh = boards.without(boards.questions, seen.questions)
    return len(boards) - len(fresh if few else fresh.without(fresh.answers, seen.answers))


class BoardTraining:
    """TrainingData of boards: each once per epoch, under a fresh view."""

    def __init__(self, kind: BoardKind, boards: BoardSet, config: TrainConfig) -> None:
        if not boards.answers.any(axis=1).all():
            raise DataError(f"some of these {boards.kind} boards have no answer to learn from")
        if config.hint_weight and not (kind.labels and kind.labels.exist(boards)):
            raise DataError(
                f"hint_weight={config.hint_weight}: these {boards.kind} boards have no dense labels, or "
                "answers by another rule than theirs; set it to 0"
            )
        self.kind, self.boards = kind, boards
        self._paint = kind.painter(boards, config.seed)
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
        self._paint(first, tokens, targets)

    def hints(self, tokens: Bytes, targets: Bytes) -> Hints:
        """The dense labels of painted boards."""
        del targets
        assert self.kind.labels
        return self.kind.labels.of(tokens - 1)


class BoardQueries:
    """QueryData of boards: those at `chosen` (by default all) under each of the `contenders` in turn.

    Contender c is view c % num_views, the identity first, in chain c // num_views.
    """

    def __init__(
        self,
        kind: BoardKind,
        boards: BoardSet,
        num_views: int = 1,
        seed: int = 0,
        contenders: range | None = None,
        chosen: Numbers | None = None,
    ) -> None:
        self.kind, self.boards = kind, boards
        self.num_views = kind.num_views(num_views)
        self._views = kind.views(boards.side, self.num_views, seed)
        chosen = np.arange(len(boards)) if chosen is None else chosen
        numbers = np.array(contenders or range(self.num_views), np.int64)
        self._queries = np.tile(chosen, len(numbers))
        self._contenders = np.repeat(numbers, len(chosen))  # of every row

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return ((self.boards.side, self.boards.side),)

    def queries(self, group: int) -> Numbers:
        return self._queries

    def contenders(self, group: int) -> Numbers:
        return self._contenders

    def turns(self, group: int) -> tuple[Numbers, Numbers]:
        chains, views = np.divmod(self._contenders, self.num_views)
        return views, chains

    def paint(self, group: int, rows: Numbers, tokens: Bytes, codes: Codes) -> None:
        codes[:] = 0
        turns = self._contenders[rows] % self.num_views
        self._views.paint(self.boards.questions[self._queries[rows]], turns, tokens)

    def restore(self, group: int, rows: Numbers, answers: Bytes) -> Restored:
        """Boards with a cell without a value are spoiled."""
        cells = self._views.restore(np.ascontiguousarray(answers), self._contenders[rows] % self.num_views)
        if self.kind.completed is not None:
            cells = self.kind.completed(self.boards.questions[self._queries[rows]], cells)
        return restored(cells, self.boards.side, (cells != self.kind.missing).all(axis=1))

    @property
    def breaks(self) -> Breaks | None:
        """Blanks break no rule, and no view changes what does."""
        broken = self.kind.broken
        return None if broken is None else lambda tokens: broken(np.maximum(tokens, 1) - 1)

    def confidence(
        self, group: int, rows: Numbers, shapes: Bytes, log_probabilities: npt.NDArray[np.float32]
    ) -> None:
        """None: the halting probability of a board is its confidence."""


@dataclass(frozen=True)
class BoardQuestions:
    """Questions about boards of one kind."""

    kind: BoardKind
    boards: BoardSet
    config: PredictConfig

    @property
    def contenders(self) -> int:
        return self.kind.num_views(self.config.views) * self.config.rollouts

    @property
    def owed(self) -> Numbers:
        return np.where(self.solved, 1, self.contenders)

    @property
    def solved(self) -> Flags:
        """A board without a blank is its own answer if the rules decide."""
        return np.asarray((self.boards.questions > 0).all(axis=1) & self.kind.rules_decide)

    def as_they_stand(self, chosen: Numbers) -> Restored:
        return restored(self.boards.questions[chosen], self.boards.side)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        digests = (hashlib.blake2b(question, digest_size=8).digest() for question in self.boards.questions)
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)

    def round(self, first: int, last: int, chosen: Numbers) -> BoardQueries:
        views, seed = self.config.views, self.config.seed
        return BoardQueries(self.kind, self.boards, views, seed, range(first, last), chosen)

    def again(self, chosen: Numbers) -> BoardQueries | None:
        """Boards have one canvas."""
        return None


def restored(cells: Bytes, side: int, whole: Flags | None = None) -> Restored:
    """Answers (N, L) to boards of a side; those not `whole` are spoiled."""
    sides = np.full((len(cells), 2), side, np.uint8)
    shapes = sides if whole is None else np.where(whole[:, None], sides, np.uint8(0)).astype(np.uint8)
    keys = np.array([_key(board) for board in cells], np.uint64).reshape(len(cells), 2)
    return Restored(cells, shapes, keys, np.zeros(len(cells), np.bool_))


def _key(board: Bytes) -> tuple[int, int]:
    digest = hashlib.blake2b(board.tobytes(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
