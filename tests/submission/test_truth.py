"""Solutions files: every layout that is truth, and one line for every one that is not."""

import gzip
import hashlib
import json

import pytest

from submission.truth import TruthError, read_solutions

GRIDS = {"a": [[[1]]], "b": [[[1, 2]], [[3]]]}


def write(folder, value, name="truth.json"):
    path = folder / name
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def plain(truth):
    return {task_id: [grid.tolist() for grid in grids] for task_id, grids in truth.items()}


def test_solutions_and_tasks_give_the_same_truth(tmp_path):
    tasks = {
        task_id: {"train": [], "test": [{"input": [[0]], "output": grid} for grid in grids]}
        for task_id, grids in GRIDS.items()
    }
    assert plain(read_solutions(write(tmp_path, GRIDS))[0]) == GRIDS
    assert plain(read_solutions(write(tmp_path, tasks))[0]) == GRIDS
    single = write(tmp_path, tasks["b"], "00d62c1b.json")
    assert plain(read_solutions(single)[0]) == {"00d62c1b": GRIDS["b"]}


def test_tasks_may_be_called_train_and_test(tmp_path):
    solutions = {"train": [[[1]]], "test": [[[2]], [[3, 4]]]}
    assert plain(read_solutions(write(tmp_path, solutions))[0]) == solutions


def test_the_hash_is_of_the_content(tmp_path):
    data = json.dumps(GRIDS).encode()
    expected = hashlib.sha256(data).hexdigest()
    assert read_solutions(write(tmp_path, data))[1] == expected
    assert read_solutions(write(tmp_path, gzip.compress(data), "truth.json.gz"))[1] == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a list, expected a filled object of task ids"),
        ({}, "an object, expected a filled object"),
        (b'{"a": [[[1]]], "a": [[[2]]]}', 'task "a" comes more than once'),
        (b'{"a": {"test": [], "test": []}}', 'task "a": key "test" comes more than once'),
        (b'\xef\xbb\xbf{"a": [[[1]]]}', "Unexpected UTF-8 BOM"),
        (
            b'{"a": {"test": [{"output": [[1]], "output": [[2]]}]}}',
            'task "a" test 0: key "output" comes more than once',
        ),
        ({"a": []}, 'task "a": a list without outputs, expected a list of grids'),
        ({"a": None}, 'task "a": null without outputs'),
        ({"a": {}}, 'task "a": "test" is null, expected a list of pairs'),
        ({"a": {"test": []}}, 'task "a": a list without outputs'),
        (
            {"a": {"test": [{"input": [[1]]}]}},
            'task "a" test 0: no output here, so pass the solutions file; without',
        ),
        ({"a": {"test": [{"output": None}]}}, 'task "a" test 0: no output here'),
        ({"a": {"test": [7]}}, 'task "a" test 0: no output here'),
        ({"a": [[[1]], [[1, 10]]]}, 'task "a" test 1: row 0 column 1: 10, expected an integer 0 to 9'),
        ({"a": [[[True]]]}, 'task "a" test 0: row 0 column 0: true'),
        ({"": [[[1]]]}, 'task id: "" is empty'),
        ({"\x1b": [[[1]]]}, "holds control characters"),
    ],
)
def test_what_is_no_truth_is_one_line(tmp_path, value, message):
    path = write(tmp_path, value)
    with pytest.raises(TruthError) as caught:
        read_solutions(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).isprintable()
    assert caught.value.exit_code == 3


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(TruthError, match="cannot be read"):
        read_solutions(tmp_path / "none.json")
