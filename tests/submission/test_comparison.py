"""Two solvers and their merge side by side, and the advice that follows."""

import numpy as np
import pytest

from submission.comparison import compare, recommend
from submission.vote import Query


def attempts(solved, num=6):
    """Right on the given tasks, wrong on the others."""
    return {Query(str(n), 0): [np.full((1, 1), 1 if n in solved else 2, np.uint8)] for n in range(num)}


TRUTH = {str(number): [np.full((1, 1), 1, np.uint8)] for number in range(6)}


def tasks(queries):
    return [int(query.task_id) for query in queries]


def test_who_solved_what():
    result = compare(attempts({0, 1, 2}), attempts({2, 3}), attempts({0, 2, 3, 4}), TRUTH)
    assert [len(part.solved_outputs()) for part in (result.a, result.b, result.merged)] == [3, 2, 4]
    assert tasks(result.a_alone) == [0, 1]
    assert tasks(result.b_alone) == [3]
    assert tasks(result.both) == [2]
    assert tasks(result.gained) == [4]
    assert tasks(result.lost) == [1]


def test_the_table_shows_rules_and_overlaps():
    table = compare(attempts({0, 1, 2}), attempts({2, 3}), attempts({0}), TRUTH).table(("mine", "theirs"))
    lines = table.splitlines()
    assert lines[1].split() == ["mine", *["50.00", "%", "3/6"] * 3]
    assert lines[3].startswith("merged")
    assert lines[4] == ("outputs solved by mine alone 2, theirs alone 1, both 1; the merge gains 0, loses 3")


def test_recommends_only_what_wins():
    a, b = attempts({0, 1, 2}), attempts({2, 3})
    level, better, best = (compare(a, b, attempts(s), TRUTH) for s in ({0, 1, 3}, {0, 1, 2, 3}, range(5)))
    assert recommend({"votes": level}).choice == "a"
    assert recommend({"votes": level}).reason == "do not merge, hand in A: A 3, B 2, votes 3 of 6 outputs"
    assert recommend({"votes": compare(b, a, attempts({0}), TRUTH)}).choice == "b"
    assert recommend({"votes": better, "round_robin": best, "learnt": best}).choice == "round_robin"
    assert recommend({"votes": better}).reason == "merge by votes: A 3, B 2, votes 4 of 6 outputs"
    with pytest.raises(ValueError, match="at least one strategy"):
        recommend({})
