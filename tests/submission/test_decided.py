"""`decided` against every way the remaining ballots could fall."""

import itertools

import numpy as np

from submission.vote import BallotBox, Query

QUERY = Query("a", 0)
# The last grid is cast only as a remaining ballot; [[0]] is the smallest content there is.
GRIDS = ([[5]], [[3]], [[4]], [[0]])
CONFIDENCES = (0.0, 0.5, 1.0)


def top(ballots):
    box = BallotBox([QUERY])
    for grid, confidence in ballots:
        box.cast(QUERY, GRIDS[grid], confidence)
    return [grid.tolist() for grid in box.attempts(QUERY)], box


def can_change(ballots, remaining):
    before = top(ballots)[0]
    choices = [(grid, confidence) for grid in range(len(GRIDS)) for confidence in CONFIDENCES]
    falls = (
        fall for num in range(remaining + 1) for fall in itertools.combinations_with_replacement(choices, num)
    )
    return any(top([*ballots, *fall])[0] != before for fall in falls)


def test_decided_exactly_when_nothing_can_change():
    seed = 20
    rng = np.random.default_rng(seed)
    seen = {True: 0, False: 0}
    for _ in range(60):
        chances = rng.dirichlet([0.6, 0.5, 0.2])
        num = int(rng.integers(0, 9))
        ballots = [(int(rng.choice(3, p=chances)), float(rng.choice(CONFIDENCES))) for _ in range(num)]
        remaining = int(rng.integers(0, 3))
        decided = top(ballots)[1].decided(QUERY, remaining)
        assert decided == (not can_change(ballots, remaining)), f"seed {seed}: {ballots}, {remaining}"
        seen[decided] += 1
    assert min(seen.values()) >= 10


def test_heavier_ballots_decide_later():
    ballots = [(0, 1.0)] * 6 + [(1, 1.0)] * 3
    _, box = top(ballots)
    assert box.decided(QUERY, 2)
    assert not box.decided(QUERY, 2, max_weight=2.0)


def test_nothing_is_decided_while_a_place_is_empty():
    _, box = top([(0, 1.0)] * 5)
    assert not box.decided(QUERY, 1)
    assert box.decided(QUERY, 0)
