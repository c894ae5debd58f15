"""Sudokus or mazes of one side in arrays, and different ones collected from a generator."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from arc_solver.storage.text import DataError

Cells = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice
UNKNOWN_RATING = -1
MAX_BARREN_ROUNDS = 20
# Called with the number of boards that were just made.
MADE: ContextVar[Callable[[int], object]] = ContextVar("MADE", default=lambda num: None)


@dataclass(frozen=True, eq=False)
class BoardSet:
    """`kind` is "sudoku" or "maze"; `questions` and `answers` (n, side²) are cell values, unknown answers all
    0; `ratings` (n,) are guesses of a solver or moves of the shortest path, else UNKNOWN_RATING."""

    kind: str
    questions: Cells
    answers: Cells
    ratings: npt.NDArray[np.int64]

    @property
    def side(self) -> int:
        """Cells of a row."""
        return math.isqrt(self.questions.shape[1])

    def __len__(self) -> int:
        return len(self.questions)

    def take(self, rows: Rows) -> "BoardSet":
        """The boards at `rows`: indices, a mask or a slice."""
        return BoardSet(self.kind, self.questions[rows], self.answers[rows], self.ratings[rows])

    def distinct(self) -> "BoardSet":
        """The boards, only the first of each question."""
        places = {question.tobytes(): place for place, question in reversed(list(enumerate(self.questions)))}
        return self.take(np.array(sorted(places.values()), np.int64))

    def without(self, keys: npt.NDArray[np.generic], seen: npt.NDArray[np.generic]) -> "BoardSet":
        """The boards whose row of `keys` (n, K) is not a row of `seen` (m, K)."""
        known = {row.tobytes() for row in seen}
        return self.take(np.array([row.tobytes() not in known for row in keys], np.bool_))

    @staticmethod
    def unrated(kind: str, questions: Cells, answers: Cells) -> "BoardSet":
        """Boards of unknown rating."""
        return BoardSet(kind, questions, answers, np.full(len(questions), UNKNOWN_RATING, np.int64))

    @staticmethod
    def joined(parts: Sequence["BoardSet"]) -> "BoardSet":
        """The boards of all parts in order; DataError if kind or side differ."""
        head = parts[0]
        for part in parts[1:]:
            if (part.kind, part.side) != (head.kind, head.side):
                raise DataError(
                    f"{part.kind} of side {part.side} cannot join {head.kind} of side {head.side}"
                )
        questions, answers, ratings = zip(*((p.questions, p.answers, p.ratings) for p in parts), strict=True)
        return BoardSet(head.kind, *map(np.concatenate, (questions, answers, ratings)))


def collect(num: int, generate: Callable[[int], BoardSet]) -> BoardSet:
    """`num` different boards, collected from `generate(num wanted)`, which may return fewer or repeat some.

    DataError if it returns nothing new MAX_BARREN_ROUNDS times in a row.
    """
    boards = generate(0)
    barren = 0
    while len(boards) < num:
        more = BoardSet.joined([boards, generate(num - len(boards))]).distinct()
        barren = 0 if len(more) > len(boards) else barren + 1
        if barren == MAX_BARREN_ROUNDS:
            name = f"{boards.side}x{boards.side} {boards.kind}"
            raise DataError(f"found {len(boards)} different boards of {name}, not {num}; ask for fewer")
        boards = more
    return boards


def in_chunks(job: Callable[[slice], None], num: int, size: int) -> None:
    """Call `job` with slices of `size` that cover 0..num, on as many threads as numba would use.

    MADE gets the number of boards of each finished slice. The first exception is raised here, and so is a
    signal; chunks that wait are then dropped, and those that run keep nobody waiting.
    """
    settings: Any = numba.config  # untyped
    starts = range(0, num, size)
    waiting, done = list(reversed(starts)), SimpleQueue[int | Exception]()

    def work() -> None:
        while waiting:
            with suppress(IndexError):  # another thread took the last one
                start = waiting.pop()
                try:
                    job(slice(start, start + size))
                    done.put(min(size, num - start))
                except Exception as error:  # noqa: BLE001 - raised below
                    done.put(error)

    for _ in range(min(len(starts), settings.NUMBA_NUM_THREADS)):
        Thread(target=work, daemon=True).start()
    try:
        for _ in starts:
            if isinstance(found := done.get(), Exception):
                raise found
            MADE.get()(found)
    finally:
        waiting.clear()
