"""Which answers win: by votes, or the first sure one. No election depends on the order in which rows finish.

Shapes: n queries, N answers at a time, C cells of the largest answer.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.domains.protocols import Bytes, Flags, Numbers, Restored
from arc_solver.inference.options import Standing
from arc_solver.inference.stopping import EarlyDecision
from submission.vote import BallotBox, Query, Tally

# Confidences are added as integer multiples of this, so that a sum does not depend on the order.
QUANTUM = 2.0**-24


class Found(NamedTuple):
    """Answers of finished rows, each (N,) except `answers`, which are in the frame of their query."""

    queries: Numbers
    contenders: Numbers
    answers: Restored
    valid: Flags  # as far as can be checked without solving the puzzle
    confident: Flags  # the halting logit passed its threshold
    confidence: npt.NDArray[np.float32]
    ages: Numbers
    weights: npt.NDArray[np.float32]  # what the ballots are worth, at most 1


class Election(Protocol):
    """Collects answers; has standings for all queries at any time."""

    closed: Flags  # (n,): queries that need no further answers; may change while answers come
    in_rounds: bool  # whether contenders should come in rounds over all queries

    def wants(self, queries: Numbers, ages: Numbers) -> Flags:
        """Whether rows of these queries, of these ages, may still decide anything."""

    def take(self, found: Found) -> None:
        """Count answers of the current round."""

    def end_round(self) -> None:
        """To be called when all rows of a round were answered or declined."""

    def overflowed(self) -> Numbers:
        """Queries whose answers mostly ran over their canvas."""

    def standings(self, queries: Numbers, most: int | None = None) -> list[Standing]:
        """The standings of these queries, each with at most `most` candidates."""


class TopTwoVote:
    """The grids with most votes, by weight, then mean confidence; with early decisions if configured."""

    def __init__(self, owed: Numbers, config: PredictConfig) -> None:
        """`owed` (n,) is the number of rows of every query."""
        self._queries = [Query("", number) for number in range(len(owed))]
        self.box = BallotBox(self._queries)
        self.early = EarlyDecision(self.box, owed, config)
        self.closed, self.in_rounds = self.early.settled, self.early.in_rounds

    def wants(self, queries: Numbers, ages: Numbers) -> Flags:
        del ages
        return ~self.closed[queries]

    def take(self, found: Found) -> None:
        answers = found.answers
        heights, widths = answers.shapes[:, 0], answers.shapes[:, 1]
        self.box.cast_batch(
            found.queries, answers.keys, answers.cells, heights, widths, found.confidence, found.weights
        )
        self.early.count(found.queries, answers.overflow)

    def end_round(self) -> None:
        self.early.end_round()

    def overflowed(self) -> Numbers:
        return self.early.overflowed()

    def standings(self, queries: Numbers, most: int | None = None) -> list[Standing]:
        found = []
        for number in queries.tolist():
            query = self._queries[number]
            tallies = self.box.tallies(query) if most is None else self.box.elect(query, most)
            found.append(Standing(tallies, self.box.ballots(query)))
        return found


class MajorityVote:
    """The answer that most contenders give; ties go to a valid one, then to higher mean confidence.

    An incomplete answer counts only if there is no other. A query is closed once more than half of its
    contenders agree, but not before its round ends.
    """

    in_rounds = True

    def __init__(self, owed: Numbers) -> None:
        num = len(owed)
        self.closed = np.zeros(num, np.bool_)
        self._owed, self._taken = owed, np.zeros(num, np.int64)
        # Per query and answer: votes, valid, summed confidence in quanta, the first contender.
        self._tallies: list[dict[bytes, list[int]]] = [{} for _ in range(num)]
        self._broken: dict[int, tuple[int, bytes]] = {}  # the first contender without a whole answer

    def wants(self, queries: Numbers, ages: Numbers) -> Flags:
        del ages
        return np.ones(len(queries), np.bool_)

    def take(self, found: Found) -> None:
        quanta = (found.confidence / np.float32(QUANTUM)).astype(np.int64)
        whole = found.answers.shapes[:, 0] > 0
        for place, query in enumerate(found.queries.tolist()):
            contender, cells = int(found.contenders[place]), found.answers.cells[place].tobytes()
            if whole[place]:
                tally = self._tallies[query].setdefault(cells, [0, int(found.valid[place]), 0, contender])
                tally[0] += 1
                tally[2] += int(quanta[place])
                tally[3] = min(tally[3], contender)
            else:
                broken = (contender, cells)
                self._broken[query] = min(self._broken.get(query, broken), broken)
        np.add.at(self._taken, found.queries, 1)
        self.closed |= self._taken >= self._owed

    def end_round(self) -> None:
        most = (max((tally[0] for tally in own.values()), default=0) for own in self._tallies)
        self.closed |= np.array([2 * votes for votes in most], np.int64) > self._owed

    def overflowed(self) -> Numbers:
        return np.zeros(0, np.int64)

    def standings(self, queries: Numbers, most: int | None = None) -> list[Standing]:
        return [Standing(self.tallies(query, most), int(self._taken[query])) for query in queries.tolist()]

    def tallies(self, query: int, most: int | None = None) -> list[Tally]:
        """The answers to one query, best first; an incomplete one if there is no other."""
        own = self._tallies[query]
        if not own:
            return [broken_tally(self._broken[query][1])] if query in self._broken else []
        best = sorted(own.items(), key=lambda item: _rank(item[1]), reverse=True)[:most]
        return [
            Tally(square(cells), votes, float(votes), min(1.0, quanta * QUANTUM / votes))
            for cells, (votes, _, quanta, _) in best
        ]


class FirstConfident:
    """The contender that is confident at the earliest age; ties go to a valid one.

    If none is confident, valid answers come before others, then the most confident one.
    """

    in_rounds = True

    def __init__(
        self, owed: Numbers, *, valid_alone: bool = False, rules_decide: bool = False, abstains: bool = False
    ) -> None:
        """With `valid_alone`, an answer that breaks the rules does not count as confident; `abstains` then
        gives no answer. With `rules_decide`, an answer that keeps the rules closes its query, confident or
        not: there is only one.
        """
        num = len(owed)
        self._rules_decide, self._abstains = rules_decide, abstains
        self.closed = np.zeros(num, np.bool_)
        self._valid_alone, self._owed = valid_alone, owed
        self._taken = np.zeros(num, np.int64)
        self._best: list[tuple[tuple[float, ...], bytes, float]] = [((np.inf,), b"", 0.0)] * num
        self._limits = np.full(num, np.iinfo(np.int64).max)  # the age at which a contender was confident
        # All answers, if there is more than one to choose from.
        self._all = MajorityVote(owed) if (owed > 1).any() else None

    def wants(self, queries: Numbers, ages: Numbers) -> Flags:
        return np.asarray(ages < self._limits[queries], np.bool_)

    def take(self, found: Found) -> None:
        whole = found.answers.shapes[:, 0] > 0
        sure = found.confident & whole & (found.valid | (not self._valid_alone))
        for place, query in enumerate(found.queries.tolist()):
            last = (not found.valid[place], -float(found.confidence[place]), int(found.contenders[place]))
            if sure[place]:
                rank: tuple[float, ...] = (0, int(found.ages[place]), *last)
                self._limits[query] = min(self._limits[query], rank[1])
            elif whole[place]:
                rank = (1, *last)
            else:
                rank = (2, int(found.contenders[place]))
            if rank < self._best[query][0]:
                sureness = float(found.confidence[place]) if whole[place] else 0.0
                self._best[query] = (rank, found.answers.cells[place].tobytes(), sureness)
        np.add.at(self._taken, found.queries, 1)
        self.closed |= self._taken >= self._owed
        if self._all:
            self._all.take(found)

    def end_round(self) -> None:
        kept = (1, False) if self._rules_decide else ()
        sure = (rank[0] == 0 or rank[:2] == kept for rank, *_ in self._best)
        self.closed |= np.fromiter(sure, np.bool_, len(self._best))

    def overflowed(self) -> Numbers:
        return np.zeros(0, np.int64)

    def standings(self, queries: Numbers, most: int | None = None) -> list[Standing]:
        return [
            Standing(self._candidates(query, most), int(self._taken[query])) for query in queries.tolist()
        ]

    def _candidates(self, query: int, most: int | None) -> list[Tally]:
        """The winner, then all others by votes."""
        rank, cells, confidence = self._best[query]
        if not cells or (self._abstains and not _is_valid(rank)):
            return []
        if rank[0] == 2:
            return [broken_tally(cells)]
        if self._all is None or most == 1:
            return [Tally(square(cells), 1, 1.0, confidence)]
        others = self._all.tallies(query)
        (winner,) = (tally for tally in others if tally.grid.tobytes() == cells)
        first = Tally(winner.grid, winner.votes, winner.weight, confidence)
        return [first, *(tally for tally in others if tally is not winner)][:most]


def election_of(choice: str, owed: Numbers, config: PredictConfig, *, rules_decide: bool) -> Election:
    """The election of that name: `top_two`, `first`, `valid` or `vote`; see FirstConfident."""
    if choice == "top_two":
        return TopTwoVote(owed, config)
    if choice == "vote":
        return MajorityVote(owed)
    return FirstConfident(
        owed, valid_alone=choice == "valid", rules_decide=rules_decide, abstains=config.guess_after > 0
    )


def _is_valid(rank: tuple[float, ...]) -> bool:
    """Whether the winner of a FirstConfident keeps the rules."""
    return (rank[0] == 0 and not rank[2]) or (rank[0] == 1 and not rank[1])


def square(cells: bytes) -> Bytes:
    """The cells of a square board as a grid."""
    flat = np.frombuffer(cells, np.uint8)
    side = round(len(flat) ** 0.5)
    return flat.reshape(side, side)


def broken_tally(cells: bytes) -> Tally:
    """An answer with cells without a value, which has no votes."""
    return Tally(square(cells), 0, 1.0, 0.0)


def _rank(tally: list[int]) -> tuple[float, ...]:
    votes, valid, quanta, first = tally
    return votes, valid, quanta / votes, -first
