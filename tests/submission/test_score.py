"""Rates, intervals, depths, coverage, and the texts of a score."""

import json
import math

import numpy as np
import orjson
import pytest
from scipy.stats import binomtest

from submission.lenient_reader import Remarks
from submission.score import Rate, Score, score, score_attempts
from submission.truth import TruthError
from submission.vote import Query


def grid(*rows):
    return np.array(rows, np.uint8)


TRUTH = {"a": [grid([1])], "b": [grid([1, 2]), grid([3])]}
RIGHT = {
    "a": [{"attempt_1": [[1]], "attempt_2": [[0]]}],
    "b": [{"attempt_1": [[0]], "attempt_2": [[1, 2]]}, {"attempt_1": [[0]], "attempt_2": [[0]]}],
}


@pytest.mark.parametrize(("solved", "total"), [(0, 1), (1, 1), (0, 400), (163, 419), (419, 419), (7, 10)])
def test_the_interval_is_wilsons(solved, total):
    expected = binomtest(solved, total).proportion_ci(0.95, "wilson")
    low, high = Rate(solved, total).interval
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= low <= solved / total <= high <= 1


def test_the_three_rules():
    result = score(RIGHT, TRUTH, "00")
    assert [result.rate(rule, 1).solved for rule in ("per_output", "per_task", "strict")] == [1, 1.0, 1]
    assert [result.rate(rule).solved for rule in ("per_output", "per_task", "strict")] == [2, 1.5, 1]
    assert [result.rate(rule).total for rule in ("per_output", "per_task", "strict")] == [3, 2, 2]
    assert (result.num_outputs, result.num_tasks) == (3, 2)
    assert result.tasks() == {"solved": ["a"], "partly": ["b"], "missed": []}
    assert result.tasks(1) == {"solved": ["a"], "partly": [], "missed": ["b"]}
    assert result.solved_outputs() == [Query("a", 0), Query("b", 0)]
    assert result.ranks == {"a": (1,), "b": (2, None)}
    with pytest.raises(ValueError, match='rule "kaggle", expected one of per_output, per_task, strict'):
        result.rate("kaggle")


def test_dropping_a_task_never_raises_the_score():
    full = score(RIGHT, TRUTH, "")
    for task_id in RIGHT:
        fewer = score({key: value for key, value in RIGHT.items() if key != task_id}, TRUTH, "")
        for rule in ("per_output", "per_task", "strict"):
            assert fewer.rate(rule).value <= full.rate(rule).value
            assert fewer.rate(rule).total == full.rate(rule).total


def test_candidates_give_pass_at_k_and_never_count_for_the_attempts():
    candidates = {
        Query("b", 1): [grid([3])],
        Query("b", 0): [grid([9])] * 10 + [grid([1, 2])],
        Query("a", 0): [grid([9])] * 12 + [grid([1])],
    }
    result = score(RIGHT, TRUTH, "", candidates)
    assert result.depths == (1, 2, 10, 13)
    assert [result.rate("per_output", depth).solved for depth in result.depths] == [1, 2, 3, 3]
    late = {"a": [{"attempt_1": [[0]], "attempt_2": [[0]]}]}
    assert score(late, TRUTH, "", candidates).ranks == {"a": (13,), "b": (11, 3)}


def test_third_attempts_count_only_beyond_two():
    result = score({"a": [{"attempt_3": [[1]], "attempt_1": [[0]], "attempt_2": [[0]]}]}, TRUTH, "")
    assert result.depths == (1, 2, 3)
    assert [result.rate("strict", depth).solved for depth in result.depths] == [0, 0, 1]


def test_look_alikes_of_integers_are_wrong():
    for cell in (True, 1.0, "1", None, [1]):
        assert score({"a": [{"attempt_1": [[cell]], "attempt_2": [[cell]]}]}, TRUTH, "").ranks["a"] == (None,)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({}, "the truth holds no tasks"),
        ({"a": []}, 'task "a" has no outputs in the truth'),
        ({"a": [[[10]]]}, 'task "a" in the truth: row 0 column 0: 10'),
    ],
)
def test_a_truth_that_is_none_is_refused(truth, message):
    with pytest.raises(TruthError, match=message):
        score(RIGHT, truth, "")


def test_the_json_form_is_complete_and_writable():
    result = score({**RIGHT, "\ud800": []}, TRUTH, "c0ffee")
    value = orjson.loads(orjson.dumps(result.to_json()))
    assert value["headline"] == {"rule": "per_output", "depth": 2, "value": 2 / 3}
    assert value["rules"]["per_task"]["pass@2"]["value"] == 0.75
    assert value["rules"]["strict"]["pass@1"]["interval"] == list(Rate(1, 2).interval)
    assert (value["num_tasks"], value["num_outputs"], value["truth_sha256"]) == (2, 3, "c0ffee")
    assert value["tasks"] == {"solved": ["a"], "partly": ["b"], "missed": []}
    assert value["remarks"]["extra_tasks"] == ["\\ud800"]
    assert json.loads(json.dumps(result.to_json())) == value


def test_the_table_names_rules_counts_truth_and_oddities():
    table = score({"b": RIGHT["b"]}, TRUTH, "c0ffee").table()
    lines = table.splitlines()
    assert lines[0].split() == ["rule", "pass@1", "pass@2"]
    assert lines[1].startswith("Kaggle (per output)    0.00 % 0/3 [0.0, 56.1]")
    assert "33.33 % 1/3" in lines[1]
    assert "25.00 % 0.5/2" in lines[2]
    assert lines[3].startswith("strict (whole task)")
    assert lines[4].startswith("3 outputs of 2 tasks")
    assert lines[5] == "truth sha256 c0ffee"
    assert lines[6:] == ['1 missing task (counted as wrong): "a"']
    assert table.endswith("\n")


def test_attempts_of_queries_nobody_asks_about_are_left_out():
    attempts = {Query("a", 0): [grid([1])], Query("b", 7): [grid([1])], Query("z", 0): [grid([1])]}
    assert score_attempts(attempts, TRUTH, "").ranks == {"a": (1,), "b": (None, None)}


def test_a_mean_over_tasks_is_exact():
    ranks = {str(number): (1, None, None) for number in range(300)}
    result = Score(ranks, (1, 2), "", Remarks())
    assert result.rate("per_task").solved == math.fsum([1 / 3] * 300)
