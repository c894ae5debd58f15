"""An answer forms before one's eyes: boards and tasks, by every name, in a terminal and as a picture."""

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arc_solver.commands.source import read_source
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.tasks.task import Task
from tests.arc_solver.terminal import Terminal, challenges, solutions, write

EASY = "1.34341.21.343.1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def read(source: str) -> list[Task] | BoardSet:
    found, faults = read_source(source)
    assert not faults
    return found


def frames_of(path: Path) -> list[Any]:
    image = pytest.importorskip("PIL.Image")
    sequence = pytest.importorskip("PIL.ImageSequence")
    with image.open(io.BytesIO(path.read_bytes())) as picture:
        return [frame.convert("RGB").size for frame in sequence.Iterator(picture)]


def sudoku_line(arc_solve: Terminal, folder: Path) -> tuple[str, str]:
    """A question and its answer."""
    arc_solve("generate", "sudoku", "--num", "1", "--side", "4", "--seed", "5", "--out", "s4.csv", "--quiet")
    row = (folder / "s4.csv").read_text().splitlines()[1].split(",")
    return row[1], row[2]


def test_a_sudoku_as_characters_is_watched_with_the_shipped_weights(
    arc_solve: Terminal, folder: Path
) -> None:
    question, answer = sudoku_line(arc_solve, folder)
    shown = arc_solve("watch", question, "--threads", "1")
    assert (shown.code, "\x1b" in shown.out) == (0, False)
    ages = re.findall(r"^age (\d+) of (\d+)$", shown.out, re.MULTILINE)
    assert [int(age) for age, _ in ages] == list(range(1, int(ages[-1][1]) + 1))
    assert "keeps the rules" in shown.out
    last = shown.out.rpartition("\nage ")[2]
    digits = [re.sub(r"[^0-9]", "", line.partition("  |")[2]) for line in last.splitlines() if "|" in line]
    assert "".join(digits) == answer
    for source in (["--tasks", question], ["s4.csv"], ["--tasks", "s4.csv", "--id", "1"]):
        again = arc_solve("watch", *source, "--threads", "1").out
        assert again.startswith(shown.out.rstrip("\n")), source


def test_boards_as_pictures_have_a_frame_for_every_age(arc_solve: Terminal, folder: Path) -> None:
    arc_solve("generate", "maze", "--num", "2", "--side", "9", "--out", "m.csv", "--quiet")
    listed = arc_solve("watch", "m.csv", "--id", "2", "--ages", "3", "--threads", "1")
    num = len(re.findall(r"^(?:.*, )?age |gave this answer|^the answer", listed.out, re.MULTILINE))
    drawn = arc_solve("watch", "m.csv", "--id", "2", "--ages", "3", "--threads", "1", "--out", "m.gif")
    assert (drawn.code, drawn.out) == (0, "m.gif\n")
    sizes = frames_of(folder / "m.gif")
    assert len(sizes) == num
    assert len(set(sizes)) == 1
    assert arc_solve("watch", "m.csv", "--ages", "1", "--out", "m.png", "--quiet").err == ""
    assert len(frames_of(folder / "m.png")) == 1


def test_a_task_is_learned_asked_under_its_views_and_voted_on(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "x_challenges.json", challenges())
    write(folder / "x_solutions.json", solutions())
    shown = arc_solve(
        *("watch", "x_challenges.json", "--id", "task-1", "--index", "1"),
        *("--adapt-steps", "20", "--views", "3", "--threads", "1", "--seed", "2"),
    )
    assert shown.code == 0, shown.err
    assert "new to the weights" in shown.err
    for text in ("train 3", "before learning", "learning, 20 steps: step 18", "view 1 of 3: as it stands"):
        assert text in shown.out
    for text in ("view 3 of 3", "turned back", "the vote of 3 views", "truth", "test input 2"):
        assert text in shown.out
    assert shown.out.count("learning, 20 steps") >= 5
    assert re.search(r"(not )?solved", shown.out)
    write(folder / "bare.json", {"task-1": challenges()["task-1"]})
    bare = arc_solve(
        *("watch", "bare.json", "--index", "1", "--adapt-steps", "20", "--views", "3"),
        *("--threads", "1", "--seed", "2", "--quiet"),
    )
    assert "the right answer is not known here" in bare.out
    assert bare.err == ""
    # What is answered does not depend on whether the truth is at hand.
    assert votes(bare.out) == votes(shown.out)
    drawn = arc_solve("watch", "bare.json", "--adapt-steps", "2", "--views", "2", "--out", "t.gif", "--quiet")
    assert (drawn.code, drawn.err) == (0, "")
    assert len(frames_of(folder / "t.gif")) > 4


def votes(text: str) -> list[str]:
    return re.findall(r"^\d+ votes? for this answer.*$", text, re.MULTILINE)


REFUSED = {
    "nothing": ([], 2, "say what to look at"),
    "twice": (["a", "--tasks", "b"], 2, "name the tasks or boards once"),
    "no picture": ([EASY, "--out", "x.mp4"], 2, "ends in .gif or .png"),
    "no board": ([EASY, "--id", "2"], 2, "expected the number of a board, 1 to 1"),
    "an option of tasks": ([EASY, "--adapt-steps", "2"], 2, "for tasks; these are boards"),
    "80 cells": (["." * 80], 3, "80 cells; a Sudoku has 16, 36 or 81"),
    "a large digit": (["9" + EASY[1:]], 3, "the digit 9 on a board of side 4"),
    "no such file": (["none.json"], 3, "cannot be read"),
    "a near id": (["00d62c1c"], 3, "did you mean 00d62c1b?"),
    "another id": (["tasks.json", "--id", "task-x"], 2, "did you mean task-"),
    "no such test": (["tasks.json", "--id", "task-0", "--index", "7"], 2, "has 1 test input,"),
    "weights for something else": ([EASY, "--checkpoint", "maze"], 1, "maze"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_watched_is_one_line(name: str, arc_solve: Terminal, folder: Path) -> None:
    write(folder / "tasks.json", challenges())
    arguments, code, text = REFUSED[name]
    outcome = arc_solve("watch", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert text in " ".join(outcome.err.split())
    assert not list(folder.glob("*.gif"))


DRAWN = """
+-----+-----+
| 1 . | 3 4 |
| 3 4 | 1 . |
|-----+-----|
| 2 1 | . 3 |
| . 3 | _ 1 |
+-----+-----+
"""


@pytest.mark.parametrize(
    "text",
    ["1.34341.21.3.3.1", "1034 3410 2103 0301", "1*34\n341*\n21*3\n*3*1\n", "1-34\n341-\n21-3\n-3-1", DRAWN],
)
def test_a_sudoku_is_read_however_it_is_written(text: str) -> None:
    boards = read(text)
    assert isinstance(boards, BoardSet)
    assert (boards.side, len(boards)) == (4, 1)
    assert (boards.questions[0, :3] == [1, 0, 3]).all()
    assert boards.questions[0, -1] == 1


@pytest.mark.parametrize(
    ("name", "num"), [("synthetic:4", 4), ("synthetic:2:7:8", 2), ("arc1:training", 400)]
)
def test_sets_have_names(name: str, num: int) -> None:
    tasks = read(name)
    assert isinstance(tasks, list)
    assert len(tasks) == num
    assert all(isinstance(task, Task) for task in tasks)


def test_a_set_is_both_its_parts_and_an_id_is_a_task() -> None:
    assert len(read("arc1")) == 800
    (task,) = read("00d62c1b")
    assert isinstance(task, Task)
    assert task.test[0].output is not None


@pytest.mark.parametrize("command", ["show", "watch"])
def test_standard_input_is_told_by_its_content(command: str, folder: Path, repository: Path) -> None:
    words = ["--ages", "1", "--threads", "1"] if command == "watch" else []
    arguments = [sys.executable, "-m", "arc_solver.cli", command, "-", *words]
    done = subprocess.run(
        arguments, input=EASY, capture_output=True, text=True, cwd=repository, check=False, timeout=120
    )
    assert (done.returncode, "question" in done.stdout) == (0, True), done.stderr


def test_a_file_of_that_name_goes_before_a_name(folder: Path) -> None:
    write(folder / "arc1", challenges())
    write(folder / "00d62c1b", challenges(1))
    assert len(read("arc1")) == 3
    assert len(read("00d62c1b")) == 1
    (folder / "boards").write_text(EASY + "\n")
    assert isinstance(read("boards"), BoardSet)
    assert np.asarray(read("boards").questions).shape == (1, 16)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("11..............", "contradictory givens: 1 twice in row 1"), ("." * 16, "several solutions")],
)
def test_a_sudoku_that_predict_refuses_is_refused_here_too(
    typed: str, reason: str, arc_solve: Terminal
) -> None:
    for command in ("watch", "predict"):
        outcome = arc_solve(command, typed)
        assert (outcome.code, outcome.out) == (3, "")
        assert f"this sudoku: {reason}" in outcome.error_line()
