"""Ballots of many views counted into a ranking of distinct grids for every query."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from submission.grid import MAX_SIDE, NUM_COLORS, Content, Grid, check_grid, content_of, grid_of
from submission.ranking import QUANTUM, Counts, Floats, most_votes, quantize
from submission.sequential_test import chance_of_another

Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, order=True)
class Query:
    """One test input, for which two attempts are owed."""

    task_id: str
    index: int


@dataclass(frozen=True, eq=False)
class Tally:
    """A grid with its number of ballots, their summed weight, and their weighted mean confidence."""

    grid: Grid
    votes: int
    weight: float
    confidence: float


class BallotBox:
    """Counts ballots for a fixed list of queries; the order of the ballots never matters."""

    def __init__(self, queries: Iterable[Query]) -> None:
        """An empty box; `queries` are distinct, and their order gives the indices of `cast_batch`."""
        self.queries = tuple(queries)
        self._places = {query: place for place, query in enumerate(self.queries)}
        if len(self._places) != len(self.queries):
            raise ValueError("a query came twice, expected distinct queries")
        self._members: list[list[int]] = [[] for _ in self.queries]
        self._spoiled = np.zeros(len(self.queries), dtype=np.int64)
        self._contents: list[Content] = []
        self._by_content: dict[tuple[int, Content], int] = {}
        self._by_key: dict[tuple[int, int, int], int] = {}
        # Rows: ballots, weight, weight × confidence, the latter two in quanta; one column per candidate.
        self._sums = np.zeros((3, 64), dtype=np.int64)

    def cast(self, query: Query, grid: object, confidence: float = 1.0, weight: float = 1.0) -> None:
        """Count one guess; a confidence that is not finite spoils the ballot. GridError for a bad grid."""
        place = self._place(query)
        checked = check_grid(grid)
        valid, quanta, weighted = quantize(np.array([confidence]), np.array([weight]))
        if not valid[0]:
            self._spoiled[place] += 1
            return
        candidate = self._admit(place, content_of(checked))
        self._sums[:, candidate] += (1, quanta[0], weighted[0])

    def cast_batch(
        self,
        queries: Integers,
        keys: npt.NDArray[np.uint64],
        cells: npt.NDArray[np.uint8],
        heights: Integers,
        widths: Integers,
        confidences: Floats,
        weights: Floats | None = None,
    ) -> None:
        """Count N guesses: indices into `self.queries` (N,), content hashes (N, 2), cells (N, area).

        A row of `cells` starts with its H·W cells; equal (query, key) must mean equal content. Height 0 or a
        confidence that is not finite is a spoiled ballot. ValueError where the arrays do not fit together.
        """
        num = len(queries)
        weights = np.ones(num) if weights is None else weights
        _check_batch(len(self.queries), queries, keys, cells, (heights, widths, confidences, weights))
        valid, quanta, weighted = quantize(confidences, weights)
        valid &= np.asarray(heights) > 0
        rows = np.flatnonzero(valid)
        names = zip(queries[rows].tolist(), keys[rows, 0].tolist(), keys[rows, 1].tolist(), strict=True)
        candidates = np.empty(len(rows), dtype=np.int64)
        known = self._by_key
        for position, name in enumerate(names):
            candidate = known.get(name)
            if candidate is None:
                row = rows[position]
                candidate = self._admit(
                    name[0], _cut_content(cells[row], int(heights[row]), int(widths[row]))
                )
                known[name] = candidate
            candidates[position] = candidate
        np.add.at(self._spoiled, queries[~valid], 1)
        np.add.at(self._sums[0], candidates, 1)
        np.add.at(self._sums[1], candidates, quanta[rows])
        np.add.at(self._sums[2], candidates, weighted[rows])

    def ballots(self, query: Query) -> int:
        """How many ballots of the query were cast, the spoiled ones included."""
        place = self._place(query)
        return int(self._sums[0, self._members[place]].sum() + self._spoiled[place])

    def tallies(self, query: Query) -> list[Tally]:
        """Every candidate of the query, best first."""
        return self.elect(query, len(self._members[self._place(query)]))

    def elect(self, query: Query, num: int = 2) -> list[Tally]:
        """The `num` best candidates: by weight, then mean confidence, then height, width and cells."""
        candidates, keys = self._ranked(self._place(query))
        best = heapq.nsmallest(num, range(len(candidates)), key=self._order(candidates, keys).__getitem__)
        return [self._tally(candidates[place]) for place in best]

    def attempts(self, query: Query, num: int = 2) -> list[Grid]:
        """The grids of the `num` best candidates."""
        return [tally.grid for tally in self.elect(query, num)]

    def decided(self, query: Query, remaining: int, max_weight: float = 1.0) -> bool:
        """Whether the first two places, content and order, are settled however `remaining` ballots fall.

        Each of these weighs at most `max_weight`; they may also name grids that have no ballot yet.
        """
        if remaining <= 0:
            return True
        candidates, keys = self._ranked(self._place(query))
        if len(candidates) < 2:
            return False
        order = self._order(candidates, keys)
        first, second = heapq.nsmallest(2, range(len(candidates)), key=order.__getitem__)
        hopes = most_votes(self._hopeful(candidates, remaining, max_weight))
        # The last row is a grid without a ballot yet: it sorts before any other content if all else ties.
        contents = [*(self._contents[candidate] for candidate in candidates), (0, 0, b"")]
        best = [(tuple(key), content) for key, content in zip((-hopes).tolist(), contents, strict=True)]
        others = (hope for place, hope in enumerate(best) if place not in (first, second))
        return order[first] < best[second] and order[second] < min(others)

    def likely(self, query: Query, error: float) -> bool:
        """Whether the grid that will have most ballots is among the first two, but for this chance of error.

        Ballots must come in random order; if it is asked several times, each answer has this error.
        """
        votes = sorted(self._sums[0, self._members[self._place(query)]].tolist(), reverse=True)
        return chance_of_another(votes) <= error

    def _hopeful(self, candidates: Sequence[int], remaining: int, max_weight: float) -> Counts:
        """Each candidate's counts if it got all remaining ballots; a last row for a new one."""
        sums = np.zeros((3, len(candidates) + 1), dtype=np.int64)
        sums[:, :-1] = self._sums[:, candidates]
        extra = remaining * round(max_weight / QUANTUM)
        return Counts.from_quanta(sums + np.array([[remaining], [extra], [extra]]))

    def _ranked(self, place: int) -> tuple[list[int], npt.NDArray[np.float64]]:
        """The candidates of a query that have a ballot, and the keys that rank them."""
        members = self._members[place]
        candidates = [candidate for candidate in members if self._sums[0, candidate] > 0]
        return candidates, most_votes(Counts.from_quanta(self._sums[:, candidates]))

    def _order(
        self, candidates: Sequence[int], keys: npt.NDArray[np.float64]
    ) -> list[tuple[tuple[float, ...], Content]]:
        return [
            (tuple(key), self._contents[candidate])
            for key, candidate in zip((-keys).tolist(), candidates, strict=True)
        ]

    def _tally(self, candidate: int) -> Tally:
        votes, weight, confidence = self._sums[:, candidate].tolist()
        return Tally(grid_of(self._contents[candidate]), votes, weight * QUANTUM, confidence / weight)

    def _place(self, query: Query) -> int:
        if query not in self._places:
            raise ValueError(f"{query} is not a query of this ballot box")
        return self._places[query]

    def _admit(self, place: int, content: Content) -> int:
        """The candidate with this content, created if it is new."""
        candidate = self._by_content.get((place, content))
        if candidate is not None:
            return candidate
        candidate = len(self._contents)
        if candidate == self._sums.shape[1]:
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)], axis=1)
        self._contents.append(content)
        self._by_content[place, content] = candidate
        self._members[place].append(candidate)
        return candidate


def _cut_content(row: npt.NDArray[np.uint8], height: int, width: int) -> Content:
    cells = row[: height * width]
    if not 0 < width <= MAX_SIDE or height > MAX_SIDE or len(cells) < height * width:
        raise ValueError(f"a guess of {height}x{width} in {len(row)} cells, expected sides of 1 to 30")
    if cells.max() >= NUM_COLORS:
        raise ValueError(f"a guess with cell {cells.max()}, expected colors 0 to 9")
    return height, width, cells.tobytes()


def _check_batch(
    num_queries: int,
    queries: Integers,
    keys: npt.NDArray[np.uint64],
    cells: npt.NDArray[np.uint8],
    columns: tuple[Integers, Integers, Floats, Floats],
) -> None:
    num = len(queries)
    if keys.shape != (num, 2) or cells.ndim != 2 or any(len(array) != num for array in (cells, *columns)):
        shapes = [array.shape for array in (keys, cells, *columns)]
        raise ValueError(f"{num} queries with keys, cells, heights, widths, ... of shapes {shapes}")
    if cells.dtype != np.uint8 or keys.dtype != np.uint64:
        raise ValueError(f"cells of {cells.dtype} and keys of {keys.dtype}, expected uint8 and uint64")
    if num and not (queries.min() >= 0 and queries.max() < num_queries):
        raise ValueError(f"query indices {queries.min()} to {queries.max()}, expected 0 to {num_queries - 1}")
