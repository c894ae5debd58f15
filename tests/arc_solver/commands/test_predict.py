"""Train and predict through the command line with a tiny model, then validate, score, merge, watch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.arc_solver.terminal import Outcome, Terminal, challenges, solutions, write

TINY = ["--set", "width=32", "--set", "num_heads=2", "--set", "num_layers=1", "--set", "batch_size=8"]
QUICK = [*TINY, "--views", "3", "--ages", "1", "--threads", "1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with tasks and, beside them, their solutions."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "x_challenges.json", challenges())
    write(tmp_path / "x_solutions.json", solutions())
    return tmp_path


def predicted(arc_solve: Terminal, *arguments: str) -> Outcome:
    outcome = arc_solve("predict", *QUICK, *arguments)
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    return outcome


def test_predict_validate_score_merge(arc_solve: Terminal, folder: Path) -> None:
    asked = ["--tasks", "x_challenges.json", "--adapt-steps", "3", "--candidates", "c.jsonl"]
    outcome = predicted(arc_solve, *asked, "--json")
    facts = outcome.json()
    assert (facts["tasks"], facts["outputs"]) == (3, 4)
    assert arc_solve("validate", "submission.json", "--tasks", "x_challenges.json").code == 0
    scored = arc_solve(
        "score", "submission.json", "--solutions", "x_solutions.json", "--candidates", "c.jsonl"
    )
    assert (scored.code, scored.err) == (0, "")
    lines = [json.loads(line) for line in (folder / "c.jsonl").read_text().splitlines()]
    answered = {(line["task"], line["index"]) for line in lines}
    # Every candidate tells its votes and confidence, and under how many views its output was asked.
    assert all(0 < line["votes"] <= line["views"] for line in lines)
    assert all(0 <= line["confidence"] <= 1 for line in lines)
    for output in answered:
        own = [line for line in lines if (line["task"], line["index"]) == output]
        assert sum(line["votes"] for line in own) <= own[0]["views"]
    # A model that has seen three steps may answer without a grid.
    assert answered <= {("task-0", 0), ("task-1", 0), ("task-1", 1), ("task-2", 0)}
    assert len(answered) == 4 - facts["unanswered"] > 0
    merged = arc_solve("merge", "c.jsonl", "--tasks", "x_challenges.json", "--out", "m.json")
    assert f"{len(answered)} of 4 outputs answered" in merged.out
    assert arc_solve("validate", "m.json", "--tasks", "x_challenges.json").code == 0


def test_merged_parts_are_the_submission_of_the_whole(arc_solve: Terminal, folder: Path) -> None:
    asked = ["--tasks", "x_challenges.json", "--no-adapt", "--quiet"]
    predicted(arc_solve, *asked, "--out", "whole.json")
    for part in ("1", "2"):
        wanted = ["--shard", f"{part}/2", "--out", f"{part}.json", "--candidates", f"{part}.jsonl"]
        predicted(arc_solve, *asked, *wanted)
    assert (
        arc_solve("merge", "1.jsonl", "2.jsonl", "--tasks", "x_challenges.json", "--out", "m.json").code == 0
    )
    assert json.loads((folder / "m.json").read_text()) == json.loads((folder / "whole.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tasks", "b.csv", "--candidates", "c.jsonl", "--keep", "k"], "--keep: a board has no demonstr"),
        (["--tasks", "b.csv", "--adapt-steps", "5"], "--adapt-steps: a board has no demonstrations"),
        (["--tasks", "x_challenges.json", "--skip-bad"], "--skip-bad: a bad task costs only itself"),
        (["--tasks", "x_challenges.json", "--rollouts", "9"], "rollouts=9: no noise was tried on tasks"),
    ],
)
def test_options_of_the_other_kind_are_refused(
    arguments: list[str], text: str, arc_solve: Terminal, folder: Path
) -> None:
    (folder / "b.csv").write_text("source,question,answer,rating\n,1...............,,\n")
    before = sorted(folder.iterdir())
    outcome = arc_solve("predict", *arguments)
    assert outcome.code == 2
    assert text in " ".join(outcome.err.split())
    assert sorted(folder.iterdir()) == before


def test_views_that_no_row_stands_for_are_told(arc_solve: Terminal, folder: Path) -> None:
    outcome = predicted(
        arc_solve, "--tasks", "x_challenges.json", "--no-adapt", "--views", "900", "--set", "num_views=4"
    )
    assert "the recipe has 4 (--set num_views=...)" in outcome.err


def test_a_trained_checkpoint_predicts_what_it_knows_and_can_be_watched(
    arc_solve: Terminal, folder: Path, repository: Path
) -> None:
    made = arc_solve(
        "train", "--data", "x_challenges.json", "--preset", "cpu-arc", *TINY, "--steps", "3",
        "--threads", "1", "--out", "run", "--quiet",
    )  # fmt: skip
    assert (made.code, made.err) == (0, "")
    weights = made.out.strip()
    assert arc_solve("info", weights, "--json").json()["puzzles"]["tasks"] == 3
    assert "torch" not in loaded_by_info(weights, repository)
    outcome = predicted(
        arc_solve, "--tasks", "x_challenges.json", "--checkpoint", weights, "--no-adapt", "--out", "s.json"
    )
    assert "known to the checkpoint: 3 of 3 tasks" in outcome.err
    assert arc_solve("validate", "s.json", "--tasks", "x_challenges.json").code == 0
    asked = ["watch", "--checkpoint", weights, "--tasks", "x_challenges.json", "--id", "task-1"]
    seen = arc_solve(*asked, "--index", "1", "--ages", "2", "--out", "t.gif")
    assert (seen.code, seen.out) == (0, "t.gif\n")
    assert "known to the weights" in seen.err
    assert (folder / "t.gif").read_bytes().startswith(b"GIF8")
    stranger = {"other": challenges()["task-0"] | {"train": challenges()["task-2"]["train"][:1]}}
    write(folder / "other.json", stranger)
    asked = ["watch", "--checkpoint", weights, "--tasks", "other.json", "--id", "other", "--ages", "1"]
    blank = arc_solve(*asked, "--out", "t.png")
    assert blank.code == 0
    assert "new to the weights" in blank.err
    assert (folder / "t.png").read_bytes().startswith(b"\x89PNG")
    assert "demonstration, 2 steps" in arc_solve(*asked, "--out", "t.png", "--adapt-steps", "2").err


def test_limit_and_only_choose_what_is_owed(arc_solve: Terminal, folder: Path) -> None:
    chosen = ["--tasks", "x_challenges.json", "--no-adapt"]
    predicted(arc_solve, *chosen, "--limit", "2", "--out", "two.json")
    assert list(answers(folder / "two.json")) == ["task-0", "task-1"]
    assert arc_solve("validate", "two.json", "--tasks", "x_challenges.json", "--limit", "2").code == 0
    assert arc_solve("validate", "two.json", "--tasks", "x_challenges.json").code == 4
    predicted(arc_solve, *chosen, "--only", "task-2", "--out", "one.json")
    assert list(answers(folder / "one.json")) == ["task-2"]


def test_a_hostile_task_costs_only_itself(arc_solve: Terminal, folder: Path) -> None:
    good = challenges()
    bad = {
        "ragged": {"train": good["task-0"]["train"], "test": [{"input": [[1, 2], [3]]}]},
        "empty": {"train": [], "test": [{"input": [[1]]}, {"input": [[1]]}]},
        "nothing": {"train": good["task-0"]["train"], "test": 5},
    }
    write(folder / "mixed.json", {"ragged": bad.pop("ragged"), **good, **bad})
    asked = ["--adapt-steps", "2", "--seed", "5"]
    predicted(arc_solve, "--tasks", "x_challenges.json", *asked, "--out", "good.json")
    outcome = predicted(arc_solve, "--tasks", "mixed.json", *asked, "--out", "mixed_answers.json")
    alone, together = answers(folder / "good.json"), answers(folder / "mixed_answers.json")
    assert {task_id: together[task_id] for task_id in good} == alone
    blank = {"attempt_1": [[0]], "attempt_2": [[0]]}
    assert together["ragged"] == [blank]
    assert together["empty"] == [blank, blank]
    assert together["nothing"] == [blank]
    warned = [line for line in outcome.err.splitlines() if line.startswith("warning: ")]
    assert len(warned) == 3


def test_a_time_limit_is_kept_with_a_valid_file(arc_solve: Terminal, folder: Path, repository: Path) -> None:
    asked = [
        "--tasks",
        "x_challenges.json",
        "--set",
        "steps=1000000",
        "--time-limit",
        "12s",
        "--out",
        "s.json",
    ]
    command = [sys.executable, "-m", "arc_solver.cli", "predict", *QUICK, *asked]
    # A million steps take hours: ending at all is ending by the limit.
    environment = os.environ | {"PYTHONPATH": str(repository)}
    assert subprocess.run(command, env=environment, timeout=120, check=False).returncode == 0
    assert arc_solve("validate", "s.json", "--tasks", "x_challenges.json").code == 0


def loaded_by_info(weights: str, repository: Path) -> set[str]:
    """The modules of a process that ran `arc-solve info`."""
    code = (
        "import sys\nfrom arc_solver.cli import main\n"
        f"sys.argv = ['arc-solve', 'info', {weights!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    environment = os.environ | {"PYTHONPATH": str(repository)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def answers(path: Path) -> dict[str, Any]:
    """The submission in a file."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found
