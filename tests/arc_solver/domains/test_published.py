import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arc_solver.corpus.corpus import read_corpus
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.domains import domain_of
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.protocols import Reading
from arc_solver.domains.published_content import (
    arc_from_published,
    maze_from_published,
    sudoku_from_published,
)
from arc_solver.domains.published_npy import ARRAYS, read_published
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.storage.text import DataError
from arc_solver.tasks.task import Pair, Task
from augment.grid import Grid
from augment.view import View
from tests.fuzz.damage import hangs_are_seen

Example = tuple[np.ndarray, np.ndarray]


def write_set(folder: Path, groups: list[list[tuple[int, list[Example]]]], name: str = "all") -> None:
    """A set of groups of puzzles, each an identifier and its examples, as the published builders store it."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list] = {array: [] for array in ARRAYS}
    found["puzzle_indices"].append(0)
    found["group_indices"].append(0)
    for group in groups:
        for identifier, examples in group:
            for question, answer in examples:
                found["inputs"].append(question)
                found["labels"].append(answer)
            found["puzzle_identifiers"].append(identifier)
            found["puzzle_indices"].append(len(found["inputs"]))
        found["group_indices"].append(len(found["puzzle_identifiers"]))
    for array, values in found.items():
        kind = np.int32 if "_i" in array else np.uint8
        np.save(folder / f"{name}__{array}.npy", np.array(values, kind))


def write_meta(folder: Path, length: int, vocabulary: int, sets: tuple[str, ...] = ("all",)) -> None:
    meta = {"seq_len": length, "vocab_size": vocabulary, "pad_id": 0, "ignore_label_id": 0, "sets": sets}
    (folder / "dataset.json").write_text(json.dumps(meta))


def write_boards(folder: Path, boards: BoardSet, vocabulary: int) -> None:
    """Every board with one view (here: all cells reversed) behind it."""
    groups = [
        [(0, [(q + np.uint8(1), a + np.uint8(1))]), (0, [(q[::-1] + np.uint8(1), a[::-1] + np.uint8(1))])]
        for q, a in zip(boards.questions, boards.answers, strict=True)
    ]
    write_set(folder / "train", groups)
    write_meta(folder / "train", boards.questions.shape[1], vocabulary)
    (folder / "identifiers.json").write_text('["<blank>"]')


def sudoku_folder(folder: Path) -> BoardSet:
    boards = generate_sudoku(5, 9, np.random.default_rng(0))
    write_boards(folder, boards, 11)
    return boards


def on_canvas(grid: Grid, row: int = 0, column: int = 0) -> np.ndarray:
    canvas = np.zeros((30, 30), np.uint8)
    bottom, right = row + grid.shape[0], column + grid.shape[1]
    canvas[row:bottom, column:right] = grid + 2
    if bottom < 30:
        canvas[bottom, column:right] = 1
    if right < 30:
        canvas[row:bottom, right] = 1
    return canvas.ravel()


def random_tasks(num: int, rng: np.random.Generator) -> list[Task]:
    def pair() -> Pair:
        shapes = rng.integers(1, 31, (2, 2))
        return Pair(*(rng.integers(0, 10, shape, dtype=np.uint8) for shape in shapes))

    return [Task(f"task {n}", tuple(pair() for _ in range(3)), (pair(),)) for n in range(num)]


def arc_folder(
    folder: Path, tasks: list[Task], rng: np.random.Generator, form: str = "{}|||t{}|||{}"
) -> None:
    """Demonstrations of a task and of one view of it, moved about together, and test pairs that stay."""

    def moved(pair: Pair) -> Example:
        sides = np.maximum(pair.input.shape, pair.output.shape)
        row, column = (int(rng.integers(0, 31 - side)) for side in sides)
        return on_canvas(pair.input, row, column), on_canvas(pair.output, row, column)

    names, train, test = ["<blank>"], [], []
    for task in tasks:
        view = View(3, (0, 2, 1, *range(3, 10)))
        names += [task.id, form.format(task.id, 3, "".join(map(str, view.colors)))]
        seen = [Pair(view.apply(p.input), view.apply(p.output)) for p in task.train]
        group = [(len(names) - 2, list(map(moved, task.train))), (len(names) - 1, list(map(moved, seen)))]
        train.append(group)
        test.append([(len(names) - 2, [(on_canvas(p.input), on_canvas(p.output)) for p in task.test])])
    for name, groups in (("train", train), ("test", test)):
        write_set(folder / name, groups)
        write_meta(folder / name, 900, 12)
    (folder / "identifiers.json").write_text(json.dumps(names))


def test_sudokus_come_back_without_their_views(tmp_path: Path) -> None:
    boards = sudoku_folder(tmp_path)
    data = read_published(tmp_path)
    assert len(data.splits["train"].inputs) == 10
    read = sudoku_from_published(data, "train")
    assert (read.questions == boards.questions).all()
    assert (read.answers == boards.answers).all()
    assert (read.kind, read.ratings.tolist()) == ("sudoku", [-1] * 5)
    with pytest.raises(DataError, match=r': no split "test"; there is train$'):
        sudoku_from_published(data, "test")
    with pytest.raises(DataError, match="81 cells and 11 tokens, expected square mazes"):
        maze_from_published(data, "train")


def test_mazes_come_back_without_their_views(tmp_path: Path) -> None:
    mazes = generate_mazes(4, 10, np.random.default_rng(0))
    write_boards(tmp_path, mazes, 6)
    read = maze_from_published(read_published(tmp_path), "train")
    assert (read.questions == mazes.questions).all()
    assert (read.answers == mazes.answers).all()
    with pytest.raises(DataError, match="100 cells and 6 tokens, expected Sudokus of side 4, 6 or 9"):
        sudoku_from_published(read_published(tmp_path), "train")


def test_arc_tasks_come_back_from_wherever_they_were_put(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tasks = random_tasks(6, rng)
    arc_folder(tmp_path, tasks, rng)
    data = read_published(tmp_path)
    assert len(data.splits["train"].inputs) == 36
    assert arc_from_published(data) == tasks


@pytest.mark.parametrize("form", ["{}|||t{}|||{}", "{}_t{}_{}"])
@pytest.mark.parametrize("name", ["{}", "{}_t3_0614732958", "{}|||x", "a_t{}"])
def test_views_of_both_forms_are_no_tasks(name: str, form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tasks = [Task(name.format(n), task.train, task.test) for n, task in enumerate(random_tasks(3, rng))]
    arc_folder(tmp_path, tasks, rng, form)
    assert arc_from_published(read_published(tmp_path)) == tasks
    assert len(read_corpus([tmp_path]).material) == 3


def test_numbers_of_any_width_and_order_are_read(tmp_path: Path) -> None:
    boards = sudoku_folder(tmp_path)
    for name, kind in (("inputs", np.int64), ("labels", ">i2"), ("puzzle_indices", ">u8")):
        path = tmp_path / "train" / f"all__{name}.npy"
        np.save(path, np.asfortranarray(np.load(path).astype(kind)))
    read = sudoku_from_published(read_published(tmp_path), "train")
    assert (read.questions == boards.questions).all()
    assert (read.answers == boards.answers).all()


def test_sets_are_joined_and_dataset_json_may_stand_above(tmp_path: Path) -> None:
    boards = sudoku_folder(tmp_path)
    more = generate_sudoku(3, 9, np.random.default_rng(1))
    write_set(
        tmp_path / "train",
        [
            [(0, [(q + np.uint8(1), a + np.uint8(1))])]
            for q, a in zip(more.questions, more.answers, strict=True)
        ],
        "more",
    )
    (tmp_path / "train" / "dataset.json").unlink()
    write_meta(tmp_path, 81, 11, ("all", "more"))
    read = sudoku_from_published(read_published(tmp_path), "train")
    assert (read.questions == np.concatenate([boards.questions, more.questions])).all()


def save(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "train" / f"all__{name}.npy"
        np.save(path, change(np.load(path)))

    return damage


def meta(**fields: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "train" / "dataset.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return damage


def put(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(data) and None


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (
            lambda folder: (folder / "identifiers.json").unlink(),
            "identifiers.json: cannot be read: No such file",
        ),
        (put("identifiers.json", b"[1]"), "identifiers.json: expected a list of names"),
        (put("identifiers.json", b"["), "identifiers.json: not JSON: "),
        (put("identifiers.json", b"\xff"), "identifiers.json: not JSON: "),
        (put("identifiers.json", b"[" * 100_000), "identifiers.json: not JSON: "),
        (put("train/dataset.json", b"[]"), "dataset.json: seq_len None, expected 1 to 16384"),
        (meta(seq_len=True), "dataset.json: seq_len True, expected"),
        (meta(seq_len=80), "all__inputs.npy: shape (10, 81), expected (10, 80)"),
        (meta(vocab_size=10), "all__inputs.npy: values 1 to 10, expected 0 to 9"),
        (meta(vocab_size=1000), "dataset.json: vocab_size 1000, expected 2 to 256"),
        (meta(sets=["../../all"]), "dataset.json: sets ['../../all'], expected a list of names"),
        (meta(sets=["some"]), "some__inputs.npy: cannot be read: No such file"),
        (put("train/all__inputs.npy", b"no array"), "all__inputs.npy: not an npy array: "),
        (put("train/all__inputs.npy", b""), "all__inputs.npy: not an npy array: "),
        (save("inputs", lambda a: a.astype(np.float32)), "all__inputs.npy: float32, expected integers"),
        (save("labels", lambda a: a[:-1]), "all__labels.npy: shape (9, 81), expected (10, 81)"),
        (
            save("labels", lambda a: a.astype(np.int64) - 3),
            "all__labels.npy: values -1 to 7, expected 0 to 10",
        ),
        (save("puzzle_identifiers", lambda a: a + 1), "identifiers.npy: values 1 to 1, expected 0 to 0"),
        (
            save("puzzle_identifiers", lambda a: a[None]),
            "identifiers.npy: shape (1, 10), expected one dimension",
        ),
        (save("puzzle_indices", lambda a: a[:-1]), "expected 11 places rising from 0 to 10"),
        (save("puzzle_indices", lambda a: a[::-1]), "indices.npy: 10 to 0, expected 11 places rising"),
        (
            save("group_indices", lambda a: a * 2),
            "group_indices.npy: 0 to 20, expected places rising from 0 to 10",
        ),
    ],
)
def test_damage_is_named_in_one_line(tmp_path: Path, damage: Callable[[Path], None], text: str) -> None:
    sudoku_folder(tmp_path)
    damage(tmp_path)
    with pytest.raises(DataError) as caught:
        read_published(tmp_path)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def header(text: str, data: bytes = b"", version: bytes = b"\x01\x00") -> Callable[[Path], None]:
    """An npy file of that header."""
    size = len(text).to_bytes(2 if version[0] == 1 else 4, "little")
    return put("train/all__inputs.npy", b"\x93NUMPY" + version + size + text.encode("latin-1") + data)


HEADERS = {
    "more numbers than bytes": header("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 81), }"),
    "numbers beyond all": header(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1180591620717411303424, 81), }"
    ),
    "none of numbers beyond all": header(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1180591620717411303424, 0)}"
    ),
    "a negative side": header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 81), }"),
    "no sides": header("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", b"\1"),
    "a side that is true": header("{'descr': '|u1', 'fortran_order': False, 'shape': (True, 81), }"),
    "a call": header("{'descr': '|u1', 'fortran_order': False, 'shape': (len('a'), 81), }"),
    "fields": header("{'descr': [('a', '<i4'), ('b', '<i4')], 'fortran_order': False, 'shape': (10,), }"),
    "an unknown type": header("{'descr': '<i3', 'fortran_order': False, 'shape': (10, 81), }"),
    "texts": header("{'descr': '<U9', 'fortran_order': False, 'shape': (10, 81), }"),
    "no type": header("{'fortran_order': False, 'shape': (10, 81), }"),
    "the type thrice": header("{'descr': '|u1', 'descr': '|u1', 'descr': '|u1'}"),
    "deep": header("(" * 3000),
    "open": header("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 81"),
    "not ASCII": header("{'d\xe9scr': '|u1'}"),
    "longer than the file": put("train/all__inputs.npy", b"\x93NUMPY\x01\x00\xff\xff{"),
    "4 GB long": put("train/all__inputs.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"),
    "of a later version": header(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", b"\1", b"\x09\x00"
    ),
    "an archive": put("train/all__inputs.npy", b"PK\x03\x04" + bytes(100)),
    "a pointer": put("train/all__inputs.npy", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_hostile_header_is_one_line_that_names_the_file(name: str, tmp_path: Path) -> None:
    sudoku_folder(tmp_path)
    HEADERS[name](tmp_path)
    with hangs_are_seen(), pytest.raises(DataError) as caught:
        read_published(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/train/all__inputs.npy: ")
    assert str(caught.value).isprintable()
    assert ("git lfs pull" in str(caught.value)) == (name == "a pointer")


NAMES = ("identifiers.json", "train/dataset.json", "train/all__inputs.npy", "train/all__group_indices.npy")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_named_and_not_waited_for(name: str, kind: str, tmp_path: Path) -> None:
    sudoku_folder(tmp_path)
    path = tmp_path / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR)  # so that a reader who opens it would wait for bytes, not for ever
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    try:
        with hangs_are_seen(5), pytest.raises(DataError) as caught:
            read_corpus([tmp_path])
    finally:
        if kind == "pipe":
            os.close(writer)
    assert str(caught.value).startswith(f"{path}: ")
    assert "expected a regular file" in str(caught.value)


@pytest.mark.parametrize("sets", [["all"] * 2, ["all"] * 3000, [f"set{n}" for n in range(3000)]])
def test_sets_without_end_are_refused_before_any_is_read(sets: list[str], tmp_path: Path) -> None:
    sudoku_folder(tmp_path)
    meta(sets=sets)(tmp_path)
    with pytest.raises(DataError, match=f"{len(sets)} sets, expected at most 64 different ones"):
        read_published(tmp_path)


def test_an_array_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    sudoku_folder(tmp_path)
    touched = tmp_path / "touched"

    class Payload:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return Path.touch, (touched,)

    np.save(tmp_path / "train" / "all__inputs.npy", np.array([Payload()], object), allow_pickle=True)
    with pytest.raises(DataError, match="not an npy array: "):
        read_published(tmp_path)
    assert not touched.exists()


def test_a_folder_without_splits_is_refused(tmp_path: Path) -> None:
    put("identifiers.json", b'["<blank>"]')(tmp_path)
    with pytest.raises(DataError, match='no folder "train" or "test" in it'):
        read_published(tmp_path)


def test_canvases_that_hold_no_grid_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arc_folder(tmp_path, random_tasks(1, rng), rng)
    for tokens, text in ((0, "no colors on the canvas"), (1, "no rectangle")):
        canvas = np.zeros((1, 30, 30), np.uint8)
        canvas[0, [3, 5], [4, 6]] = 5 * tokens
        np.save(tmp_path / "test" / "all__labels.npy", canvas.reshape(1, 900))
        with pytest.raises(DataError, match=f'test example 0 of "task 0": .*{text}'):
            arc_from_published(read_published(tmp_path))


def test_boards_with_padding_are_refused(tmp_path: Path) -> None:
    sudoku_folder(tmp_path)
    path = tmp_path / "train" / "all__labels.npy"
    labels = np.load(path)
    labels[0, 3] = 0
    np.save(path, labels)
    with pytest.raises(DataError, match="cells without a digit"):
        sudoku_from_published(read_published(tmp_path), "train")


def test_a_published_folder_is_training_data(tmp_path: Path) -> None:
    boards = sudoku_folder(tmp_path)
    corpus = read_corpus([tmp_path])
    assert (corpus.domain.name, len(corpus.material)) == ("sudoku", 5)
    assert np.array_equal(corpus.material.answers, boards.answers)
    (tmp_path / "train" / "dataset.json").write_text("{}")
    with pytest.raises(DataError):
        read_corpus([tmp_path])


def test_a_published_folder_is_answered_and_scored(tmp_path: Path) -> None:
    """Of boards the split "test" where there is one; of tasks those that ask for something."""

    def read(name: str) -> Any:
        source = str(tmp_path / name)
        return domain_of(source).read(source, Reading(), lambda _: None)[0]

    boards = sudoku_folder(tmp_path / "boards")
    held_out = generate_sudoku(3, 9, np.random.default_rng(1))
    write_boards(tmp_path / "other", held_out, 11)
    assert np.array_equal(read("boards").answers, boards.answers)
    (tmp_path / "other" / "train").rename(tmp_path / "boards" / "test")
    assert np.array_equal(read("boards").questions, held_out.questions)
    rng = np.random.default_rng(0)
    tasks = random_tasks(3, rng)
    blank = Pair(tasks[0].test[0].input, np.zeros((1, 1), np.uint8))
    tasks[0] = Task(tasks[0].id, tasks[0].train, (blank,))
    arc_folder(tmp_path / "arc", tasks, rng)
    found = read("arc")
    assert list(found[1:]) == tasks[1:]
    assert found[0].test == (Pair(blank.input, None),)
