"""The answers to a few tasks as people see them: the grids, the votes, what to type after a miss."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arc_solver.commands.console import without_options, writing
from arc_solver.commands.task_answers import DRAWN, draw_answers, is_missed, learned_share
from arc_solver.prediction.reported_answers import Answer
from arc_solver.prediction.submission_sheet import SubmissionSheet
from arc_solver.tasks.task import Pair, Task
from submission.vote import Query, Tally
from tests.arc_solver.terminal import Terminal, challenges, solutions, write

QUICK = ["--set", "width=32", "--set", "num_heads=2", "--set", "num_layers=1", "--set", "batch_size=8"]


def sheet_of(path: Path, task: Task, *grids: np.ndarray) -> SubmissionSheet:
    """The answers to one task, whose attempts are `grids`, with 12 and 3 of 16 views."""
    sheet = SubmissionSheet(path, [task])
    tallies = [Tally(grid, votes, float(votes), 0.9) for grid, votes in zip(grids, (12, 3), strict=False)]
    sheet.answers[Query(task.id, 0)] = Answer(tuple(tallies), 16)
    return sheet


def one_task(side: int = 3, *, known: bool = True) -> Task:
    grid = np.arange(side * side, dtype=np.uint8).reshape(side, side) % 10
    pair = Pair(grid, (grid + 1) % 10)
    return Task("a" * 90, (pair,), (pair if known else Pair(grid, None),))


@pytest.mark.parametrize("side", [3, 30])
@pytest.mark.parametrize("known", [True, False])
def test_attempts_are_drawn_with_votes_and_verdicts(
    side: int, known: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = one_task(side, known=known)
    right = one_task(side).test[0].output
    assert right is not None
    sheet = sheet_of(tmp_path / "s.json", task, np.zeros_like(right), right)
    draw_answers(sheet)
    drawn = capsys.readouterr().out
    assert max(map(len, drawn.splitlines())) <= 80
    assert "\x1b" not in drawn
    assert drawn.count("test input") == drawn.count("attempt 1\n") + drawn.count("attempt 1 ") == 1
    assert re.search(r"(?m)^attempt 1:( wrong,)? 12 of 16 views$", drawn)
    assert re.search(r"(?m)^attempt 2:( right,)? 3 of 16 views$", drawn)
    assert ("right answer" in drawn) == ("wrong," in drawn) == ("right," in drawn) == known
    assert not is_missed(sheet)
    assert is_missed(sheet_of(tmp_path / "s.json", task, np.zeros_like(right))) == known


def test_of_many_outputs_none_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = [replace(task, id=str(n)) for n, task in enumerate([one_task()] * (DRAWN + 1))]
    draw_answers(SubmissionSheet(tmp_path / "s.json", many))
    assert capsys.readouterr().out == ""


def test_the_share_that_is_learned_is_the_smallest_of_all_groups() -> None:
    assert learned_share([{}, {"adapted": {"exact": 0.5}}, {"adapted": {"exact": 0.9}}]) == 0.5
    assert learned_share([{"adapted": {}}]) is None


def test_options_with_values_are_taken_out_of_a_command() -> None:
    words = ["predict", "x", "--time-limit", "9s", "--only", "--seed", "--seed=3", "--time-limit=1m", "y"]
    assert without_options(words, "--time-limit", "--seed") == ["predict", "x", "--only", "y"]


def test_a_miss_ends_with_the_command_that_gives_more_time(
    arc_solve: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks = challenges(1)
    tasks["task-0"]["test"][0]["output"] = solutions(1)["task-0"][0]
    write(tmp_path / "t.json", tasks)
    asked = ["predict", "t.json", "--views", "1", "--threads", "1", "--preset", "cpu-arc", *QUICK]
    done = arc_solve(*asked, "--adapt-steps", "2", "--keep", "k")
    assert done.code == 0, done.err
    assert "attempt 1:" in done.out
    advice = next(line for line in done.err.splitlines() if "to give it more time: arc-solve predict" in line)
    assert "not learned yet" in advice
    assert "--adapt-steps" not in advice
    assert re.search(r"--set batch_size=8 --keep k --time-limit \d+m$", advice)
    assert "wrote submission.json and submission.manifest.json (how it was made)" in done.err
    assert "k: keeps what is learned; after an interruption the same line goes on from there" in done.err
    assert "learned in 2 steps" in done.err
    again = arc_solve(*asked, "--no-adapt", "--out", "submission.json", "--json")
    assert "wrote submission.json (replaced the one there) and submission.manifest.json" in again.err
    assert "more time" not in again.err
    assert "attempt 1" not in again.out


def test_what_was_written_is_said_where_it_is_not_plain(tmp_path: Path) -> None:
    new, old = tmp_path / "new.html", tmp_path / "old.html"
    old.write_text("")
    assert writing(None)() is None
    assert writing(new)() is None
    assert writing(old)() == f"wrote {old} (replaced the one there)"
    manifest = tmp_path / "new.manifest.json"
    line = f"wrote {new}, {old} (replaced the one there) and {manifest} (how it was made)"
    assert writing(new, old, manifest=True)() == line


def test_a_weight_that_is_not_the_number_of_votes_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = one_task()
    sheet = sheet_of(tmp_path / "s.json", task, task.train[0].input)
    (tally,) = sheet.answers[Query(task.id, 0)].tallies
    sheet.answers[Query(task.id, 0)] = Answer((replace(tally, weight=4.25),), 16)
    draw_answers(sheet)
    assert re.search(r"(?m)^attempt 1: wrong, 12 of 16 views, weight 4\.2$", capsys.readouterr().out)
