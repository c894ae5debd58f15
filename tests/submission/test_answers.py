"""Foreign submissions: which forms are understood, and what is said about the odd ones."""

import numpy as np
import pytest

from submission.document import DocumentError
from submission.kaggle_json import SubmissionError
from submission.lenient_reader import load_answers, read_answers

A, B, C = [[1]], [[2, 2]], [[3], [3]]


def read(value, num=1):
    answers, remarks = read_answers({"t": value}, {"t": num})
    plain = [[None if grid is None else grid.tolist() for grid in ranking] for ranking in answers["t"]]
    return plain, {name: places for name, places in remarks.to_json().items() if places}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"attempt_1": A, "attempt_2": B}], [A, B]),
        ([{"attempt_2": B, "attempt_1": A}], [A, B]),
        ([[A, B]], [A, B]),
        ([[A]], [A]),
        ([A], [A]),
        ([np.array(A)], [A]),
    ],
)
def test_forms_of_one_output(value, expected):
    assert read(value) == ([expected], {})


@pytest.mark.parametrize(("value", "expected"), [({"attempt_1": A, "attempt_2": B}, [A, B]), (B, [B])])
def test_an_entry_without_its_list_is_read_and_mentioned(value, expected):
    assert read(value) == ([expected], {"bare_tasks": ['task "t"']})


def test_forms_of_two_outputs():
    assert read([A, B], 2) == ([[A], [B]], {})
    assert read([[A, B], [C]], 2) == ([[A, B], [C]], {})


def test_attempts_beyond_two_are_kept_and_mentioned():
    entry = {"attempt_3": C, "attempt_1": A, "attempt_2": B}
    assert read([entry]) == ([[A, B, C]], {"surplus_attempts": ['task "t" test 0']})


def test_a_high_number_alone_is_mentioned_as_pass_at_k_is_given_for_it():
    gaps, remarks = read([{"attempt_999": A}])
    assert gaps == [[None] * 998 + [A]]
    assert remarks["surplus_attempts"] == ['task "t" test 0']


def test_gaps_keep_their_rank():
    assert read([{"attempt_2": B}]) == ([[None, B]], {"missing_attempts": ['task "t" test 0 attempt_1']})


@pytest.mark.parametrize(
    ("value", "num", "kind", "place"),
    [
        ([], 1, "missing_outputs", 'task "t" test 0'),
        ([A], 2, "missing_outputs", 'task "t" test 1'),
        ([A, A, A], 2, "extra_outputs", 'task "t": 3 entries for 2 outputs'),
        ([{"attempt_1": [], "attempt_2": A}], 1, "empty_attempts", 'task "t" test 0 attempt_1'),
        ([[[], A]], 1, "empty_attempts", 'task "t" test 0 attempt_1'),
        ([[]], 1, "empty_attempts", 'task "t" test 0 attempt_1'),
        (
            [{"attempt_1": A, "attempt_2": B, "note": 1}],
            1,
            "malformed",
            'task "t" test 0: unexpected key "note"',
        ),
        ([{"attempt_1": A, "attempt_2": B, "attempt_0": A}], 1, "malformed", 'unexpected key "attempt_0"'),
        ([None], 1, "malformed", 'task "t" test 0: null, expected an object with attempts'),
        ("text", 1, "malformed", 'task "t": "text", expected a list'),
        ([{"attempt_1": A, "attempt_2": [[1.0]]}], 1, "malformed", "attempt_2: row 0 column 0: 1.0"),
    ],
)
def test_oddities_are_named(value, num, kind, place):
    answers, remarks = read(value, num)
    assert len(answers) == num
    assert place in remarks[kind][0]


def test_tasks_are_paired_by_the_truth():
    answers, remarks = read_answers({"x": [A], "t": [A], 5: [A]}, {"t": 1, "u": 2})
    assert list(answers) == ["t", "u"]
    assert answers["u"] == [[], []]
    assert remarks.missing_tasks == ["u"]
    assert remarks.extra_tasks == ["x", "5"]


def test_remarks_are_printable_lines_and_clean_json():
    ids = ["\ud800", "\x1b[2J", "x" * 4096, "y", "z"]
    _, remarks = read_answers({task_id: [A] for task_id in ids}, {"t": 1})
    missing, extra = remarks.lines()
    assert missing == '1 missing task (counted as wrong): "t"'
    assert extra.startswith("5 extra tasks (not in the truth, ignored): ")
    assert extra.endswith(" and 2 more")
    assert extra.isascii()
    assert extra.isprintable()
    assert remarks.to_json()["extra_tasks"][0] == "\\ud800"


@pytest.mark.parametrize("value", [None, [], 7, "text"])
def test_a_submission_that_is_no_object_answers_nothing(value):
    answers, remarks = read_answers(value, {"t": 1})
    assert answers == {"t": [[]]}
    assert "expected an object of task ids" in remarks.malformed[0]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'\xef\xbb\xbf{"t": []}', "starts with a byte order mark; save it as UTF-8 without one"),
        (b"[]", "a list, expected an object of task ids"),
        (b'"x"', '"x", expected an object of task ids'),
    ],
)
def test_what_no_reader_takes_for_a_submission_is_refused(data, text):
    with pytest.raises(SubmissionError) as refusal:
        load_answers(data)
    assert str(refusal.value) == f"submission: {text}"


def test_loading(tmp_path):
    path = tmp_path / "submission.json"
    path.write_bytes(b'{"t": [[NaN]]}')
    assert list(load_answers(path)) == ["t"]
    path.write_bytes(b"{")
    with pytest.raises(SubmissionError, match=r"submission\.json: not JSON"):
        load_answers(path)
    with pytest.raises(DocumentError, match="cannot be read"):
        load_answers(tmp_path / "none.json")
