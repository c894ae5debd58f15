"""`make run`: the whole pipeline on small real ARC tasks, through the commands that a user would type."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from arc_solver.domains.arc.examples import task_side
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.truth import carried_truth
from submission.score import score_attempts
from submission.vote import Query

TASKS = "arc1:all"
MAX_CANVAS = 7  # every ARC-AGI-1 task whose demonstrations and test inputs fit a canvas of this side
TIME_LIMIT = "4m40s"
FOLDER = Path("runs/demo")
# For such a narrow network a second thread is a little faster on an idle machine, far slower on a busy one.
THREADS = "1"


def main() -> None:
    """Learn, predict, score and draw; every command is printed before it runs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    submission, candidates = FOLDER / "submission.json", FOLDER / "candidates.jsonl"
    page = FOLDER / "report.html"
    chosen = ["--max-canvas", str(MAX_CANVAS)]
    arc_solve(
        "predict", "--tasks", TASKS, *chosen, "--time-limit", TIME_LIMIT, "--threads", THREADS,
        "--out", str(submission), "--candidates", str(candidates),
    )  # fmt: skip
    print(f"\nCopying the test input would solve {copied()}.\n", flush=True)
    arc_solve("show", TASKS, *chosen, "--submission", str(submission), "--limit", "4")
    arc_solve(
        "report", str(submission), "--tasks", TASKS, *chosen, "--candidates", str(candidates),
        "--out", str(page),
    )  # fmt: skip
    print(f"\nwritten: {submission}\n         {candidates}\n         {page} (open it in a browser)")


def arc_solve(*arguments: str) -> None:
    """Run one command of arc-solve; the demonstration ends if it fails."""
    print(f"$ arc-solve {shlex.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "arc_solver.cli", *arguments]
    done = subprocess.run(command, check=False)  # noqa: S603 - this package itself
    if done.returncode:
        raise SystemExit(done.returncode)


def copied() -> str:
    """The score of answering every test input of the same tasks with itself."""
    tasks = [task for task in read_tasks(TASKS) if task_side(task) <= MAX_CANVAS]
    guesses = {Query(task.id, i): [pair.input] for task in tasks for i, pair in enumerate(task.test)}
    rate = score_attempts(guesses, carried_truth(tasks), "").rate("per_output", 2)
    return f"{rate.solved:g} of {rate.total} outputs ({100 * rate.value:.1f} %)"


if __name__ == "__main__":
    main()
