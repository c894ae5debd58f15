"""arc-solve predict."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arc_solver.commands.console import chosen, duration, sayer, seconds_of, set_threads

if TYPE_CHECKING:
    from arc_solver.task import Task
    from submission.vote import BallotBox

EPILOG = "\b\nExample: arc-solve predict --tasks arc-agi_test_challenges.json --time-limit 11h"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(predict)


def predict(
    tasks: str = typer.Option(
        ..., help="Challenges, a folder of tasks, '-', arc1:evaluation, or boards (csv, txt)."
    ),
    out: Path = typer.Option(Path("submission.json"), help="The submission (for boards: a csv of answers)."),
    checkpoint: Path | None = typer.Option(
        None, help="Weights; without them tasks are learned from nothing."
    ),
    preset: str | None = typer.Option(None, help="Recipe in place of the checkpoint's."),
    settings: list[str] = typer.Option([], "--set", help="key=value for any field of the recipe."),
    time_limit: str | None = typer.Option(None, help="A valid file is complete before this (90s, 25m, 11h)."),
    views: int | None = typer.Option(None, min=1, help="Views that vote on each test input."),
    ages: int | None = typer.Option(None, min=1, help="Most refinements of one answer."),
    adapt_steps: int | None = typer.Option(None, min=1, help="Steps of test-time training."),
    no_adapt: bool = typer.Option(False, help="No test-time training on unknown tasks."),
    candidates: Path | None = typer.Option(
        None, help="Write every candidate with its votes here (JSON lines)."
    ),
    limit: int | None = typer.Option(None, min=1, help="Only the first N tasks."),
    only: list[str] | None = typer.Option(None, help="Only this task; may be repeated."),
    max_canvas: int | None = typer.Option(
        None, min=2, max=30, help="Only tasks whose canvas side is at most this."
    ),
    seed: int = typer.Option(0, min=0, help="Seed of everything random."),
    device: str = typer.Option("auto", help="auto, cpu, cuda, cuda:N or mps."),
    threads: int | None = typer.Option(None, min=1, help="Threads of torch on a CPU."),
    lenient: bool = typer.Option(False, help='Take cells written as text ("3").'),
    skip_bad: bool = typer.Option(False, help="Leave out bad boards of a file and count them."),
    quiet: bool = typer.Option(False, help="No progress and no remarks."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Answer tasks, Sudokus or mazes.

    Tasks get two attempts for every test input, as a complete Kaggle submission. What the checkpoint does not
    know is learned from its demonstrations first.
    """
    started = time.monotonic()
    seconds = seconds_of(time_limit)
    say = sayer(quiet)
    if Path(tasks).name.removesuffix(".gz").endswith((".csv", ".txt")):
        from arc_solver.boardwork import predict_boards
        from arc_solver.solve import end_of

        set_threads(threads)
        facts = predict_boards(
            Path(tasks),
            out if out != Path("submission.json") else Path("answers.csv"),
            checkpoint,
            settings=settings,
            limits={"views": views, "ages": ages},
            deadline=None if seconds is None else end_of(started, seconds),
            device=device,
            num=limit,
            skip_bad=skip_bad,
            quiet=quiet,
            say=say,
        )
        typer.echo(
            json.dumps(facts) if as_json else "\n".join(f"{key}: {value}" for key, value in facts.items())
        )
        return

    from arc_solver.task import read_tasks_softly

    readable, faults = read_tasks_softly(tasks, lenient=lenient, notice=say)
    wanted = chosen(readable, limit, only, max_canvas)
    owed = {task.id: len(task.test) for task in wanted}
    if limit is None and not only and max_canvas is None:
        owed |= {fault.id: fault.num_tests for fault in faults.values()}
    for fault in faults.values():
        say(f"warning: {fault.text}; it gets the fallback answer")
    _write(out, owed, None)
    say(f"{out}: complete fallback written for {len(owed)} tasks; answers replace it as they come")

    from arc_solver.corpus import without_answers
    from arc_solver.presets import find_preset
    from arc_solver.solve import SolveOptions, end_of, vote

    set_threads(threads)
    options = SolveOptions(
        preset=find_preset(preset) if preset else None,
        settings=tuple(settings),
        views=views,
        ages=ages,
        adapt=not no_adapt,
        adapt_steps=adapt_steps,
        deadline=None if seconds is None else end_of(started, seconds),
        device=device,
        seed=seed,
        quiet=quiet,
        say=say,
        on_votes=lambda box: _write(out, owed, box),
    )
    box = vote([without_answers(task) for task in wanted], checkpoint, options)
    if candidates is not None:
        _write_candidates(candidates, box)
    facts = {"submission": str(out), "tasks": len(owed), "outputs": sum(owed.values())}
    unanswered = [f"{q.task_id}[{q.index}]" for q in box.queries if not box.elect(q, 1)]
    if unanswered:
        more = " ..." if len(unanswered) > 5 else ""
        say(f"without a guess: {len(unanswered)} outputs ({', '.join(unanswered[:5])}{more})")
    facts |= {"unanswered": len(unanswered), "seconds": round(time.monotonic() - started, 2)}
    facts |= _scored(out, wanted, tasks, as_json)
    say(f"{out}: done in {duration(time.monotonic() - started)}")
    if as_json:
        typer.echo(json.dumps(facts))


def _write(out: Path, owed: dict[str, int], box: BallotBox | None) -> None:
    from arc_solver.files import write_atomic
    from submission.kaggle_json import build_submission, dump_submission

    attempts = {} if box is None else {query: box.attempts(query) for query in box.queries}
    write_atomic(out, dump_submission(build_submission(owed, attempts)))


def _write_candidates(path: Path, box: BallotBox) -> None:
    from arc_solver.files import write_atomic
    from submission.candidates import from_tallies, write_candidates

    listed = [c for query in box.queries for c in from_tallies(query, box.tallies(query), "arc-solver")]
    write_atomic(path, write_candidates(listed))


def _scored(out: Path, wanted: list[Task], source: str, as_json: bool) -> dict[str, Any]:
    """Print the score where the truth is at hand: with the tasks, or in the solutions file beside them."""
    from arc_solver.judging import carried_truth, truth_hash
    from arc_solver.task import solutions_beside
    from submission.answers import load_answers
    from submission.score import score
    from submission.truth import read_solutions

    truth = carried_truth(wanted)
    found = truth_hash(truth)
    beside = solutions_beside(source) if not truth else None
    if beside is not None:
        everything, found = read_solutions(beside)
        truth = {task.id: everything[task.id] for task in wanted if task.id in everything}
    if not truth:
        return {}
    result = score(load_answers(out), truth, found)
    if not as_json:
        typer.echo(result.table(), nl=False)
    return {"score": result.to_json()}
