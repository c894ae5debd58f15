"""Merging: shares, trust, turns; the order of the lines never matters."""

import dataclasses
import random

import numpy as np
import pytest

from submission.candidates import Candidate, from_tallies
from submission.merge import (
    fill_up,
    learn_trust,
    merge_learned,
    merge_round_robin,
    merge_votes,
    share_out,
)
from submission.truth import TruthError
from submission.vote import BallotBox, Query

Q = Query("a", 0)


def cell(color):
    return np.full((1, 1), color, np.uint8)


def guess(color, weight, source, query=Q):
    return Candidate(query, cell(color), weight, source)


def colors(ranking):
    return [int(grid[0, 0]) for grid in ranking]


# A is loud and split, B is quiet and sure, C knows only the other query.
MIXED = [
    guess(1, 600.0, "A"),
    guess(2, 400.0, "A"),
    guess(2, 0.03, "B"),
    guess(3, 0.01, "B"),
    guess(4, 1.0, "C", Query("b", 0)),
]


def test_weights_are_normalized_per_source_and_query():
    shares = share_out([*MIXED, guess(3, 0.04, "B")])
    assert shares.sources == ("A", "B", "C")
    parts = {content[2][0]: part for content, part in shares.parts[Q]["B"].items()}
    assert parts == pytest.approx({2: 0.375, 3: 0.625})


def test_votes_add_shares_times_trust():
    assert colors(merge_votes(MIXED)[Q]) == [2, 1, 3]
    assert colors(merge_votes(MIXED, {"A": 0.9, "B": 0.1})[Q]) == [1, 2, 3]
    assert colors(merge_votes(MIXED)[Query("b", 0)]) == [4]
    assert merge_votes([]) == {}


def test_round_robin_takes_turns():
    assert colors(merge_round_robin(MIXED)[Q]) == [1, 2, 3]
    assert colors(merge_round_robin(MIXED, ["B"])[Q]) == [2, 1, 3]
    same = [guess(1, 2.0, "A"), guess(2, 1.0, "A"), guess(1, 2.0, "B"), guess(3, 1.0, "B")]
    assert colors(merge_round_robin(same)[Q]) == [1, 2, 3]


def test_filling_up_adds_behind_and_repeats_nothing():
    other, third = Query("b", 0), Query("c", 0)
    own = {Q: [cell(1)], other: [cell(1), cell(2), cell(3)]}
    spare = {Q: [cell(1), cell(4), cell(5)], other: [cell(9)], third: [cell(6)]}
    filled = fill_up(own, spare, 2)
    assert {query: colors(grids) for query, grids in filled.items()} == {
        Q: [1, 4],
        other: [1, 2, 3],
        third: [6],
    }
    assert [colors(grids) for grids in own.values()] == [[1], [1, 2, 3]]
    turned = {Q: [np.array([[1], [2]], np.uint8)]}
    assert len(fill_up(turned, {Q: [np.array([[1, 2]], np.uint8)]}, 2)[Q]) == 2


@pytest.mark.parametrize("scale", [1e-300, 5e-324, 1e300, 1.7e308])
def test_extreme_weights_neither_overflow_nor_vanish(scale):
    candidates = [guess(1, scale, "A"), guess(1, scale, "A"), guess(2, scale, "A")]
    assert colors(merge_votes(candidates)[Q]) == [1, 2]


@pytest.mark.parametrize("merge", [merge_votes, merge_round_robin])
def test_the_order_of_the_lines_is_nothing(merge):
    seed = 3
    rng = random.Random(seed)
    queries = [Query(name, 0) for name in "abc"]
    lines = [
        guess(rng.randrange(6), rng.choice([0.1, 0.2, 0.7]), rng.choice("XYZ"), rng.choice(queries))
        for _ in range(80)
    ]
    expected = {query: colors(ranking) for query, ranking in merge(lines).items()}
    for _ in range(10):
        rng.shuffle(lines)
        again = {query: colors(ranking) for query, ranking in merge(lines).items()}
        assert list(again.items()) == list(expected.items()), f"seed {seed}"


def calibration(num=40, right_of_a=0.7, right_of_b=0.2):
    """Disjoint successes: A right on the first tasks, B on the last; each always sure of its guess."""
    truth, candidates = {}, []
    for number in range(num):
        task_id = f"{number:02d}"
        truth[task_id] = [cell(1)]
        query = Query(task_id, 0)
        candidates.append(guess(1 if number < right_of_a * num else 2, 5.0, "A", query))
        candidates.append(guess(1 if number >= (1 - right_of_b) * num else 3, 5.0, "B", query))
    return candidates, truth


def test_trust_follows_who_was_right():
    trust = learn_trust(*calibration())
    assert trust["A"] == pytest.approx(29 / 38)
    assert trust["B"] == pytest.approx(9 / 38)
    assert sum(trust.values()) == pytest.approx(1)


def test_trust_is_likeliest_among_mixtures():
    seed = 8
    rng = np.random.default_rng(seed)
    truth, candidates = {}, []
    for number in range(60):
        query = Query(f"{number:02d}", 0)
        truth[query.task_id] = [cell(1)]
        for source, strength in (("A", 3.0), ("B", 1.0)):
            share = rng.beta(strength, 2.0)
            candidates += [guess(1, share, source, query), guess(2, 1 - share, source, query)]
    learned = learn_trust(candidates, truth)
    parts = share_out(candidates).parts
    right = np.array([[part[source][1, 1, b"\x01"] for source in "AB"] for part in parts.values()])

    def likelihood(weight):
        mixed = right @ np.array([weight, 1 - weight])
        return np.log(mixed).sum() + np.log(weight) + np.log(1 - weight)

    assert likelihood(learned["A"]) >= max(likelihood(w) for w in np.linspace(0.01, 0.99, 99)) - 0.02, seed


def test_nothing_to_learn_from():
    assert learn_trust(MIXED, {}) == pytest.approx({"A": 1 / 3, "B": 1 / 3, "C": 1 / 3})
    with pytest.raises(TruthError, match="no candidates to learn from"):
        learn_trust([], {})


def test_folds_cover_every_query_and_never_see_their_own_truth():
    candidates, truth = calibration()
    rankings = merge_learned(candidates, truth)
    assert sorted(query.task_id for query in rankings) == sorted(truth)
    fold = {task_id for place, task_id in enumerate(sorted(truth)) if place % 5 == 0}
    lies = {task_id: [cell(9)] if task_id in fold else grids for task_id, grids in truth.items()}
    again = merge_learned(candidates, lies)
    for query, ranking in rankings.items():
        if query.task_id in fold:
            assert colors(again[query]) == colors(ranking)


def test_a_single_task_is_merged_by_votes():
    candidates = [candidate for candidate in MIXED if candidate.query == Q]
    assert colors(merge_learned(candidates, {"a": [cell(1)]})[Q]) == [2, 1, 3]


def test_ties_fall_to_the_higher_confidence():
    tied = [
        dataclasses.replace(guess(color, 1.0, "A"), confidence=confidence)
        for color, confidence in ((1, None), (2, 0.3), (3, 0.7), (4, 0.7))
    ]
    for ranking in (merge_votes, merge_round_robin):
        assert colors(ranking(tied)[Q]) == [3, 4, 2, 1]
    told_twice = [*tied, dataclasses.replace(guess(1, 1.0, "B"), confidence=0.1), guess(2, 1.0, "C")]
    assert colors(merge_votes(told_twice)[Q])[:2] == [2, 1]  # one vote more; 0.3 before 0.1


@pytest.mark.parametrize("seed", range(20))
def test_one_source_alone_is_ranked_as_its_own_election(seed):
    rng = np.random.default_rng(seed)
    box = BallotBox([Q])
    for _ in range(int(rng.integers(1, 9))):
        box.cast(Q, rng.integers(0, 2, (1, 2)).astype(np.uint8), float(rng.choice([0.25, 0.5, rng.random()])))
    merged = merge_votes(from_tallies(Q, box.tallies(Q), "A"))[Q]
    assert [g.tolist() for g in merged] == [t.grid.tolist() for t in box.tallies(Q)], f"seed {seed}"
