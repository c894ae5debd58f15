"""Every class of defect, alone and together, with its place."""

import json
from pathlib import Path

import numpy as np
import pytest

from submission.validation import Defect, validate

NUM_TESTS = {"a": 1, "b": 2}
GOOD = {"attempt_1": [[1]], "attempt_2": [[2]]}


def complete():
    return {"a": [dict(GOOD)], "b": [dict(GOOD), dict(GOOD)]}


def texts(value, num_tests=NUM_TESTS):
    data = value if isinstance(value, bytes | Path) else json.dumps(value).encode()
    return [str(defect) for defect in validate(data, num_tests)]


def test_a_good_submission_has_no_defects():
    assert texts(complete()) == []
    assert texts({}, {}) == []
    assert texts({"x": []}, {"x": 0}) == []
    arrays = {"a": [{"attempt_1": np.ones((2, 2), np.uint8), "attempt_2": [[0]]}]}
    assert validate(arrays, {"a": 1}) == []


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ([], "no rows, expected 1 to 30"),
        ([[]], "row 0: no cells, expected 1 to 30"),
        ([[1, 2], [3]], "row 1: length 1, expected 2"),
        ([[0]] * 31, "31 rows, expected 1 to 30"),
        ([[0] * 31], "row 0: length 31, expected 1 to 30"),
        ([[True]], "row 0 column 0: true, expected an integer 0 to 9"),
        ([[1.0]], "row 0 column 0: 1.0, expected an integer 0 to 9"),
        ([["1"]], 'row 0 column 0: "1", expected an integer 0 to 9'),
        ([[None]], "row 0 column 0: null, expected an integer 0 to 9"),
        ([[10]], "row 0 column 0: 10, expected an integer 0 to 9"),
        ([[-1]], "row 0 column 0: -1, expected an integer 0 to 9"),
        ([[float("nan")]], "row 0 column 0: NaN, expected an integer 0 to 9"),
        ([[float("inf")]], "row 0 column 0: Infinity, expected an integer 0 to 9"),
        ([1], "row 0: 1, expected a list of integers"),
        (None, "null, expected a list of rows"),
    ],
)
def test_defective_grids(grid, message):
    value = complete()
    value["b"][1]["attempt_2"] = grid
    assert texts(value) == [f'task "b" test 1 attempt_2: {message}']


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda v: v.pop("a"), ['task "a": missing, expected an entry for every task']),
        (lambda v: v.update(c=[GOOD]), ['task "c": not a task of the challenges']),
        (lambda v: v["b"].pop(), ['task "b": a list of 1, expected 2']),
        (lambda v: v["b"].append(GOOD), ['task "b": a list of 3, expected 2']),
        (lambda v: v.update(b={}), ['task "b": an object, expected a list with one entry per test']),
        (
            lambda v: v["b"][0].pop("attempt_1"),
            ['task "b" test 0 attempt_1: missing, expected both attempts'],
        ),
        (lambda v: v["b"][0].update(attempt_3=[[1]]), ['task "b" test 0: unexpected key "attempt_3"']),
        (
            lambda v: v.update(b=[[[1]], None]),
            [
                'task "b" test 0: a list, expected an object with both attempts',
                'task "b" test 1: null, expected an object with both attempts',
            ],
        ),
        (
            lambda v: v.update({"\x1b[2J": [GOOD]}),
            [
                'task "\\u001b[2J": the id holds control characters',
                'task "\\u001b[2J": not a task of the challenges',
            ],
        ),
    ],
)
def test_defective_structure(change, expected):
    value = complete()
    change(value)
    assert texts(value) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON at line 1 column 1"),
        (b"[]", "a list, expected an object of task ids"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[" * 10_000, "nested far deeper"),
        (b'\xef\xbb\xbf{"a": [], "b": []}', "byte order mark"),
    ],
)
def test_defective_text(data, message):
    assert message in texts(data)[0]


def test_repeated_keys_are_named_at_every_level():
    good = json.dumps(GOOD)
    data = f'{{"a": [{good}], "b": [{good}, {{"attempt_1": [[1]], {good[1:]}], "a": [{good}]}}'.encode()
    assert texts(data) == [
        'task "a": the id comes more than once',
        'task "b" test 1: the key "attempt_1" comes more than once',
    ]


def test_all_defects_come_at_once_in_the_order_of_the_challenges():
    value = {"z": [], "b": [{"attempt_1": [], "attempt_2": [[1.5]]}]}
    assert validate(json.dumps(value).encode(), NUM_TESTS) == [
        Defect("missing, expected an entry for every task", "a"),
        Defect("a list of 1, expected 2", "b"),
        Defect("no rows, expected 1 to 30", "b", 0, "attempt_1"),
        Defect("row 0 column 0: 1.5, expected an integer 0 to 9", "b", 0, "attempt_2"),
        Defect("not a task of the challenges", "z"),
    ]


def test_files_are_read(tmp_path):
    path = tmp_path / "submission.json"
    path.write_text(json.dumps(complete()))
    assert texts(path) == []
    assert "cannot be read" in texts(tmp_path / "none.json")[0]
