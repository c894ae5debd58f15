"""What stands behind an attempt, worked out by hand."""

import numpy as np
import pytest

from submission.candidates import Candidate
from submission.support import Support, support
from submission.vote import Query

QUERY = Query("a", 0)
ONE, TWO, THREE = (np.full((1, 1), color, np.uint8) for color in (1, 2, 3))


def test_counts_of_several_sources_are_added_up():
    found = support(
        [
            Candidate(QUERY, ONE, 3.0, "x", votes=3, confidence=0.5, views=8),
            Candidate(QUERY, TWO, 5.0, "x", votes=5, confidence=1.0, views=8),
            Candidate(QUERY, ONE, 1.0, "y", votes=1, confidence=0.9, views=4),
            Candidate(Query("b", 0), ONE, 1.0, "x", votes=1, confidence=0.9, views=4),
        ],
        {QUERY: [ONE, None, THREE]},
    )
    assert found == {
        QUERY: [Support(4.0, 4, pytest.approx(0.6), 12), None, Support(0.0, 0, None, 12)],
    }


def test_what_is_not_told_by_all_is_unknown():
    told = Candidate(QUERY, ONE, 3.0, "x", votes=3, confidence=0.5, views=8)
    silent = Candidate(QUERY, ONE, 0.25, "y")
    assert support([told, silent], {QUERY: [ONE, TWO]}) == {QUERY: [Support(3.25), Support(0.0)]}
    weighed = [
        Candidate(QUERY, ONE, 1.0, "x", confidence=0.5),
        Candidate(QUERY, ONE, 3.0, "y", confidence=0.9),
    ]
    assert support(weighed, {QUERY: [ONE]}) == {QUERY: [Support(4.0, None, pytest.approx(0.8))]}
    huge = [Candidate(QUERY, ONE, 1.7e308, name, confidence=0.5) for name in "xy"]
    assert support(huge, {QUERY: [ONE]})[QUERY][0].confidence == 0.5
    unvoted = Candidate(QUERY, ONE, 1e-5, "x", votes=0, confidence=0.5, views=8)
    assert support([unvoted], {QUERY: [ONE]}) == {QUERY: [Support(1e-5, 0, 0.5, 8)]}
    assert support([], {QUERY: [ONE]}) == {QUERY: [Support(0.0, 0)]}


@pytest.mark.parametrize(
    ("behind", "text"),
    [
        (Support(1.0, 1), "1 vote"),
        (Support(2.0, 2, 0.5), "2 votes, confidence 0.500"),
        (Support(1.0, 1, 0.9123, 64), "1 vote of 64 views, confidence 0.912"),
        (Support(0.0, 0, None, 1), "0 votes of 1 view"),
        (Support(1 / 3), "weight 0.333333"),
        (Support(0.0), "weight 0"),
    ],
)
def test_support_in_words(behind, text):
    assert str(behind) == text
