"""The ballot box: both ways in agree, order never matters, ties have one answer."""

import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submission.vote import BallotBox, Query, Tally

QUERIES = [Query("a", 0), Query("a", 1), Query("b", 0)]

# Few grids, few confidences: ties are the rule here. A grid of None is a spoiled ballot.
GRIDS = st.sampled_from([None, [[0]], [[1]], [[0, 1]], [[0], [1]], [[2, 2], [2, 3]]])
BALLOTS = st.lists(
    st.tuples(
        st.sampled_from(range(len(QUERIES))),
        GRIDS,
        st.sampled_from([0.0, 0.25, 0.5, 0.1, 0.7, 1.0, float("nan")]),
        st.sampled_from([1.0, 0.5, 0.1, 3.0]),
    ),
    max_size=30,
)


def cast_all(ballots, rule=None):
    box = BallotBox(QUERIES, rule) if rule else BallotBox(QUERIES)
    for place, grid, confidence, weight in ballots:
        if grid is None:
            continue
        box.cast(QUERIES[place], grid, confidence, weight)
    return box


def as_batch(ballots):
    num = len(ballots)
    queries = np.array([ballot[0] for ballot in ballots], dtype=np.int32)
    keys, cells = np.zeros((num, 2), np.uint64), np.full((num, 900), 255, np.uint8)
    heights, widths = np.zeros(num, np.int16), np.zeros(num, np.int16)
    for row, (_, grid, _, _) in enumerate(ballots):
        if grid is not None:
            content = np.array(grid, np.uint8)
            heights[row], widths[row] = content.shape
            cells[row, : content.size] = content.ravel()
            keys[row] = hash((content.shape, content.tobytes())) % 2**63, 7
    confidences = np.array([ballot[2] for ballot in ballots], np.float64)
    weights = np.array([ballot[3] for ballot in ballots], np.float64)
    return queries, keys, cells, heights, widths, confidences, weights


def result(box):
    return [
        [(tally.grid.tolist(), tally.votes, tally.weight, tally.confidence) for tally in box.tallies(query)]
        for query in QUERIES
    ]


def naive(ballots, query):
    """Grids of one query by (weight, mean confidence), then height, width, cells."""
    groups = defaultdict(list)
    for place, grid, confidence, weight in ballots:
        if QUERIES[place] == query and grid is not None and confidence == confidence:
            groups[str(grid)].append((grid, confidence, weight))
    rows = []
    for members in groups.values():
        grid = members[0][0]
        total = round(sum(weight for *_, weight in members), 4)
        mean = sum(confidence * weight for _, confidence, weight in members) / total
        rows.append((-total, -round(mean, 4), len(grid), len(grid[0]), grid, len(members)))
    return [(row[4], row[5]) for row in sorted(rows)]


@settings(max_examples=150)
@given(BALLOTS)
def test_tallies_equal_a_naive_count(ballots):
    box = cast_all(ballots)
    for query in QUERIES:
        assert [(tally.grid.tolist(), tally.votes) for tally in box.tallies(query)] == naive(ballots, query)


@settings(max_examples=100)
@given(BALLOTS, st.randoms(use_true_random=False), st.integers(0, 30))
def test_neither_order_nor_batching_changes_a_bit(ballots, random, cut):
    expected = result(cast_all(ballots))
    shuffled = list(ballots)
    random.shuffle(shuffled)
    assert result(cast_all(shuffled)) == expected
    batched = BallotBox(QUERIES)
    for part in (shuffled[:cut], shuffled[cut:]):
        batched.cast_batch(*as_batch(part))
    assert result(batched) == expected
    mixed = cast_all(shuffled[:cut])
    mixed.cast_batch(*as_batch(shuffled[cut:]))
    assert result(mixed) == expected
    for query in QUERIES:
        cast = [ballot for ballot in ballots if QUERIES[ballot[0]] == query]
        assert batched.ballots(query) == len(cast)


def test_sums_of_awkward_confidences_are_order_independent():
    values = np.random.default_rng(5).random(1000)
    boxes = [BallotBox(QUERIES[:1]) for _ in range(2)]
    for box, order in zip(boxes, (values, values[::-1]), strict=True):
        for value in order:
            box.cast(QUERIES[0], [[1]], float(value))
    first, second = (box.elect(QUERIES[0])[0].confidence for box in boxes)
    assert first == second == pytest.approx(values.mean(), abs=1e-6)


def test_elect_takes_votes_before_confidence():
    box = BallotBox(QUERIES)
    box.cast(QUERIES[0], [[1]], 0.1)
    box.cast(QUERIES[0], [[1]], 0.2)
    box.cast(QUERIES[0], [[2]], 0.9)
    box.cast(QUERIES[0], [[3]], 0.8)
    assert [grid.tolist() for grid in box.attempts(QUERIES[0])] == [[[1]], [[2]]]
    assert box.attempts(QUERIES[1]) == []
    first = box.elect(QUERIES[0], 1)
    assert len(first) == 1
    assert isinstance(first[0], Tally)
    assert (first[0].votes, first[0].weight) == (2, 2.0)
    assert first[0].confidence == pytest.approx(0.15, abs=1e-7)


def test_an_elected_grid_is_a_copy():
    box = BallotBox(QUERIES)
    box.cast(QUERIES[0], [[1]])
    box.attempts(QUERIES[0])[0][:] = 9
    assert box.attempts(QUERIES[0])[0].tolist() == [[1]]


def test_growing_past_the_first_capacity_keeps_every_candidate():
    box = BallotBox(QUERIES[:1])
    for number in range(200):
        box.cast(QUERIES[0], [[number % 10, number // 10 % 10, number // 100]], 0.5)
    assert len(box.tallies(QUERIES[0])) == 200
    assert box.ballots(QUERIES[0]) == 200


def test_hash_seed_and_order_leave_the_bytes_alone():
    program = """
import random, sys
from submission.vote import BallotBox, Query
queries = [Query(name, 0) for name in ("x", "y", "z")]
ballots = [(q, [[i % 7, i % 3]], (i % 5) / 7) for i in range(60) for q in queries]
random.Random(int(sys.argv[1])).shuffle(ballots)
box = BallotBox(queries)
for q, grid, confidence in ballots: box.cast(q, grid, confidence)
print([[(t.grid.tolist(), t.votes, t.confidence) for t in box.tallies(q)] for q in queries])
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, seed],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def good_batch():
    return list(as_batch([(0, [[1, 2]], 0.5, 1.0), (1, [[3]], 0.5, 1.0)]))


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, np.array([0, 3]), "query indices 0 to 3, expected 0 to 2"),
        (0, np.array([-1, 0]), "query indices -1"),
        (1, np.zeros((2, 1), np.uint64), "2 queries with keys"),
        (1, np.zeros((2, 2), np.int64), "keys of int64"),
        (2, np.zeros((2, 900), np.int64), "cells of int64"),
        (2, np.full((2, 900), 10, np.uint8), "cell 10, expected colors 0 to 9"),
        (3, np.array([1]), "2 queries with keys"),
        (3, np.array([31, 1]), "a guess of 31x2"),
        (4, np.array([0, 1]), "a guess of 1x0"),
        (5, np.array([0.5, 1.5]), "expected probabilities"),
        (6, np.array([1.0, 0.0]), "a weight outside"),
        (6, np.array([1.0, float("nan")]), "a weight outside"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_counted(position, value, message):
    box, batch = BallotBox(QUERIES), good_batch()
    batch[position] = value
    with pytest.raises(ValueError, match=message):
        box.cast_batch(*batch)
    assert result(box) == [[], [], []]
    assert [box.ballots(query) for query in QUERIES] == [0, 0, 0]


def test_weights_default_to_one_and_an_empty_batch_is_fine():
    box, batch = BallotBox(QUERIES), good_batch()
    box.cast_batch(*batch[:6])
    box.cast_batch(*[array[:0] for array in batch])
    assert box.elect(QUERIES[0])[0].weight == 1.0


def test_queries_are_distinct_and_known():
    with pytest.raises(ValueError, match="twice"):
        BallotBox([QUERIES[0], QUERIES[0]])
    with pytest.raises(ValueError, match="not a query of this ballot box"):
        BallotBox(QUERIES).cast(Query("c", 0), [[1]])
