"""The submission writer: complete by construction, strict about what it writes, and read back the same."""

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submission.kaggle_json import (
    SubmissionError,
    build_submission,
    count_tests,
    dump_submission,
    expected_queries,
)
from submission.lenient_reader import load_answers
from submission.validation import validate
from submission.vote import Query

NUM_TESTS = {"b": 2, "a": 1}
TASK_IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
GRIDS = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(0, 10**6)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(0, 10, drawn[:2], dtype=np.uint8)
)


def plain(submission):
    return orjson.loads(dump_submission(submission))


def test_without_any_guess_a_submission_is_complete():
    blank = {"attempt_1": [[0]], "attempt_2": [[0]]}
    assert plain(build_submission(NUM_TESTS, {})) == {"b": [blank, blank], "a": [blank]}
    assert list(build_submission(NUM_TESTS, {})) == ["b", "a"]
    assert dump_submission(build_submission({}, {})) == b"{}\n"


@pytest.mark.parametrize(
    ("guesses", "expected"),
    [
        ([], ([[0]], [[0]])),
        ([[[5]]], ([[5]], [[0]])),
        ([[[5]], [[5]], [[6]], [[7]]], ([[5]], [[6]])),
        ([[[0]], [[0]]], ([[0]], [[0]])),
        ([[[1, 2]], [[1], [2]]], ([[1, 2]], [[1], [2]])),
    ],
)
def test_attempts_differ_whenever_two_candidates_exist(guesses, expected):
    grids = [np.array(guess, np.uint8) for guess in guesses]
    submission = plain(build_submission({"a": 1}, {Query("a", 0): grids}))
    assert submission == {"a": [{"attempt_1": expected[0], "attempt_2": expected[1]}]}


@settings(max_examples=40)
@given(st.dictionaries(TASK_IDS, st.integers(0, 3), max_size=4), st.data())
def test_whatever_is_built_is_valid_and_reads_back_the_same(num_tests, data):
    attempts = {
        query: data.draw(st.lists(GRIDS, max_size=3))
        for query in expected_queries(num_tests)
        if data.draw(st.booleans())
    }
    written = dump_submission(build_submission(num_tests, attempts))
    assert validate(written, num_tests) == []
    again = load_answers(written)
    assert list(again) == list(num_tests)
    assert dump_submission(again) == written
    for query, grids in attempts.items():
        if grids:
            assert np.array_equal(again[query.task_id][query.index]["attempt_1"], grids[0])


def test_views_that_are_not_contiguous_are_written():
    grid = np.arange(8, dtype=np.uint8).reshape(2, 4)
    submission = build_submission({"a": 1}, {Query("a", 0): [grid.T, grid[:, ::2]]})
    assert plain(submission)["a"][0] == {"attempt_1": grid.T.tolist(), "attempt_2": [[0, 2], [4, 6]]}


def test_dump_takes_arrays_of_a_caller_that_built_its_own():
    grid = np.array([[1, 2], [3, 4]], np.int64).T
    assert plain({"a": [{"attempt_1": grid, "attempt_2": [[7]]}]}) == {
        "a": [{"attempt_1": [[1, 3], [2, 4]], "attempt_2": [[7]]}]
    }


@pytest.mark.parametrize(
    "grid",
    [
        np.zeros((1, 1)),
        np.zeros((1, 1), bool),
        np.zeros((0, 1), np.uint8),
        np.full((1, 1), 10),
        [[1.0]],
        None,
    ],
)
def test_dump_refuses_what_orjson_would_write(grid):
    with pytest.raises(SubmissionError, match='task "a" test 0 attempt_2: ') as caught:
        dump_submission({"a": [{"attempt_1": np.zeros((1, 1), np.uint8), "attempt_2": grid}]})
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("task_id", ["\ud800", "a\nb", ""])
def test_dump_refuses_hostile_ids(task_id):
    with pytest.raises(SubmissionError, match="the id"):
        dump_submission(build_submission({task_id: 1}, {}))


@pytest.mark.parametrize("query", [Query("a", 1), Query("a", -1), Query("c", 0)])
def test_attempts_nobody_asked_for_are_refused(query):
    with pytest.raises(SubmissionError, match="do not ask for"):
        build_submission(NUM_TESTS, {query: [np.zeros((1, 1), np.uint8)]})


def test_a_guess_that_is_no_grid_is_refused():
    with pytest.raises(SubmissionError, match=r'task "a" test 0: a guess is no grid: .*10 to 10'):
        build_submission(NUM_TESTS, {Query("a", 0): [np.full((1, 1), 10, np.uint8)]})


def test_expected_queries_of_every_kind_of_challenges():
    tasks = {
        "b": {"train": [], "test": [{"input": [[1]]}, {"input": [[2]]}]},
        "a": {"train": [], "test": [{"input": [[1]]}]},
    }
    expected = [Query("b", 0), Query("b", 1), Query("a", 0)]
    assert expected_queries(tasks) == expected
    assert expected_queries(NUM_TESTS) == expected
    assert expected_queries([("b", 2), ("a", 1)]) == expected
    poisoned = {"x": {"test": None}, "y": {}, "z": 7.5, "t": {"test": "ab"}, "u": -1, "v": True}
    assert count_tests(poisoned) == dict.fromkeys(poisoned, 0)
    with pytest.raises(SubmissionError, match="twice"):
        count_tests([("a", 1), ("a", 1)])


def test_many_defects_are_counted_and_the_first_named():
    with pytest.raises(SubmissionError, match=r"submission: 5 defects: task \"0\".*; and 2 more"):
        dump_submission({str(number): None for number in range(5)})


def test_the_bytes_are_fixed():
    attempts = {Query("b", 1): [np.array([[1, 2], [3, 4]], np.uint8)]}
    assert dump_submission(build_submission(NUM_TESTS, attempts)) == (
        b'{"b":[{"attempt_1":[[0]],"attempt_2":[[0]]},{"attempt_1":[[1,2],[3,4]],"attempt_2":[[0]]}],'
        b'"a":[{"attempt_1":[[0]],"attempt_2":[[0]]}]}\n'
    )
