"""Whatever a worker does, the submission is valid and complete, and what others answered stays."""

import shutil
import time
from pathlib import Path

import pytest

from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.config import ConfigError
from arc_solver.prediction.supervisor import MAX_FRUITLESS, WorkerRefusal
from arc_solver.prediction.worker import refusal_code
from arc_solver.storage.files import FolderInUse, StorageError
from arc_solver.training.non_finite import NotFinite
from tests.faults.scene import COUNT, answered, defects, prediction, starts, survivors, watched, write_tasks
from tests.tally import trial

DEATHS = ("kill", "segfault", "exception", "exit", "memory", "garbage", "deaf", "orphan")
HANGS = ("stop", "silent")
SECONDS = 3.0


@pytest.mark.parametrize("attempt", range(COUNT))
@pytest.mark.parametrize("kind", DEATHS)
def test_a_dying_worker_costs_only_what_it_did_not_answer(tmp_path: Path, kind: str, attempt: int) -> None:
    with trial(9, "workers that die or babble"):
        survive_death(tmp_path, kind, attempt)


def survive_death(tmp_path: Path, kind: str, seed: int) -> None:
    tasks = write_tasks(tmp_path / "tasks.json", seed=seed)
    run = prediction(tmp_path, tasks, kind)
    facts = run.run()
    assert defects(run.request.out, tasks) == []
    # Each start answers one task; the next one is told only what those before left open.
    assert starts(tmp_path) == [[task.id for task in tasks[done:]] for done in range(len(tasks))]
    assert answered(run.request.out, tasks) == [task.id for task in tasks]
    assert (facts["failures"], facts["unanswered"], facts["out_of_time"]) == ([], 0, False)
    assert survivors(tmp_path) == []


def test_a_task_that_kills_every_worker_costs_only_itself(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "tasks.json", num=9)
    run = prediction(tmp_path, tasks, "on-task04")
    facts = run.run()
    assert answered(run.request.out, tasks) == [task.id for task in tasks if task.id != "task04"]
    assert facts["unanswered"] == len(tasks[4].test)
    assert facts["failures"] == ["worker 1 was ended by SIGKILL"]
    assert sum(ids == ["task04"] for ids in starts(tmp_path)) == 1
    assert survivors(tmp_path) == []


def test_workers_that_all_die_at_once_are_given_up(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "tasks.json", num=40)
    run = prediction(tmp_path, tasks, "dead")
    facts = run.run()
    assert facts["failures"] == ["worker 1 was ended by SIGKILL"]
    assert len(starts(tmp_path)) == MAX_FRUITLESS + 1
    assert defects(run.request.out, tasks) == []


@pytest.mark.parametrize("num_deaths", [2, 4])
def test_the_rest_of_a_limit_is_used_after_workers_were_killed(tmp_path: Path, num_deaths: int) -> None:
    tasks = write_tasks(tmp_path / "tasks.json")
    run = prediction(tmp_path, tasks, f"first{num_deaths}-dead", seconds=120.0)
    facts = run.run()
    assert (facts["failures"], facts["unanswered"]) == ([], 0)
    assert answered(run.request.out, tasks) == [task.id for task in tasks]


@pytest.mark.parametrize("attempt", range(COUNT))
@pytest.mark.parametrize("kind", HANGS)
def test_a_hanging_worker_is_killed_in_time(tmp_path: Path, kind: str, attempt: int) -> None:
    with trial(9, "workers that hang"):
        survive_hang(tmp_path, kind, attempt)


def survive_hang(tmp_path: Path, kind: str, seed: int) -> None:
    tasks = write_tasks(tmp_path / "tasks.json", seed=seed)
    run = prediction(tmp_path, tasks, kind, seconds=SECONDS)
    facts = run.run()
    assert run.times.left() > 0
    assert facts["out_of_time"]
    assert defects(run.request.out, tasks) == []
    assert answered(run.request.out, tasks) == [tasks[0].id]
    assert survivors(tmp_path) == []


@pytest.mark.parametrize("kind", ["once-kill", "once-garbage", "once-exit"])
def test_another_worker_takes_over(tmp_path: Path, kind: str) -> None:
    tasks = write_tasks(tmp_path / "tasks.json")
    run = prediction(tmp_path, tasks, kind)
    facts = run.run()
    assert (facts["failures"], facts["unanswered"]) == ([], 0)
    assert answered(run.request.out, tasks) == [task.id for task in tasks]


def test_the_answers_of_other_workers_do_not_change(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "tasks.json")
    sane = prediction(tmp_path, tasks, "sane", workers=3)
    assert sane.run()["unanswered"] == 0
    expected = sane.sheet.answers
    shutil.rmtree(tmp_path / "starts")
    # Only one start misbehaves; what it left goes to a fourth, which may begin before the third is listed.
    hurt = prediction(tmp_path, tasks, "once-kill", workers=3)
    assert hurt.run()["unanswered"] == 0
    assert len(starts(tmp_path)) == 4
    assert {q: a.tallies[0].grid.tolist() for q, a in hurt.sheet.answers.items()} == {
        q: a.tallies[0].grid.tolist() for q, a in expected.items()
    }
    told = [id for part in starts(tmp_path) for id in part]
    assert set(told) == {task.id for task in tasks}
    assert max(told.count(task.id) for task in tasks) == 2


def test_what_the_user_did_wrong_comes_through(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "tasks.json")
    run = prediction(tmp_path, tasks, "refusal")
    with pytest.raises(WorkerRefusal, match="toaster") as caught:
        run.run()
    assert caught.value.exit_code == 2
    assert len(starts(tmp_path)) == 1
    assert defects(run.request.out, tasks) == []


def test_only_what_the_user_did_wrong_is_a_refusal() -> None:
    refused = (CheckpointError("damaged"), ConfigError("no such setting"), FolderInUse("in use"))
    assert [refusal_code(error) for error in refused] == [1, 2, 1]
    failed = (NotFinite("step 3"), StorageError("the disk is full"), RuntimeError("shapes"), MemoryError())
    assert [refusal_code(error) for error in failed] == [None] * 4


def test_a_command_that_cannot_start_leaves_the_fallback(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "tasks.json")
    run = prediction(tmp_path, tasks, "sane")
    run.worker = (str(tmp_path / "no such program"),)
    assert len(run.run()["failures"]) == 1
    assert defects(run.request.out, tasks) == []


def test_readers_never_see_an_invalid_file(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "tasks.json", num=40)
    run = prediction(tmp_path, tasks, "slow", seconds=SECONDS)
    with watched(run.request.out, tasks) as seen:
        started = time.monotonic()
        facts = run.run()
    assert time.monotonic() - started < SECONDS
    assert facts["out_of_time"]
    assert (seen["invalid"], seen["missing"]) == (0, 0)
    assert seen["reads"] > 10
    assert answered(run.request.out, tasks)
