"""arc-solve report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc_solver.commands.completion import sources
from arc_solver.commands.console import chosen, refuse_ending, refuse_overwriting, sayer, tell, writing
from arc_solver.commands.options import LENIENT, MAX_CANVAS
from arc_solver.commands.score import refuse_boards, refuse_own_truth

if TYPE_CHECKING:
    from arc_solver.tasks.task import Task

EPILOG = "\b\nExample: arc-solve report submission.json --tasks arc1:evaluation --out report.html"


def report(
    submission: Path | None = typer.Argument(None, help="The submission to look at."),
    tasks: str | None = typer.Option(None, help="The tasks that it answers.", autocompletion=sources),
    solutions: str | None = typer.Option(None, help="The right answers, if the tasks do not carry them."),
    candidates: Path | None = typer.Option(
        None, help="Candidates (JSON lines), to show the votes and the confidence of each attempt."
    ),
    limit: int | None = typer.Option(None, min=1, help="Only the first N tasks (as in predict)."),
    only: list[str] | None = typer.Option(None, metavar="ID", help="Only this task; may be repeated."),
    max_canvas: int | None = MAX_CANVAS,
    lenient: bool = LENIENT,
    run: Path | None = typer.Option(None, help="Draw the curves of this training run instead."),
    out: Path = typer.Option(Path("report.html"), help="The page to write."),
) -> None:
    """Write a page about a submission or a run.

    One file that opens offline: every task with both attempts, or the curves of a training run.
    """
    from arc_solver.corpus.named_tasks import read_named_softly
    from arc_solver.storage.files import sweep_beside, write_atomic
    from arc_solver.storage.text import DataError

    log = None if run is None else run / "metrics.jsonl"
    refuse_overwriting({"--out": out}, submission, tasks, solutions, candidates, log)
    refuse_ending("--out", out, ".html", ".htm")
    if submission is not None:
        refuse_boards(submission)
    if submission is not None and solutions is not None:
        refuse_own_truth(submission, solutions)
    sweep_beside(out)
    written = writing(out)
    if run is not None:
        from arc_solver.report.training_page import build_curves, read_metrics

        source = run / "metrics.jsonl"
        if not source.is_file():
            raise DataError(f"{run}: no metrics.jsonl in the folder; is it a training run?")
        records, remarks = read_metrics(source)
        for remark in remarks:
            print(f"warning: {remark}", file=sys.stderr)
        page = build_curves(records, f"Training run {run.name}", remarks)
    elif submission is None or tasks is None:
        raise typer.BadParameter("give a submission and --tasks, or --run")
    else:
        readable, faults = read_named_softly(tasks, lenient=lenient, notice=sayer(False))
        if not readable:
            raise DataError(next(iter(faults.values())).text)
        listed = chosen(readable, limit, only, max_canvas, tasks)
        everything = limit is None and not only and max_canvas is None
        remarks = [fault.text for fault in faults.values()] if everything else []
        for remark in remarks:
            print(f"warning: {remark}; it is not shown", file=sys.stderr)
        page = _submission_page(submission, listed, solutions, candidates, everything, remarks)
    write_atomic(out, page.encode())
    tell(written())
    if sys.stderr.isatty():
        tell(f"wrote {out}; open it in a browser")
    typer.echo(str(out))


def _submission_page(
    submission: Path,
    listed: list[Task],
    solutions: str | None,
    candidates: Path | None,
    everything: bool,
    remarks: list[str],
) -> str:
    """The page; if `everything` is shown, all tasks of the truth count, as in `score`."""
    from arc_solver.prediction.truth import attempt_support, read_truth
    from arc_solver.report.submission_page import build_report
    from arc_solver.tasks.truth import carried_truth, truth_hash
    from submission.lenient_reader import load_answers
    from submission.score import score
    from submission.truth import TruthError

    answers = load_answers(submission)
    truth = carried_truth(listed)
    found = truth_hash(truth)
    if solutions is not None:
        truth, found = read_truth(solutions)
        if not any(task.id in truth for task in listed):
            raise TruthError(
                f"{solutions}: answers none of the tasks shown; give the solutions that belong to --tasks"
            )
    if not everything:
        truth = {task.id: truth[task.id] for task in listed if task.id in truth}
    owed = {task.id: max(len(task.test), len(truth.get(task.id, ()))) for task in listed}
    return build_report(
        listed,
        answers,
        truth=truth or None,
        support=attempt_support(candidates, answers, owed) if candidates else None,
        score_table=score(answers, truth, found).table() if truth else None,
        title=f"Report on {submission.name}",
        remarks=[f"not shown: {remark}" for remark in remarks],
    )
