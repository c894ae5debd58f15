"""The solver from Python: from the shipped weights, in a time that is given as text, wrong in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arc_solver import Task, library, read_tasks, score, solve, write_submission
from arc_solver.checkpoints.shipped import shipped_weights
from arc_solver.inference.options import SolveOptions, Standing
from submission.vote import Query, Tally
from tests.arc_solver.terminal import attempts, challenges, solutions, write

SMALL: dict[str, Any] = {
    "settings": ("num_views=2", "batch_size=8"), "views": 2, "ages": 1, "device": "cpu", "quiet": True
}  # fmt: skip


@pytest.fixture
def listed(tmp_path: Path) -> list[Task]:
    return read_tasks(write(tmp_path / "tasks.json", challenges()))


def test_tasks_are_solved_written_and_scored(listed: list[Task], tmp_path: Path) -> None:
    answers = solve(listed, time_limit="8s", **SMALL)
    assert list(answers) == [Query("task-0", 0), Query("task-1", 0), Query("task-1", 1), Query("task-2", 0)]
    path = tmp_path / "submission.json"
    write_submission(path, answers, listed)
    written = json.loads(path.read_text())
    assert {task_id: len(entries) for task_id, entries in written.items()} == {
        "task-0": 1, "task-1": 2, "task-2": 1
    }  # fmt: skip
    assert score(path, write(tmp_path / "truth.json", solutions())).num_outputs == 4


def asked(monkeypatch: pytest.MonkeyPatch, tasks: list[Task], *given: Any, **options: Any) -> list[Any]:
    """The weights and the options that a call of `solve` comes down to."""
    calls: list[Any] = []

    def vote(_: object, weights: Path | None, found: SolveOptions, __: object) -> dict[Query, Any]:
        calls.extend([weights, found])
        return {}

    monkeypatch.setattr("arc_solver.inference.solve.vote", vote)
    assert solve(tasks, *given, quiet=True, **options) == {}
    return calls


def test_weights_ship_unless_a_recipe_or_others_are_named(
    listed: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(monkeypatch, listed)[0] == shipped_weights("arc")
    assert asked(monkeypatch, listed, preset="cpu-arc")[0] is None
    assert asked(monkeypatch, listed, "arc", preset="cpu-arc")[0] == shipped_weights("arc")
    assert asked(monkeypatch, listed, "mine.safetensors")[0] == Path("mine.safetensors")


def test_outputs_without_an_answer_are_counted(
    listed: list[Task], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = Tally(np.ones((1, 1), np.uint8), 1, 1.0, 1.0)
    found = {Query("task-0", 0): Standing((), 0), Query("task-2", 0): Standing((grid,), 1)}
    monkeypatch.setattr("arc_solver.inference.solve.vote", lambda *_: found)
    assert [len(grids) for grids in solve(listed).values()] == [0, 1]
    assert capsys.readouterr().err == "no answer to 1 of 2 outputs; give a larger time_limit\n"
    solve(listed, quiet=True)
    assert capsys.readouterr().err == ""


def test_a_time_limit_is_text_or_seconds(listed: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.time, "monotonic", lambda: 1000.0)
    for given, seconds in (("2m", 120), ("1h30m", 5400), (90, 90), (0.5, 0.5)):
        assert asked(monkeypatch, listed, time_limit=given)[1].deadline == 1000 + seconds
    assert asked(monkeypatch, listed)[1].deadline is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"time_limit": "2 minutes"}, "'2 minutes' is not a duration; write 90s"),
        ({"time_limit": -1}, "time_limit=-1: expected 90s"),
        ({"time_limit": True}, "time_limit=True: expected 90s"),
        ({"time_limt": "2m"}, "no option 'time_limt'; did you mean 'time_limit'"),
        ({"preset": "cpu-arcs"}, "cpu-arc"),
        ({"views": 0}, "views=0: expected a whole number"),
        ({"ages": "4"}, "ages='4': expected a whole number"),
        ({"device": "tpu"}, "tpu"),
        ({"checkpoint": "nothing.safetensors"}, "nothing.safetensors"),
    ],
)
def test_a_wrong_option_is_one_line(options: dict[str, Any], text: str, listed: list[Task]) -> None:
    with pytest.raises((ValueError, OSError)) as raised:
        solve(listed, **(SMALL | {"quiet": True} | options))
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("wrong", ["arc1:evaluation", 5, [1], None, {"a": 1}])
def test_what_is_no_list_of_tasks_is_one_line(wrong: Any) -> None:
    with pytest.raises(ValueError, match="read_tasks"):
        solve(wrong)


def test_one_task_alone_and_one_twice_are_refused(listed: list[Task]) -> None:
    with pytest.raises(ValueError, match=r"\[task\]"):
        solve(listed[0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'task-0' comes more than once"):
        solve([*listed, listed[0]])
    assert solve([]) == {}


def test_a_submission_holds_every_task_and_nothing_else(listed: list[Task], tmp_path: Path) -> None:
    path = tmp_path / "submission.json"
    write_submission(path, {Query("task-1", 1): [np.ones((2, 2), np.uint8)]}, listed)
    written = json.loads(path.read_text())
    assert written["task-1"][1] == {"attempt_1": [[1, 1], [1, 1]], "attempt_2": [[0]]}
    assert written["task-0"] == [{"attempt_1": [[0]], "attempt_2": [[0]]}]
    with pytest.raises(ValueError, match="stranger"):
        write_submission(path, {Query("stranger", 0): []}, listed)


def test_score_takes_names_and_boards_and_is_wrong_in_one_line(tmp_path: Path) -> None:
    own = write(tmp_path / "s.json", attempts(solutions()))
    assert score(str(own), str(write(tmp_path / "t.json", solutions()))).to_json()["num_outputs"] == 4
    named = score(own, "arc1:evaluation")
    assert len(named.to_json()) > 0
    boards = tmp_path / "b.csv"
    boards.write_text("question,answer\n12343412214343.1,1234341221434321\n")
    assert score(boards, boards).to_json()["exact"] == 1.0
    for submission, truth in ((tmp_path / "none.json", tmp_path / "t.json"), (own, tmp_path / "none.json")):
        with pytest.raises((ValueError, OSError), match=r"none\.json") as raised:
            score(submission, truth)
        assert "\n" not in str(raised.value)
