"""`arc-solve train` as a user types it: limits for every domain, one line for everything that cannot be."""

import errno
import hashlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from arc_solver.commands.dry_run import expectation
from arc_solver.domains.boards import domain as board_domain
from arc_solver.presets import find_preset
from arc_solver.storage.files import LOCK_NAME, lock_folder
from arc_solver.training import cost
from tests.arc_solver.terminal import Terminal, challenges, solutions, write

SETTINGS = (
    *("width=16", "num_heads=2", "rounding=8", "num_layers=1", "cycles=1", "latent_steps=1"),
    *("prefix_length=2", "batch_size=4", "num_views=2", "steps=6", "save_every=2", "ages=1"),
)


@pytest.fixture
def folder(tmp_path: Path, arc_solve: Terminal) -> Path:
    """A folder with material of all three domains."""
    write(tmp_path / "arc.json", challenges())
    pairs = [{"input": [[1] * 10], "output": [[2] * 10]}] * 2
    write(tmp_path / "large.json", {"large": {"train": pairs, "test": [{"input": [[3]]}]}})
    for kind, side in (("sudoku", 4), ("maze", 5)):
        made = arc_solve(
            "generate", kind, "--num", "8", "--side", str(side), "--out", tmp_path / f"{kind}.csv"
        )
        assert made.code == 0
    return tmp_path


def command(
    folder: Path, *more: str | Path, kind: str = "arc", preset: str | None = None
) -> list[str | Path]:
    """A tiny training command into the folder `run`."""
    data = folder / {"arc": "arc.json"}.get(kind, f"{kind}.csv")
    name = preset or {"arc": "cpu-arc", "sudoku": "cpu-sudoku4", "maze": "cpu-maze"}[kind]
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    return [
        "train",
        "--data",
        data,
        "--preset",
        name,
        "--out",
        folder / "run",
        "--threads",
        "1",
        *settings,
        *more,
    ]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", ["arc", "sudoku", "maze"])
def test_a_time_limit_ends_every_domain(kind: str, arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*command(folder, "--time-limit", "0.2s", "--steps", "1000000", kind=kind))
    assert outcome.code == 0, outcome.err
    assert outcome.out == f"{folder / 'run' / 'final.safetensors'}\n"
    assert "expected: " in outcome.err
    assert "1,000,000 steps in 0 s" in outcome.err
    last = json.loads((folder / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["seconds"] >= 0.2
    assert 1 <= last["step"] < 1_000_000
    again = arc_solve(*command(folder, "--time-limit", "0.2s", "--steps", "1000000", kind=kind))
    assert again.code == 0
    assert f"resuming {folder / 'run'} at step {last['step']}" in again.err
    assert "expected" not in again.err


def test_a_setting_that_tasks_do_not_heed_is_said(arc_solve: Terminal, folder: Path) -> None:
    told = arc_solve(*command(folder, "--dry-run", "--set", "choice=vote"))
    assert "warning: no effect on ARC tasks: choice=vote\n" in told.err


def test_a_dry_run_writes_nothing(arc_solve: Terminal, folder: Path) -> None:
    before = files(folder)
    told = arc_solve(*command(folder, "--dry-run", "--json", "--set", "train.canvas=full", kind="sudoku"))
    assert "warning: no effect on sudoku boards: num_views=2, train.canvas=full\n" in told.err
    facts = told.json()
    assert facts["steps"] == 6
    assert facts["hours"] == pytest.approx(6 * facts["seconds_per_step"] / 3600)
    assert facts["disk_bytes"] > facts["checkpoint_bytes"] > 4 * facts["parameters"]
    assert files(folder) == before


def test_a_dry_run_tells_a_person_what_fits_and_what_to_expect(arc_solve: Terminal, folder: Path) -> None:
    steps = ("--dry-run", "--steps", "1000000")
    told = arc_solve(*command(folder, *steps, "--time-limit", "1s", kind="sudoku"))
    assert " of 1,000,000 fit into 1 s\n" in told.out
    assert "expect     " in told.out
    facts = arc_solve(*command(folder, *steps, "--time-limit", "1s", "--json", kind="sudoku")).json()
    assert 0 <= facts["steps_that_fit"] < facts["steps"] == 1_000_000
    assert facts["hours"] <= 1 / 3600


@pytest.mark.parametrize(
    ("steps", "examples", "text"),
    [
        (10, 1, "nothing: "),
        (130, 10**6, "little: only 1 %"),
        (150, 10, "little: "),
        (10**6, 10, "it can teach"),
    ],
)
def test_what_is_to_be_expected_of_so_many_steps(steps: int, examples: int, text: str) -> None:
    assert expectation(steps, examples, find_preset("cpu-sudoku9").train).startswith(text)


REFUSED: dict[str, tuple[int, list[str], str]] = {
    "another domain": (
        2,
        ["--preset", "cpu-sudoku4"],
        "preset 'cpu-sudoku4' is for sudoku, the data are arc",
    ),
    "no such device": (2, ["--device", "tpu"], "--device tpu: not a device"),
    "curriculum": (2, ["--set", "curriculum=deep"], "did you mean 'depth'?"),
    "ARC with too few tokens": (2, ["--set", "vocabulary=5"], "vocabulary=5: ARC has 12 tokens"),
    "no such mixer": (2, ["--set", "mixers=attenton"], "did you mean 'attention'?"),
    "ARC without a mixer": (
        2,
        ["--set", "mixer=none", "--set", "convolution=3", "--set", "positions=none"],
        "cells of ARC could not see their task",
    ),
    "ARC with the boxes of a Sudoku": (
        2,
        ["--set", "peers=true", "--set", "length=81"],
        "group_sums among mixers is for boards, this recipe is for arc",
    ),
    "no canvas of that length": (
        2,
        ["--set", "positions=learned", "--set", "length=10"],
        "length=10: these tasks lie on canvases of 25 tokens",
    ),
    "several canvases": (
        2,
        ["--data", "{folder}/large.json", "--set", "mixer=mlp", "--set", "length=25"],
        "length=25: these tasks lie on canvases of 25, 121 tokens",
    ),
    "no such weights": (3, ["--init", "none.safetensors"], "none.safetensors: No such file"),
    "nothing to evaluate on": (3, ["--eval-data", "none.json"], "none.json"),
    "truth is missing": (
        3,
        ["--eval-data", "{folder}/arc.json"],
        "the tasks carry no outputs to evaluate on",
    ),
    "no folder can be made": (1, ["--out", "{folder}/arc.json/run"], "arc.json/run"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_one_line_and_writes_nothing(name: str, arc_solve: Terminal, folder: Path) -> None:
    code, more, text = REFUSED[name]
    before = files(folder)
    outcome = arc_solve(*command(folder, *(part.format(folder=folder) for part in more)))
    assert outcome.code == code, outcome.err
    assert text in outcome.error_line()
    assert outcome.out == ""
    assert files(folder) == before


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_weights_of_others_point_to_convert(more: list[str], arc_solve: Terminal, folder: Path) -> None:
    torch.save({"a": torch.zeros(3)}, folder / "step_1.pt")
    before = files(folder)
    outcome = arc_solve(*command(folder, "--init", str(folder / "step_1.pt"), *more))
    assert outcome.code == 1
    assert "arc-solve convert step_1.pt --out " in outcome.error_line()
    assert files(folder) == before


def test_a_dry_run_opens_the_weights_that_it_would_begin_with(arc_solve: Terminal, folder: Path) -> None:
    first = arc_solve(*command(folder, "--steps", "1", "--json"))
    weights = first.json()["weights"]
    other = ("--out", str(folder / "other"), "--init", weights, "--dry-run")
    assert arc_solve(*command(folder, *other)).code == 0
    refused = arc_solve(*command(folder, *other, "--set", "num_heads=1"))
    assert refused.code == 1
    assert "weights of another architecture (num_heads is 1 here" in refused.error_line()
    assert arc_solve(*command(folder, "--init", "none.safetensors", "--dry-run")).code == 3
    assert not (folder / "other").exists()


def test_a_fixed_length_for_the_canvas_of_all_tasks(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*command(folder, "--set", "mixer=mlp", "--set", "length=25", "--steps", "1"))
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize("more", [[], ["--quiet"], ["--dry-run"]])
def test_a_batch_for_which_no_memory_suffices(more: list[str], arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*command(folder, "--set", "batch_size=2000000000", *more))
    assert outcome.code == 1
    assert "memory does not suffice for batch_size=2000000000" in outcome.error_line()


@pytest.mark.parametrize(
    ("code", "more"),
    [(2, ["--device", "tpu"]), (2, ["--time-limit", "soon"]), (2, ["--no-such"]), (3, ["--data", "a"])],
)
def test_of_several_processes_one_says_what_is_refused(
    code: int, more: list[str], arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rank, speaks in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        outcome = arc_solve(*command(folder, *more))
        assert (outcome.code, bool(outcome.err), outcome.out) == (code, speaks, "")


def test_the_failure_of_one_process_is_not_silent(
    arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    text = b'{"__metadata__":{}}'
    (folder / "none.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    outcome = arc_solve(*command(folder, "--init", folder / "none.safetensors"))
    assert outcome.code == 1
    assert "none.safetensors" in outcome.error_line()


def held_out(folder: Path, num: int = 3) -> tuple[str, ...]:
    """The options for challenges and solutions in the official layout."""
    write(folder / "held_challenges.json", challenges(num))
    write(folder / "held_solutions.json", solutions(num))
    return ("--eval-data", str(folder / "held_challenges.json"))


def scores(folder: Path) -> list[dict[str, Any]]:
    """The lines of the log that hold scores."""
    lines = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "eval_exact" in line]


def test_held_out_tasks_are_scored_by_the_solutions_that_are_named(arc_solve: Terminal, folder: Path) -> None:
    options = held_out(folder)
    beside = arc_solve(*command(folder, *options))
    assert beside.code == 3  # the file beside it is not looked at
    assert "no outputs to evaluate on; --eval-solutions names the file" in beside.error_line()
    assert not (folder / "run").exists()
    named = arc_solve(*command(folder, *options, "--eval-solutions", folder / "held_solutions.json"))
    assert named.code == 0, named.err
    assert "unknown" not in named.err
    assert [line["step"] for line in scores(folder)] == [1, 2, 3, 4, 5, 6]
    described = arc_solve("info", folder / "run" / "final.safetensors", "--json").json()
    digest = hashlib.sha256((folder / "held_solutions.json").read_bytes()).hexdigest()
    assert described["files"]["held_solutions.json (for scores)"] == digest


def test_answers_without_their_tasks_are_refused(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*command(folder, "--eval-solutions", folder / "arc.json"))
    assert outcome.code == 2
    assert "needs the tasks, --eval-data" in outcome.err
    boards = arc_solve(
        *command(folder, "--eval-data", folder / "sudoku.csv", "--eval-solutions", "a", kind="sudoku")
    )
    assert boards.code == 3
    assert "solutions go with tasks" in boards.error_line()


def test_held_out_tasks_that_the_run_does_not_know(arc_solve: Terminal, folder: Path) -> None:
    some = (*held_out(folder, num=5), "--eval-solutions", folder / "held_solutions.json")
    outcome = arc_solve(*command(folder, *some))
    assert outcome.code == 0
    assert "unknown to this run, so counted as not solved: 2 of 5 tasks" in outcome.err
    strangers = {name: task for name, task in challenges(5).items() if name > "task-2"}
    write(folder / "held_challenges.json", strangers)
    refused = arc_solve(*command(folder, *some, "--out", folder / "other"))
    assert refused.code == 3
    assert "of its 2 tasks none is known to this run; --data must hold their demonstrations" in refused.err
    assert not (folder / "other").exists()


def test_held_out_tasks_without_outputs_are_named(arc_solve: Terminal, folder: Path) -> None:
    options = held_out(folder)
    write(folder / "held_solutions.json", solutions(1))
    outcome = arc_solve(*command(folder, *options, "--eval-solutions", folder / "held_solutions.json"))
    assert outcome.code == 0
    assert "not scored for lack of outputs: 2 of 3 tasks" in outcome.err


def test_held_out_boards(arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_domain, "MAX_SCORED", 5)
    some = ("--eval-data", folder / "sudoku.csv")
    outcome = arc_solve(*command(folder, *some, "--set", "eval_every=4", kind="sudoku"))
    assert outcome.code == 0
    assert "sudoku.csv: 8 boards, of which the first 5 are scored" in outcome.err
    assert [line["step"] for line in scores(folder)] == [4, 6]
    assert arc_solve("generate", "sudoku", "--num", "2", "--side", "6", "--out", folder / "six.csv").code == 0
    other = arc_solve(*command(folder, "--eval-data", folder / "six.csv", kind="sudoku"))
    assert other.code == 3
    assert "sudoku of side 6, the run is for another side" in other.error_line()


def test_intervals_without_anything_to_score_are_remarked_on(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*command(folder, "--set", "eval_every=2"))
    assert outcome.code == 0
    assert outcome.err.count("eval_every has no effect without --eval-data") == 1


def test_boards_of_another_side_are_refused(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*command(folder, kind="sudoku", preset="cpu-sudoku6"))
    assert outcome.code == 2
    assert "--set vocabulary=6" in outcome.error_line()
    assert not (folder / "run").exists()


def test_a_folder_in_use_is_left_alone(arc_solve: Terminal, folder: Path) -> None:
    with lock_folder(folder / "run"):
        outcome = arc_solve(*command(folder))
        assert outcome.code == 1
        assert f"run is in use by process {os.getpid()}" in outcome.error_line()
        assert "expected" not in outcome.err  # nothing was measured first
    assert files(folder / "run") == [LOCK_NAME]


def test_a_disk_that_is_full_from_the_start(
    arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    outcome = arc_solve(*command(folder))
    assert outcome.code == 1
    assert "1000 are available" in outcome.error_line()
    assert not (folder / "run").exists()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_checkpoint_that_cannot_be_written(arc_solve: Terminal, folder: Path) -> None:
    with largest_file(20_000):
        outcome = arc_solve(*command(folder, "--quiet"))
    assert outcome.code == 1
    assert os.strerror(errno.EFBIG) in outcome.error_line()
    assert "checkpoint-00000002.safetensors" in outcome.error_line()
    assert [name for name in files(folder / "run") if name not in (LOCK_NAME, "metrics.jsonl")] == []
    assert arc_solve(*command(folder, "--quiet")).code == 0


def test_tensorboard_must_be_installed(
    arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    outcome = arc_solve(*command(folder, "--tensorboard"))
    assert outcome.code == 1
    assert "pip install tensorboard" in outcome.error_line()
    assert not (folder / "run").exists()


def test_tensorboard_gets_the_figures_of_the_log(
    arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            self.folder, self.purge_step, self.figures, self.closed = folder, purge_step, [], False
            made.append(self)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            self.figures.append((name, value, step))

        def close(self) -> None:
            self.closed = True

    stub = ModuleType("torch.utils.tensorboard")
    stub.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stub)
    assert arc_solve(*command(folder, "--tensorboard", "--quiet")).code == 0
    (writer,) = made
    assert (writer.folder, writer.purge_step, writer.closed) == (str(folder / "run" / "tensorboard"), 1, True)
    lines = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert writer.figures == [
        (name, value, line["step"]) for line in lines for name, value in line.items() if name != "step"
    ]
