"""arc-solve show."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import typer

from arc_solver.commands.console import chosen, sayer

EPILOG = "Example: arc-solve show arc1:training --id 00d62c1b"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(show)


def show(
    tasks: str = typer.Argument(..., help="Tasks: a file, a folder or a name such as arc1:training."),
    task_id: list[str] | None = typer.Option(None, "--id", help="Only this task; may be repeated."),
    limit: int = typer.Option(3, min=1, help="How many tasks at most."),
    max_canvas: int | None = typer.Option(
        None, min=2, max=30, help="Only tasks whose canvas side is at most this."
    ),
    lenient: bool = typer.Option(False, help='Take cells written as text ("3").'),
    skip_bad: bool = typer.Option(False, help="Leave out bad tasks and count them."),
    submission: Path | None = typer.Option(None, help="Draw the two attempts of this submission too."),
    color: bool | None = typer.Option(None, help="Colors; default: when the output is a terminal."),
) -> None:
    """Draw tasks in the terminal."""
    from arc_solver.report.terminal import ansi_task, wants_color
    from arc_solver.tasks.reader import faults_line, read_tasks_softly, refuse_unreadable
    from submission.lenient_reader import NUM_ATTEMPTS, load_answers, read_answers

    readable, faults = read_tasks_softly(
        tasks, with_solutions=submission is not None, lenient=lenient, notice=sayer(False)
    )
    asked = {name: faults[name] for name in task_id or () if name in faults}
    refuse_unreadable([] if asked or not (skip_bad or task_id) else readable, asked or faults)
    if faults and skip_bad:
        print(faults_line(tasks, faults), file=sys.stderr)
    listed = chosen(readable, limit, task_id, max_canvas, "--id")
    paint = wants_color(os.environ, sys.stdout.isatty()) if color is None else color
    width = shutil.get_terminal_size((100, 40)).columns
    rankings = {}
    if submission is not None:
        owed = {task.id: len(task.test) for task in listed}
        rankings, remarks = read_answers(load_answers(submission), owed)
        remarks.extra_tasks.clear()  # those that are not drawn
        for line in remarks.lines():
            print(f"warning: {submission}: {line}", file=sys.stderr)
    for task in listed:
        guesses = [[*found, None, None][:NUM_ATTEMPTS] for found in rankings.get(task.id, ())]
        typer.echo(ansi_task(task, width, color=paint, attempts=guesses), color=True)
        typer.echo()
