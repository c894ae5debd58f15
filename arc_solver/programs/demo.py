"""`make run`: the whole pipeline on small real ARC tasks, through the commands that a user would type."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from arc_solver.domains.arc.examples import task_side
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task
from arc_solver.tasks.truth import carried_truth
from submission.lenient_reader import load_answers, read_answers
from submission.score import score, score_attempts
from submission.vote import Query

TASKS = "arc1:all"
MAX_CANVAS = 7  # every ARC-AGI-1 task whose demonstrations and test inputs fit a canvas of this side
TIME_LIMIT = "4m40s"
FOLDER = Path("runs/demo")
# For such a narrow network a second thread is a little faster on an idle machine, far slower on a busy one.
THREADS = "1"
SHOWN = 2
NEXT = """
next:    arc-solve watch {task}                   (how it is learned, and what its views answer)
         arc-solve predict {task} --time-limit 3m (longer on one task: more is solved)
         arc-solve predict YOURS.json               (a task of your own; README says how it is written)"""


def main() -> None:
    """Learn, predict, score, draw and say what to try next; every command is printed before it runs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    submission, candidates = FOLDER / "submission.json", FOLDER / "candidates.jsonl"
    page = FOLDER / "report.html"
    chosen = ["--max-canvas", str(MAX_CANVAS)]
    arc_solve(
        "predict", "--tasks", TASKS, *chosen, "--time-limit", TIME_LIMIT, "--threads", THREADS,
        "--out", str(submission), "--candidates", str(candidates),
    )  # fmt: skip
    tasks = [task for task in read_tasks(TASKS) if task_side(task) <= MAX_CANVAS]
    print(f"\nCopying the test input would solve {copied(tasks)}.")
    print("How many are solved depends on the steps of learning that this machine makes in the time.\n")
    solved, near = worth_seeing(tasks, load_answers(submission))
    for title, ids in (("Solved:", solved[:SHOWN]), ("Nearly solved:", near[:1])):
        if ids:
            print(title, flush=True)
            named = [word for task_id in ids for word in ("--id", task_id)]
            arc_solve("show", TASKS, *named, "--submission", str(submission))
    arc_solve(
        "report", str(submission), "--tasks", TASKS, *chosen, "--candidates", str(candidates),
        "--out", str(page),
    )  # fmt: skip
    print(f"\nwritten: {submission}\n         {candidates}\n         {page} (open it in a browser)")
    print(NEXT.format(task=(near or solved)[0]))


def arc_solve(*arguments: str) -> None:
    """Run one command of arc-solve; the demonstration ends if it fails."""
    print(f"$ arc-solve {shlex.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "arc_solver.cli", *arguments]
    done = subprocess.run(command, check=False)  # noqa: S603 - this package itself
    if done.returncode:
        raise SystemExit(done.returncode)


def worth_seeing(tasks: list[Task], answers: object) -> tuple[list[str], list[str]]:
    """The ids of the solved tasks, and of the missed ones by wrong cells in attempts of the right shape."""
    truth = carried_truth(tasks)
    outcome = score(answers, truth, "").tasks()
    rankings, _ = read_answers(answers, {task_id: len(grids) for task_id, grids in truth.items()})
    wrong = {
        task_id: [
            min(
                (int((g != right).sum()) for g in ranking if g is not None and g.shape == right.shape),
                default=900,
            )
            for ranking, right in zip(rankings[task_id], truth[task_id], strict=True)
        ]
        for task_id in outcome["missed"]
    }
    return outcome["solved"], sorted(wrong, key=lambda task_id: sum(wrong[task_id]))


def copied(tasks: list[Task]) -> str:
    """The score of answering every test input of the same tasks with itself."""
    guesses = {Query(task.id, i): [pair.input] for task in tasks for i, pair in enumerate(task.test)}
    rate = score_attempts(guesses, carried_truth(tasks), "").rate("per_output", 2)
    return f"{rate.solved:g} of {rate.total} outputs ({100 * rate.value:.1f} %)"


if __name__ == "__main__":
    main()
