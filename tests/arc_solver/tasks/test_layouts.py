"""Every layout in which tasks are published, told apart by content."""

import gzip
import io
import json
import os
import sys
from pathlib import Path

import pytest

from arc_solver.prediction.manifest import source_facts
from arc_solver.storage.text import DataError
from arc_solver.tasks.layouts import solutions_beside
from arc_solver.tasks.reader import read_tasks, read_tasks_softly
from arc_solver.tasks.task import Task

PAIR = {"input": [[1, 2], [3, 4]], "output": [[5]]}
OPEN = {"test": [{"input": [[7]]}, {"input": [[8]]}], "train": [PAIR, PAIR]}
CLOSED = {"train": [PAIR], "test": [PAIR]}
COMBINED = {"b": OPEN, "a": CLOSED, "7": OPEN}


def write(path: Path, value: object) -> Path:
    data = json.dumps(value).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def outputs(task: Task) -> list[object]:
    return [None if pair.output is None else pair.output.tolist() for pair in task.test]


@pytest.mark.parametrize("name", ["x.json", "x.json.gz", "no_suffix"])
def test_a_combined_file_keeps_its_order(tmp_path: Path, name: str) -> None:
    tasks = read_tasks(write(tmp_path / name, COMBINED))
    assert [task.id for task in tasks] == ["b", "a", "7"]
    assert [outputs(task) for task in tasks] == [[None, None], [[[5]]], [None, None]]
    assert tasks[0].train[1].input.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("name", ["00d62c1b.json", "00d62c1b.json.gz", "00d62c1b.gz", "00d62c1b"])
@pytest.mark.parametrize("value", [OPEN, CLOSED, {**CLOSED, "name": "n", "arc-gen": [PAIR]}])
def test_one_task_takes_its_id_from_the_file(tmp_path: Path, name: str, value: object) -> None:
    (task,) = read_tasks(write(tmp_path / name, value))
    assert task.id == "00d62c1b"


def test_zipped_content_is_seen_without_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(gzip.compress(json.dumps(CLOSED).encode()))
    assert [task.id for task in read_tasks(tmp_path / "a.json")] == ["a"]


def test_a_list_of_pairs_has_no_test(tmp_path: Path) -> None:
    path = write(tmp_path / "00d62c1b.json", [PAIR, PAIR, PAIR])
    (task,) = read_tasks(path)
    assert (task.id, len(task.train), task.test) == ("00d62c1b", 3, ())
    write(path, [PAIR, {"input": [[1]]}])
    with pytest.raises(DataError, match=r'task "00d62c1b" pairs\[1\]: no "output"'):
        read_tasks(path)
    tasks, faults = read_tasks_softly(path)
    assert not tasks
    assert faults["00d62c1b"].num_tests == 0


def test_a_folder_is_read_by_id(tmp_path: Path) -> None:
    write(tmp_path / "b.json", OPEN)
    write(tmp_path / "a.json.gz", CLOSED)
    write(tmp_path / "c.json", [PAIR])
    (tmp_path / "README.md").write_text("not a task")
    (tmp_path / "._a.json").write_bytes(b"\x00\x05")
    (tmp_path / "d.json").mkdir()
    assert [task.id for task in read_tasks(tmp_path)] == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"train": 3}', json.dumps({"train": [PAIR]}).encode()])
def test_a_bad_file_in_a_folder_costs_only_itself(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "a.json", CLOSED)
    (tmp_path / "b.json").write_bytes(content)
    write(tmp_path / "c.json", CLOSED)
    with pytest.raises(DataError, match=r"b\.json: "):
        read_tasks(tmp_path)
    tasks, faults = read_tasks_softly(tmp_path)
    assert [task.id for task in tasks] == ["a", "c"]
    assert [(fault.id, fault.num_tests) for fault in faults.values()] == [("b", 1)]


def test_a_folder_must_hold_tasks(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no task files"):
        read_tasks(tmp_path)
    write(tmp_path / "x_challenges.json", COMBINED)
    write(tmp_path / "x_solutions.json", {"b": [[[1]], [[2]]]})
    for read in (read_tasks, read_tasks_softly):
        with pytest.raises(DataError, match="several tasks in one file of a folder"):
            read(tmp_path)


def test_the_same_task_in_two_files(tmp_path: Path) -> None:
    write(tmp_path / "a.json", CLOSED)
    write(tmp_path / "a.json.gz", CLOSED)
    with pytest.raises(DataError, match=r"its id is that of .*a\.json\.gz too"):
        read_tasks(tmp_path)


def test_tasks_called_train_and_test(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", {"train": CLOSED, "test": OPEN})
    assert [task.id for task in read_tasks(path)] == ["train", "test"]
    tasks, faults = read_tasks_softly(write(path, {"train": {"test": []}, "a": CLOSED}))
    assert [task.id for task in tasks] == ["a"]
    assert list(faults) == ["train"]


NOT_TASKS = {
    "version": "2",
    "count": 3,
    "nothing": None,
    "index": ["a", "b"],
    "splits": {"train": ["a"], "test": ["b"]},
    "recipe": {"model": {"width": 8}, "train": {"steps": 3}},
    "ours": {"a": [{"attempt_1": [[0]], "attempt_2": [[0]]}]},
    "solutions": {"a": [[[0]]]},
    "empty": {},
}


@pytest.mark.parametrize("name", NOT_TASKS)
def test_what_is_no_task_is_named_and_passed_over(tmp_path: Path, name: str) -> None:
    """Neither as a key of a file of tasks nor as a file in a folder of tasks is it an entry."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "a.json", CLOSED)
    write(folder / f"{name}.json", NOT_TASKS[name])
    path = write(tmp_path / "tasks.json", {name: NOT_TASKS[name], "a": CLOSED})
    for source, named in ((path, name), (folder, f"{name}.json")):
        heard: list[str] = []
        tasks, faults = read_tasks_softly(source, notice=heard.append)
        assert [task.id for task in tasks] == ["a"]
        assert not faults
        assert heard == [f'{source}: no tasks, skipped: "{named}"']
        assert read_tasks(source) == tasks
    (folder / "a.json").unlink()
    with pytest.raises(DataError):
        read_tasks_softly(folder)


def test_a_file_of_several_tasks_among_tasks_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a.json", CLOSED)
    write(tmp_path / "b.json", COMBINED)
    tasks, faults = read_tasks_softly(tmp_path)
    assert [task.id for task in tasks] == ["a"]
    assert not faults
    with pytest.raises(DataError, match=r"b\.json: several tasks in one file of a folder"):
        read_tasks(tmp_path)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ([{"id": "z", **OPEN}, {"name": "y", **CLOSED}], ["z", "y"]),
        ([{"task_id": "z", "data": OPEN}, {"id": "y", "task": CLOSED}], ["z", "y"]),
        ([OPEN, CLOSED], ["x-0", "x-1"]),
        ([{"id": 7, **OPEN}, {"id": True, **CLOSED}], ["7", "x-1"]),
        ({"data": [{"id": "z", **OPEN}], "version": 1}, ["z"]),
        ({"training": {"b": OPEN}, "evaluation": {"a": CLOSED}}, ["b", "a"]),
        ({"train": {"b": OPEN}, "eval": {"a": CLOSED}}, ["b", "a"]),
        ({"train": {"b": OPEN}, "test": {"a": CLOSED}}, ["b", "a"]),
        ({"train": [{"id": "b", **OPEN}], "test": [{"id": "a", **CLOSED}]}, ["b", "a"]),
        ({"arc": {"training": {"b": OPEN}, "evaluation": {"a": CLOSED}}}, ["b", "a"]),
        ({"b": {"data": OPEN}, "a": {"task": CLOSED}}, ["b", "a"]),
    ],
)
def test_lists_and_splits_of_tasks(tmp_path: Path, value: object, ids: list[str]) -> None:
    tasks = read_tasks(write(tmp_path / "x.json", value))
    assert [task.id for task in tasks] == ids
    assert all(task.train[0].input.tolist() == [[1, 2], [3, 4]] for task in tasks)
    assert read_tasks_softly(tmp_path / "x.json") == (tasks, {})


def test_one_id_for_two_tasks_costs_these_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.json", {"one": {"a": OPEN, "b": OPEN}, "two": {"a": CLOSED, "c": CLOSED, "b": OPEN}}
    )
    tasks, faults = read_tasks_softly(path)
    assert [task.id for task in tasks] == ["b", "c"]
    assert [(fault.id, fault.num_tests) for fault in faults.values()] == [("a", 2)]
    with pytest.raises(DataError, match=r'task "a": the id appears twice'):
        read_tasks(path)


@pytest.mark.parametrize("output", [None, []])
def test_a_test_output_may_be_unknown(tmp_path: Path, output: object) -> None:
    task = {"train": [PAIR], "test": [{"input": [[7]], "output": output}, PAIR]}
    (read,) = read_tasks(write(tmp_path / "x.json", task))
    assert outputs(read) == [None, [[5]]]
    with pytest.raises(DataError, match="train"):
        read_tasks(write(tmp_path / "x.json", {"train": task["test"], "test": [PAIR]}))


def test_folders_in_folders(tmp_path: Path) -> None:
    for group in ("AboveBelow", "Center", ".hidden"):
        (tmp_path / "corpus" / group).mkdir(parents=True)
        for number in (1, 2):
            write(tmp_path / "corpus" / group / f"{group.strip('.')}{number}.json", CLOSED)
    write(tmp_path / "top.json", OPEN)
    wanted = ["AboveBelow1", "AboveBelow2", "Center1", "Center2", "top"]
    assert [task.id for task in read_tasks(tmp_path)] == wanted
    (tmp_path / "copy").mkdir()
    write(tmp_path / "copy" / "top.json", OPEN)
    assert [task.id for task in read_tasks(tmp_path)] == wanted
    write(tmp_path / "copy" / "top.json", CLOSED)
    assert list(read_tasks_softly(tmp_path)[1]) == ["top"]


def test_files_of_a_folder_by_whatever_name(tmp_path: Path) -> None:
    write(tmp_path / "A.JSON", CLOSED)
    write(tmp_path / "own_id.json", {"b": OPEN})
    write(tmp_path / "list.json", [{"id": "c", **CLOSED}])
    assert [task.id for task in read_tasks(tmp_path)] == ["A", "b", "c"]


def test_what_is_no_regular_file_in_a_folder_is_never_opened(tmp_path: Path) -> None:
    write(tmp_path / "a.json", CLOSED)
    os.mkfifo(tmp_path / "b.json")
    (tmp_path / "c.json").symlink_to("/dev/zero")
    (tmp_path / "d.json").symlink_to(tmp_path / "nothing")
    heard: list[str] = []
    tasks, faults = read_tasks_softly(tmp_path, notice=heard.append)
    assert ([task.id for task in tasks], faults) == (["a"], {})
    assert heard == [f'{tmp_path}: no tasks, skipped: "b.json", "c.json", "d.json"']
    assert list(source_facts(str(tmp_path), tasks)["files"]) == ["a.json"]
    with pytest.raises(DataError, match=r"b\.json: no regular file"):
        read_tasks(tmp_path)


@pytest.mark.parametrize(
    "start", [b"PK\x03\x04", b"BZh9", b"\xfd7zXZ", b"version https://git-lfs.github.com"]
)
def test_an_archive_is_named_as_one(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "x.json").write_bytes(start + bytes(100))
    with pytest.raises(DataError, match=r"x\.json: an? .*; (unpack it first|fetch the file)"):
        read_tasks(tmp_path / "x.json")


@pytest.mark.parametrize(
    "data", [json.dumps(COMBINED).encode(), gzip.compress(json.dumps(COMBINED).encode(), mtime=0)]
)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert [task.id for task in read_tasks("-")] == ["b", "a", "7"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{")))
    with pytest.raises(DataError, match=r"^stdin: not JSON"):
        read_tasks("-")


def test_unused_keys_are_named_once(tmp_path: Path) -> None:
    heard: list[str] = []
    task = {**CLOSED, "name": "n", "arc-gen": [1]}
    path = write(tmp_path / "x.json", {"a": task, "b": {**task, "train": [{**PAIR, "\x1b": 1}]}})
    read_tasks(path, notice=heard.append)
    assert heard == [f'{path}: keys not used: "name", "arc-gen", "\\u001b"']
    write(path, {"a": {**CLOSED, **dict.fromkeys(map(str, range(1000)))}})
    read_tasks(path, notice=heard.append)
    assert heard[1].endswith('"7" and 992 more')
    assert len(heard) == 2


def test_solutions_are_read_only_on_request(tmp_path: Path) -> None:
    path = write(tmp_path / "x_challenges.json", {"b": OPEN, "a": CLOSED})
    truth = write(tmp_path / "x_solutions.json", {"b": [[[1]], [[2]]], "a": [[[5]]], "other": [[[0]]]})
    assert solutions_beside(path) == truth
    assert outputs(read_tasks(path)[0]) == [None, None]
    assert outputs(read_tasks_softly(path)[0][0]) == [None, None]
    for tasks in (read_tasks(path, with_solutions=True), read_tasks(path, solutions=truth)):
        assert [outputs(task) for task in tasks] == [[[[1]], [[2]]], [[[5]]]]
    truth.unlink()
    assert solutions_beside(path) is None
    assert outputs(read_tasks(path, with_solutions=True)[0]) == [None, None]


@pytest.mark.parametrize(
    ("solutions", "reason"),
    [
        ({"b": [[[1]]]}, 'task "b": 1 answer, expected 2'),
        ({"b": [[[1]], [[1, 2], [3]]]}, r'task "b"\[1\] row 1: length 1, expected 2'),
        ({"b": 3}, 'task "b": a number, expected a list of grids'),
        ({"a": [[[6]]]}, r'task "a"\[0\]: not the output that the task file gives'),
        ([], "a list, expected an object of task ids"),
        ({"b": [[[float("nan")]], [[1]]]}, r"b\[0\]\[0\]\[0\]: NaN is not a JSON number"),
    ],
)
def test_bad_solutions(tmp_path: Path, solutions: object, reason: str) -> None:
    path = write(tmp_path / "x_challenges.json", {"b": OPEN, "a": CLOSED})
    truth = write(tmp_path / "truth.json", solutions)
    with pytest.raises(DataError, match=reason) as caught:
        read_tasks(path, solutions=truth)
    assert "truth.json: " in str(caught.value)
