"""What is refused, in which words, and what one bad task costs the others."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arc_solver.storage.json_reader import MAX_BYTES
from arc_solver.storage.text import DataError
from arc_solver.tasks.reader import read_tasks, read_tasks_softly
from arc_solver.tasks.task import Pair, Task, task_hash

PAIR = '{"input": [[1, 2], [3, 4]], "output": [[5]]}'
TASK = f'{{"train": [{PAIR}], "test": [{{"input": [[7]]}}]}}'


def refusal(path: Path, data: str | bytes, *, lenient: bool = False) -> str:
    """The one line with which the file is refused, without the folder."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(DataError) as caught:
        read_tasks(path, lenient=lenient)
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert text.isprintable(), text
    assert len(text) < 600, text
    return text.replace(f"{path.parent}/", "")


def with_grid(grid: str, place: str = "train") -> str:
    return TASK.replace("[[5]]" if place == "train" else "[[7]]", grid)


BAD_GRIDS = {
    "[[1,2],[3]]": "row 1: length 1, expected 2",
    "[[1,2],3]": "row 1: int, expected a list of colors",
    "[]": ": 0 rows, expected 1 to 30",
    "[[]]": ": 0 columns, expected 1 to 30",
    json.dumps([[0]] * 31): ": 31 rows, expected 1 to 30",
    json.dumps([[0] * 31]): ": 31 columns, expected 1 to 30",
    "[[true]]": "row 0 column 0: True, expected a color 0..9",
    "[[0, 1.0]]": "row 0 column 1: 1.0, expected a color 0..9",
    '[["1"]]': "row 0 column 0: '1', expected a color 0..9",
    "[[null]]": "row 0 column 0: None, expected a color 0..9",
    "[[10]]": "row 0 column 0: 10, expected a color 0..9",
    "[[-1]]": "row 0 column 0: -1, expected a color 0..9",
    "[[[1]]]": "row 0 column 0: [1], expected a color 0..9",
    "[[1],[2],[[]]]": "row 2 column 0: [], expected a color 0..9",
    "null": ": NoneType, expected a list of rows",
    "5": ": int, expected a list of rows",
    '"5"': ": str, expected a list of rows",
    "{}": ": dict, expected a list of rows",
    "[[NaN]]": "[0][0]: NaN is not a JSON number",
    "[[-Infinity]]": "[0][0]: -Infinity is not a JSON number",
    "[[1e999]]": "[0][0]: the number 1e999 is too large",
    f"[[{'9' * 19}]]": "[0][0]: an integer of 19 digits is too large",
    f"[[{'9' * 5000}]]": "[0][0]: an integer of 5000 digits is too large",
    "[[[[[1]]]]]": "[0][0][0][0]: nested deeper than 8",
}


@pytest.mark.parametrize("grid", BAD_GRIDS)
def test_bad_grids_are_named_by_task_pair_and_row(tmp_path: Path, grid: str) -> None:
    text = f'{{"a": {TASK}, "00d62c1b": {with_grid(grid)}}}'
    space = "" if BAD_GRIDS[grid][0] in ":[" else " "
    wanted = f'tasks.json: task "00d62c1b" train[0].output{space}{BAD_GRIDS[grid]}'
    assert refusal(tmp_path / "tasks.json", text) == wanted


def test_the_example_of_the_format(tmp_path: Path) -> None:
    ragged = [[0] * 7] * 4 + [[0] * 5]
    pairs = [{"input": [[0]], "output": [[0]]}] * 2 + [{"input": ragged, "output": [[0]]}]
    text = json.dumps({"00d62c1b": {"train": pairs, "test": [{"input": [[0]]}]}})
    wanted = 'tasks.json: task "00d62c1b" train[2].input row 4: length 5, expected 7'
    assert refusal(tmp_path / "tasks.json", text) == wanted


BAD_TASKS = {
    '{"train": []}': 'no "test"',
    '{"test": []}': 'no "train"',
    '{"train": [], "test": []}': "train: empty, expected at least one pair",
    f'{{"train": [{PAIR}], "test": []}}': "test: empty",
    f'{{"train": {PAIR}, "test": []}}': "train: an object, expected a list of pairs",
    f'{{"train": [{PAIR}], "test": null}}': "test: null, expected a list",
    f'{{"train": [4], "test": [{PAIR}]}}': "train[0]: a number, expected an object",
    f'{{"train": [{{"input": [[1]]}}], "test": [{PAIR}]}}': 'train[0]: no "output"',
    f'{{"train": [{PAIR}], "test": [{{"output": [[1]]}}]}}': 'test[0]: no "input"',
    f'{{"train": [{PAIR}], "train": [{PAIR}], "test": [{PAIR}]}}': "train: the key appears twice",
    f'{{"train": [{PAIR}], "test": [{{"input": [[1]], "input": [[1]]}}]}}': "test[0].input: the key appears",
    f'{{"train": [{PAIR}], "test": [{PAIR}], "name": {{"k": 1, "k": 1}}}}': "name.k: the key appears twice",
    f'{{"train": [{PAIR}], "test": [{PAIR}], "name": "\\ud800"}}': "name: a lone surrogate in a text",
    f'{{"train": [{PAIR}], "test": [{PAIR}], "\\udfff": 1}}': "a lone surrogate in a text",
    f'{{"train": [{PAIR}], "test": [{PAIR}], "name": [NaN]}}': "name[0]: NaN is not a JSON number",
    f'{{"train": [{PAIR}], "test": [{PAIR}], "name": [[[[[[[]]]]]]]}}': ": nested deeper than 8",
    f'{{"train": [{PAIR}], "test": [{PAIR}], "name": {"[" * 99999}{"]" * 99999}}}': ": nested deeper than 8",
}


@pytest.mark.parametrize("task", BAD_TASKS, ids=range(len(BAD_TASKS)))
def test_bad_tasks_cost_only_themselves(tmp_path: Path, task: str) -> None:
    path, good = tmp_path / "tasks.json", tmp_path / "good.json"
    text = refusal(path, f'{{"one": {TASK}, "bad": {task}, "two": {TASK}}}')
    assert text.startswith('tasks.json: task "bad"')
    assert BAD_TASKS[task] in text
    good.write_text(f'{{"one": {TASK}, "two": {TASK}}}')
    tasks, faults = read_tasks_softly(path)
    assert tasks == read_tasks(good)
    assert list(faults) == ["bad"]
    assert faults["bad"].text == text.replace("tasks.json", str(path), 1)
    assert faults["bad"].num_tests == owed(task)


def owed(task: str) -> int:
    value = json.loads(task) if "99999" not in task and len(task) < 9999 else {"test": [1]}
    test = value.get("test") if isinstance(value, dict) else None
    return len(test) if isinstance(test, list) else 1


BAD_IDS = {
    "": "the id is empty",
    "x" * 129: "an id of 129 characters",
    "a\\u0000b": "a control character",
    "a\\nb": "a control character",
    "\\u001b[31mred": "a control character",
    "\\u009b31m": "a control character",
    "\\ud800": "lone surrogate",
}


@pytest.mark.parametrize("task_id", BAD_IDS, ids=range(len(BAD_IDS)))
def test_bad_ids(tmp_path: Path, task_id: str) -> None:
    text = f'{{"{task_id}": {TASK}, "good": {TASK}}}'
    assert BAD_IDS[task_id] in refusal(tmp_path / "tasks.json", text)
    tasks, faults = read_tasks_softly(tmp_path / "tasks.json")
    assert [task.id for task in tasks] == ["good"]
    assert [fault.num_tests for fault in faults.values()] == [0 if "ud800" in task_id else 1]


@pytest.mark.parametrize(
    "task_id", ["train", "../../etc/passwd", "<script>", "x" * 128, "задача 7", "\u202eid"]
)
def test_any_other_text_is_an_id(tmp_path: Path, task_id: str) -> None:
    (tmp_path / "tasks.json").write_text(f"{{{json.dumps(task_id)}: {TASK}}}")
    assert [task.id for task in read_tasks(tmp_path / "tasks.json")] == [task_id]


def test_a_task_given_twice(tmp_path: Path) -> None:
    longer = TASK.replace('{"input": [[7]]}', f"{PAIR}, {PAIR}")
    text = f'{{"a": {TASK}, "b": {TASK}, "a": {longer}}}'
    assert refusal(tmp_path / "tasks.json", text) == 'tasks.json: task "a": the key appears twice'
    tasks, faults = read_tasks_softly(tmp_path / "tasks.json")
    assert [task.id for task in tasks] == ["b"]
    assert faults["a"].num_tests == 2


BAD_FILES: dict[bytes, str] = {
    b"": "empty",
    b"{}": "empty, expected tasks",
    b"[]": "empty, expected tasks",
    b"[[[1]]]": "a list without pairs, expected tasks",
    b"hello\n": "neither tasks nor boards; tasks are JSON",
    b"<!DOCTYPE html>": "neither tasks nor boards; tasks are JSON",
    b"\x80\x02": "neither tasks nor boards (not UTF-8 at byte 0); tasks are JSON",
    b"7": "a number, expected an object of tasks",
    b"NaN": "NaN is not a JSON number",
    b"[NaN]": "[0]: NaN is not a JSON number",
    b'{"a": [[[1]]]}': "as in a solutions file; give the challenges file",
    TASK[:-5].encode(): "not JSON: line 1 column",
    b"\xef\xbb\xbf" + TASK.encode(): "starts with a byte order mark",
    TASK.encode("utf-16"): "not UTF-8 at byte 0",
    b'{"\xff": 1}': "not UTF-8 at byte 2",
    b'{"\xed\xa0\x80": 1}': "not UTF-8 at byte 2",
    b"[" * 1_000_000: "nested deeper than 8",
    b'{"a":' * 100_000: "nested deeper than 8",
    b"[" * 9 + b"]" * 9: "nested deeper than 8",
    b"[" + b"[[[[[[[[[]]]]]]]]]," * 10_001 + b"1]": "nested deeper than 8 in more than 10000 places",
    gzip.compress(TASK.encode(), mtime=0)[:-9]: "damaged gzip file",
    gzip.compress(bytes(MAX_BYTES + 1), mtime=0): "larger than 64 MB",
}


@pytest.mark.parametrize("data", BAD_FILES, ids=range(len(BAD_FILES)))
def test_bad_files_are_refused_as_a_whole(tmp_path: Path, data: bytes) -> None:
    text = refusal(tmp_path / "tasks.json", data)
    assert text.startswith("tasks.json: ")
    assert BAD_FILES[data] in text
    with pytest.raises(DataError, match=re.escape(BAD_FILES[data])):
        read_tasks_softly(tmp_path / "tasks.json")


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with (tmp_path / "tasks.json").open("wb") as stream:
        stream.truncate(10 * MAX_BYTES)
    with pytest.raises(DataError, match="larger than 64 MB"):
        read_tasks(tmp_path / "tasks.json")


@pytest.mark.parametrize("name", ["missing.json", "\x00", "\x1b[31m.json"])
def test_a_missing_file_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_tasks(tmp_path / name)
    assert str(caught.value).isprintable()


def test_hostile_names_are_printed_inert(tmp_path: Path) -> None:
    hostile = '\\u001b]0;x\\u0007\\"\\u202e' + "y" * 5000
    task = f'{{"train": [{PAIR}], "test": [{PAIR}], "{hostile}": NaN}}'
    assert "is not a JSON number" in refusal(tmp_path / "tasks.json", f'{{"a": {task}}}')
    assert "characters" in refusal(tmp_path / "tasks.json", f'{{"{hostile}": {TASK}}}')
    cell = with_grid(f'[["{hostile}"]]')
    assert "expected a color" in refusal(tmp_path / "tasks.json", f'{{"a": {cell}}}')


def test_lenient_reads_digits_written_as_text_and_says_so(tmp_path: Path) -> None:
    path, heard = tmp_path / "tasks.json", list[str]()
    path.write_text(f'{{"a": {with_grid("""[["3", 0], [1, "9"]]""")}}}')
    (task,) = read_tasks(path, lenient=True, notice=heard.append)
    assert task.train[0].output is not None
    assert task.train[0].output.tolist() == [[3, 0], [1, 9]]
    assert heard == [f"{path}: 2 cells written as text were read as numbers"]
    assert read_tasks_softly(path, lenient=True) == ([task], {})


def test_lenient_reads_rows_of_text(tmp_path: Path) -> None:
    text = f'{{"a": {with_grid("""["30", "1 9"]""")}}}'
    assert refusal(tmp_path / "tasks.json", text).endswith("; --lenient reads digits written as text")
    (task,) = read_tasks(tmp_path / "tasks.json", lenient=True)
    assert task.train[0].output is not None
    assert task.train[0].output.tolist() == [[3, 0], [1, 9]]


@pytest.mark.parametrize("cell", ['"10"', '""', '"x"', '"²"', '"٣"', "true", "1.0", "null", '["3"]'])
def test_lenient_takes_nothing_else(tmp_path: Path, cell: str) -> None:
    text = refusal(tmp_path / "tasks.json", f'{{"a": {with_grid(f"[[{cell}]]")}}}', lenient=True)
    assert "row 0 column 0" in text


@st.composite
def grids(draw: st.DrawFn) -> list[list[int]]:
    height, width = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    cells = draw(st.binary(min_size=height * width, max_size=height * width))
    return [[cell % 10 for cell in cells[row * width : (row + 1) * width]] for row in range(height)]


PAIRS = st.lists(st.fixed_dictionaries({"input": grids(), "output": grids()}), min_size=1, max_size=3)
IDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=128)


@settings(max_examples=30)
@given(st.dictionaries(IDS, st.fixed_dictionaries({"train": PAIRS, "test": PAIRS}), min_size=1, max_size=3))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("round") / "tasks.json"
    path.write_text(json.dumps(content))
    assert {task.id: as_json(task) for task in read_tasks(path)} == content
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    tasks, faults = read_tasks_softly(path)
    assert {task.id: as_json(task) for task in tasks} == content
    assert not faults


def as_json(task: Task) -> dict[str, object]:
    def pairs(some: tuple[Pair, ...]) -> list[dict[str, object]]:
        return [{"input": pair.input.tolist(), "output": np.asarray(pair.output).tolist()} for pair in some]

    return {"train": pairs(task.train), "test": pairs(task.test)}


def test_values_are_equal_by_content_and_cannot_be_written() -> None:
    grid = np.array([[1, 2], [3, 4]], np.uint8)
    pair, same = Pair(grid, None), Pair(grid.copy(), None)
    assert pair == same
    assert hash(pair) == hash(same)
    assert pair != Pair(grid, grid)
    assert pair != Pair(grid.reshape(4, 1), None)
    assert not pair.input.flags.writeable
    assert grid.flags.writeable


def test_the_hash_is_of_the_demonstrations_alone() -> None:
    wide, tall = np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)
    known = Task("a", (Pair(wide, wide),), (Pair(wide, None),))
    assert task_hash(known) == task_hash(Task("b", known.train, ()))
    assert task_hash(known) != task_hash(Task("a", (Pair(wide, tall),), known.test))
    assert task_hash(known) != task_hash(Task("a", (*known.train, *known.train), known.test))
    assert re.fullmatch("[0-9a-f]{32}", task_hash(known))
