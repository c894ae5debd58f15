"""The sequential test keeps its stated error, and says nothing too early."""

import numpy as np
import pytest

from submission.sequential_test import chance_of_another
from submission.vote import BallotBox, Query

QUERY = Query("a", 0)


def test_known_chances():
    assert chance_of_another([]) == 1.0
    # Only a grid without any vote could come first: k heads in a row.
    assert chance_of_another([4]) == pytest.approx(0.5**4)
    assert chance_of_another([4, 3]) == pytest.approx(0.5**4)
    # The third has one vote: 5 or more of 6, and again a new one.
    assert chance_of_another([5, 2, 1]) == pytest.approx(7 / 64 + 1 / 32)
    assert chance_of_another([1, 1, 1]) == 1.0


def test_more_votes_for_the_first_make_surer_and_for_the_third_less_sure():
    sure = [chance_of_another([first, 2, 2]) for first in range(2, 20)]
    assert sure == sorted(sure, reverse=True)
    unsure = [chance_of_another([12, 12, third]) for third in range(13)]
    assert unsure == sorted(unsure)


@pytest.mark.parametrize("shares", [[20, 20, 20, 4], [30, 4, 28, 2], [24, 1, 22, 17], [16, 16, 16, 16]])
def test_the_error_is_kept(shares):
    """Shuffled views of a close vote: how often is the winner called too early and wrong?"""
    seed, error, looks = 11, 0.05, (4, 8, 16, 32)
    rng = np.random.default_rng(seed)
    ballots = np.repeat(np.arange(len(shares)), shares)
    winners = {grid for grid, votes in enumerate(shares) if votes == max(shares)}
    wrong = 0
    for _ in range(400):
        rng.shuffle(ballots)
        for look in looks:
            counts = np.bincount(ballots[:look], minlength=len(shares))
            order = np.argsort(-counts, kind="stable")
            if chance_of_another(counts[order].tolist()) <= error / len(looks):
                # Where several grids end level any of them may be named.
                wrong += not winners & set(order[:2].tolist())
                break
    assert wrong <= 400 * error, f"seed {seed}"


def test_a_box_asks_by_votes():
    box = BallotBox([QUERY, Query("b", 0)])
    assert not box.likely(QUERY, 0.5)
    for _ in range(5):
        box.cast(QUERY, [[1]], 0.1)
    assert box.likely(QUERY, 0.04)
    assert not box.likely(QUERY, 0.03)
    assert not box.likely(Query("b", 0), 0.5)
