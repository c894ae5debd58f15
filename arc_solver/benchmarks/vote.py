"""The speed of counting ballots as in a prediction of ARC-1 evaluation tasks, on one core."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.benchmarks.figures import figure, seconds
from submission.vote import BallotBox, Query

NUM_QUERIES, BATCH = 419, 256
# Views agree on few grids: the share of a query's k-th candidate falls by the factor FALL.
NUM_CANDIDATES, FALL = 24, 0.7
SIDE = 14


class Ballots(NamedTuple):
    """Guesses in the order of casting, as the restoring kernel returns them."""

    queries: npt.NDArray[np.int64]  # (N,)
    keys: npt.NDArray[np.uint64]  # (N, 2)
    cells: npt.NDArray[np.uint8]  # (N, 900)
    confidences: npt.NDArray[np.float32]  # (N,)


def measure_vote(quick: bool) -> list[dict[str, Any]]:
    """`vote.ballots_per_s`: `BallotBox.cast_batch` in batches of 256, one core."""
    ballots = draw_ballots(20_000 if quick else 200_000, np.random.default_rng(0))
    taken = seconds(lambda: cast_all(ballots), 3 if quick else 7)
    return [figure("vote.ballots_per_s", [len(ballots.queries) / each for each in taken], "1/s")]


def draw_ballots(num: int, rng: np.random.Generator) -> Ballots:
    """`num` ballots for the queries in turn, each for one of a query's candidates."""
    queries = np.sort(rng.integers(NUM_QUERIES, size=num))
    shares = FALL ** np.arange(NUM_CANDIDATES)
    chosen = rng.choice(NUM_CANDIDATES, num, p=shares / shares.sum())
    grids = rng.integers(0, 10, (NUM_QUERIES, NUM_CANDIDATES, 30 * 30), dtype=np.uint8)
    keys = rng.integers(0, 1 << 63, (NUM_QUERIES, NUM_CANDIDATES, 2), dtype=np.uint64)
    confidences = rng.random(num, dtype=np.float32)
    return Ballots(queries, keys[queries, chosen], grids[queries, chosen], confidences)


def cast_all(ballots: Ballots) -> BallotBox:
    """A box with all ballots."""
    box = BallotBox(Query(f"task-{place}", 0) for place in range(NUM_QUERIES))
    sides = np.full(BATCH, SIDE, np.uint8)
    for start in range(0, len(ballots.queries), BATCH):
        rows = slice(start, start + BATCH)
        few = sides[: len(ballots.queries[rows])]
        cells, confidences = ballots.cells[rows], ballots.confidences[rows]
        box.cast_batch(ballots.queries[rows], ballots.keys[rows], cells, few, few, confidences)
    return box
