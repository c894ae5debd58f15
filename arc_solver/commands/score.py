"""arc-solve score."""

from __future__ import annotations

import json
from pathlib import Path

import typer

EPILOG = "\b\nExample: arc-solve score submission.json --solutions arc-agi_evaluation_solutions.json"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(score)


def score(
    submission: Path = typer.Argument(..., help="The submission to score."),
    solutions: str = typer.Option(
        ..., help="Solutions file, tasks with outputs, or a name such as arc1:evaluation."
    ),
    candidates: Path | None = typer.Option(None, help="Candidates (JSON lines) for pass@k."),
    list_tasks: bool = typer.Option(False, "--list", help="List the tasks solved, partly solved and missed."),
    only_submitted: bool = typer.Option(
        False,
        help="Score only the tasks that the submission holds (said in the output; not Kaggle's number).",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Score a submission by three rules.

    Each with its interval; and what was missing or odd, and the hash of the truth.
    """
    from arc_solver.prediction.truth import ranked_candidates, read_truth
    from submission.lenient_reader import load_answers
    from submission.messages import count, named
    from submission.score import score as judge
    from submission.truth import TruthError

    truth, truth_hash = read_truth(solutions)
    answers = load_answers(submission)
    if only_submitted:
        truth = {task_id: grids for task_id, grids in truth.items() if task_id in answers}
        if not truth:
            raise TruthError(
                f"{solutions}: answers no task that {submission} holds, so there is nothing to score"
            )
    result = judge(answers, truth, truth_hash, ranked_candidates(candidates) if candidates else None)
    if as_json:
        typer.echo(json.dumps(result.to_json() | ({"only_submitted": True} if only_submitted else {})))
        return
    if only_submitted:
        held = count(len(truth), "task")
        typer.echo(f"scored here: {held} that the submission holds, and no other")
    typer.echo(result.table(), nl=False)
    if list_tasks:
        for name, ids in result.tasks().items():
            typer.echo(f"{name} ({len(ids)}): {' '.join(named(task_id) for task_id in ids)}")
