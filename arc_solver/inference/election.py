"""Which of several contenders answers a board. No choice depends on the order in which contenders finish.

Shapes: n boards, N answers at a time, L cells.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
# Confidences are added up as integer multiples of this, so that a sum does not depend on the order.
QUANTUM = 2.0**-24


class Contenders(NamedTuple):
    """Answers of contenders that finished, each (N,) but for `cells` (N, L)."""

    boards: Numbers
    contenders: Numbers
    cells: npt.NDArray[np.uint8]
    whole: Flags  # every cell has a value
    valid: Flags  # by the rules of the kind of board
    confident: Flags
    confidence: npt.NDArray[np.float32]
    ages: Numbers


class Choice(Protocol):
    """What collects answers, and tells at any time whose is taken."""

    answered: Flags  # (n,) boards with any answer

    def keep(self, boards: Numbers, ages: Numbers) -> Flags:
        """Whether rows of these boards, of these ages, may still decide anything."""

    def take(self, found: Contenders) -> None:
        """Count answers of the round under way."""

    def settled(self) -> Flags:
        """(n,) boards that need no further round; to be asked between rounds."""

    def chosen(self, boards: Numbers) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """The answers (N, L) to these boards, all 0 where there is none, and their confidence (N,)."""


class FirstConfident:
    """The contender that is confident at the earliest age of its round; among equals a valid one goes first.

    Where none is confident a valid answer is taken before others, then the most confident one.
    """

    def __init__(self, shape: tuple[int, ...], *, valid_alone: bool = False) -> None:
        """`shape` is (n, L); with `valid_alone` nobody who breaks the rules counts as confident."""
        num = shape[0]
        self._valid_alone = valid_alone
        self.answered = np.zeros(num, np.bool_)
        self._cells = np.zeros(shape, np.uint8)
        self._confidence = np.zeros(num, np.float32)
        self._ranks: list[tuple[float, ...]] = [(np.inf,)] * num
        self._limits = np.full(num, np.iinfo(np.int64).max)  # the age at which a contender was confident

    def keep(self, boards: Numbers, ages: Numbers) -> Flags:
        return np.asarray(ages < self._limits[boards], np.bool_)

    def take(self, found: Contenders) -> None:
        sure = found.confident & found.whole & (found.valid | (not self._valid_alone))
        for place, board in enumerate(found.boards.tolist()):
            last = (not found.valid[place], -float(found.confidence[place]), int(found.contenders[place]))
            if sure[place]:
                rank: tuple[float, ...] = (0, int(found.ages[place]), *last)
                self._limits[board] = min(self._limits[board], rank[1])
            elif found.whole[place]:
                rank = (1, *last)
            else:
                rank = (2, int(found.contenders[place]))
            if rank < self._ranks[board]:
                self._ranks[board] = rank
                self._cells[board] = found.cells[place]
                self._confidence[board] = found.confidence[place] if found.whole[place] else 0
        self.answered[found.boards] = True

    def settled(self) -> Flags:
        return np.array([rank[0] == 0 for rank in self._ranks], np.bool_)

    def chosen(self, boards: Numbers) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        return self._cells[boards], self._confidence[boards]


class Vote:
    """The answer that most contenders give, among equals a valid one, then the one of higher mean confidence.

    An answer that is not whole counts only where there is no other.
    """

    def __init__(self, shape: tuple[int, ...], total: int) -> None:
        """`shape` is (n, L); a board is settled once more than half of `total` contenders agree."""
        self.answered = np.zeros(shape[0], np.bool_)
        self._total, self._length = total, shape[1]
        # Per board and answer: votes, valid, summed confidence in quanta, the first contender.
        self._tallies: list[dict[bytes, list[int]]] = [{} for _ in range(shape[0])]
        self._broken: dict[int, tuple[int, bytes]] = {}  # the first contender without a whole answer

    def keep(self, boards: Numbers, ages: Numbers) -> Flags:
        del ages
        return np.ones(len(boards), np.bool_)

    def take(self, found: Contenders) -> None:
        quanta = (found.confidence / np.float32(QUANTUM)).astype(np.int64)
        for place, board in enumerate(found.boards.tolist()):
            contender, cells = int(found.contenders[place]), found.cells[place].tobytes()
            if found.whole[place]:
                tally = self._tallies[board].setdefault(cells, [0, int(found.valid[place]), 0, contender])
                tally[0] += 1
                tally[2] += int(quanta[place])
                tally[3] = min(tally[3], contender)
            else:
                broken = (contender, cells)
                self._broken[board] = min(self._broken.get(board, broken), broken)
        self.answered[found.boards] = True

    def settled(self) -> Flags:
        most = (max((tally[0] for tally in own.values()), default=0) for own in self._tallies)
        return np.array([2 * votes > self._total for votes in most], np.bool_)

    def chosen(self, boards: Numbers) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        cells = np.zeros((len(boards), self._length), np.uint8)
        confidence = np.zeros(len(boards), np.float32)
        for place, board in enumerate(boards.tolist()):
            own = self._tallies[board]
            if own:
                best = max(own, key=lambda content: _standing(own[content]))
                cells[place] = np.frombuffer(best, np.uint8)
                confidence[place] = own[best][2] * QUANTUM / own[best][0]
            elif board in self._broken:
                cells[place] = np.frombuffer(self._broken[board][1], np.uint8)
        return cells, confidence


def _standing(tally: list[int]) -> tuple[float, ...]:
    votes, valid, quanta, first = tally
    return votes, valid, quanta / votes, -first
