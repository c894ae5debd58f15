"""arc-solve validate."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from arc_solver.commands.completion import sources
from arc_solver.commands.console import chosen
from arc_solver.commands.options import AS_JSON
from arc_solver.commands.score import refuse_boards

EPILOG = "\b\nExample: arc-solve validate submission.json --tasks arc-agi_test_challenges.json"
SHOWN = 10


def validate(
    submission: Path = typer.Argument(..., help="The submission to check."),
    tasks: str = typer.Option(..., help="The tasks that it must answer.", autocompletion=sources),
    limit: int | None = typer.Option(
        None, min=1, help="It must answer only the first N tasks (as in predict)."
    ),
    only: list[str] | None = typer.Option(
        None, metavar="ID", help="It must answer only this task; may be repeated."
    ),
    max_canvas: int | None = typer.Option(
        None, min=2, max=30, help="It must answer only tasks that fit on a canvas of this side."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Check that a submission can be handed in.

    It must be complete and well formed; if it is not, the first defects are named and the exit code is 4.
    """
    from arc_solver.corpus.named_tasks import read_named_softly
    from arc_solver.prediction.truth import owed_outputs
    from arc_solver.storage.source import exists
    from arc_solver.storage.text import DataError
    from submission.messages import count
    from submission.validation import validate as defects_of

    if not exists(str(submission)):
        raise DataError(f"{submission}: cannot be read: No such file or directory")
    refuse_boards(submission)
    readable, faults = read_named_softly(tasks)
    everything = limit is None and not only and max_canvas is None
    owed = owed_outputs(chosen(readable, limit, only, max_canvas, tasks), faults if everything else {})
    defects = defects_of(submission, owed)
    if as_json:
        typer.echo(json.dumps({"valid": not defects, "defects": [str(defect) for defect in defects]}))
    elif not defects:
        owes = f"{count(len(owed), 'task')}, {count(sum(owed.values()), 'output')}"
        typer.echo(f"{submission}: valid, {owes}, two attempts each")
    elif len(defects) == 1:
        text = str(defects[0])
        named = text if text.startswith(f"{submission}: ") else f"{submission}: {text}"
        print(f"error: {named}", file=sys.stderr)
    else:
        for defect in defects[:SHOWN]:
            print(defect, file=sys.stderr)
        more = f", {len(defects) - SHOWN} of them not shown" if len(defects) > SHOWN else ""
        print(f"error: {submission}: {len(defects)} defects{more}", file=sys.stderr)
    if defects:
        raise typer.Exit(4)
