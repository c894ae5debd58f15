"""arc-solve predict."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arc_solver.commands.console import (
    chosen,
    duration,
    refuse_options,
    refuse_overwriting,
    sayer,
    seconds_of,
    with_manifest,
)
from arc_solver.config import MAX_SEED

if TYPE_CHECKING:
    from arc_solver.prediction.deadlines import Times
    from arc_solver.prediction.prediction import Prediction
    from arc_solver.prediction.request import Wish

EPILOG = "\b\nExample: arc-solve predict --tasks arc-agi_test_challenges.json --time-limit 11h"

# A score is printed only where at least this much of the time limit is left for it.
SCORE_SECONDS = 1.5


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(predict)


def predict(
    tasks: str = typer.Option(
        ..., help="Challenges, a folder of tasks, '-', arc1:evaluation, or boards (csv, txt)."
    ),
    out: Path = typer.Option(Path("submission.json"), help="The submission (for boards: a csv of answers)."),
    checkpoint: Path | None = typer.Option(
        None, help="Weights in place of those that ship with the package."
    ),
    preset: str | None = typer.Option(
        None, help="Recipe in place of the checkpoint's; without --checkpoint tasks are learned from nothing."
    ),
    settings: list[str] = typer.Option([], "--set", help="key=value for any field of the recipe."),
    time_limit: str | None = typer.Option(None, help="A valid file is complete before this (90s, 25m, 11h)."),
    views: int | None = typer.Option(None, min=1, help="Views that vote on each test input."),
    ages: int | None = typer.Option(None, min=1, help="Most refinements of one answer."),
    rollouts: int | None = typer.Option(
        None,
        min=1,
        help="Boards: chains per view, all but the first with noise; the first confident one wins.",
    ),
    sigma: float | None = typer.Option(None, min=0, help="Noise of rollouts; default: 0.3 Sudoku, 1 maze."),
    adapt_steps: int | None = typer.Option(None, min=1, help="Steps of test-time training."),
    adapt_each: bool = typer.Option(False, help="Learn unknown tasks one by one, not all together."),
    keep: Path | None = typer.Option(
        None, help="Folder for what is learnt: started again, a run goes on there; the weights stay."
    ),
    no_adapt: bool = typer.Option(False, help="No test-time training on unknown tasks."),
    candidates: Path | None = typer.Option(
        None, help="Write every candidate with its votes here (JSON lines)."
    ),
    limit: int | None = typer.Option(None, min=1, help="Only the first N tasks."),
    only: list[str] | None = typer.Option(None, help="Only this task; may be repeated."),
    max_canvas: int | None = typer.Option(
        None, min=2, max=30, help="Only tasks whose canvas side is at most this."
    ),
    seed: int = typer.Option(0, min=0, max=MAX_SEED - 1, help="Seed of everything random."),
    shard: str | None = typer.Option(None, help="i/n: only the i-th of n parts of the tasks; see `merge`."),
    device: str = typer.Option("auto", help="auto, cpu, cuda, cuda:N or mps."),
    workers: int | None = typer.Option(None, min=1, help="Processes; default: one per GPU, or one."),
    threads: int | None = typer.Option(None, min=1, help="Threads of each process on a CPU."),
    lenient: bool = typer.Option(False, help='Take cells written as text ("3").'),
    skip_bad: bool = typer.Option(False, help="Leave out bad boards of a file and count them."),
    quiet: bool = typer.Option(False, help="No progress and no remarks."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Answer tasks, Sudokus or mazes.

    Tasks get two attempts for every test input, as a complete Kaggle submission. What the checkpoint does not
    know is learned from its demonstrations first.
    """
    from arc_solver.domains.sources import reads_boards
    from arc_solver.prediction.deadlines import Times, process_start
    from arc_solver.prediction.manifest import manifest_path
    from arc_solver.prediction.request import Wish
    from arc_solver.storage.output_lock import own_outputs

    times = Times.of(process_start(), seconds_of(time_limit))
    say = sayer(quiet)
    holds_boards = reads_boards(tasks)
    if holds_boards and out == Path("submission.json"):
        out = Path("answers.csv")
    written = with_manifest(out) | {"--candidates": candidates, "--keep": keep}
    refuse_overwriting(written, tasks, checkpoint)
    chains = {"rollouts": rollouts, "sigma": sigma}
    if holds_boards:
        refuse_options(
            {
                "--only": only,
                "--max-canvas": max_canvas,
                "--preset": preset,
                "--adapt-steps": adapt_steps,
                "--adapt-each": adapt_each,
                "--keep": keep,
                "--candidates": candidates,
            },
            f"for tasks; {tasks} holds boards",
        )
        settings = [*settings, *(f"{key}={value}" for key, value in chains.items() if value is not None)]
    else:
        given = {f"--{key}": value for key, value in chains.items()}
        refuse_options(given | {"--skip-bad": skip_bad}, f"for boards; {tasks} holds tasks")
    wish = Wish(
        source=tasks,
        out=out,
        checkpoint=checkpoint,
        preset=preset,
        settings=tuple(settings),
        views=views,
        ages=ages,
        adapt=not no_adapt,
        adapt_steps=adapt_steps,
        adapt_each=adapt_each,
        keep=keep,
        candidates=candidates,
        device=device,
        threads=threads,
        workers=workers,
        seed=seed,
        quiet=quiet,
    )
    with own_outputs(out, manifest_path(out), candidates):
        if holds_boards:
            _predict_boards(wish, times, (limit, shard, skip_bad), as_json, say)
        else:
            _predict_tasks(wish, times, (limit, shard, only, max_canvas, lenient), as_json, say)


def _predict_tasks(
    wish: Wish,
    times: Times,
    choice: tuple[int | None, str | None, list[str] | None, int | None, bool],
    as_json: bool,
    say: Callable[[str], None],
) -> None:
    """Answer tasks; `choice`: how many, which part, which ids, up to which canvas, whether cells are text."""
    from arc_solver.checkpoints.shipped import shipped_weights
    from arc_solver.domains.sources import tasks_softly
    from arc_solver.prediction.manifest import manifest_path
    from arc_solver.prediction.prediction import Prediction, missing_line
    from arc_solver.prediction.workforce import PredictionIncomplete
    from arc_solver.storage.earlier_files import earlier_files
    from arc_solver.tasks.reader import refuse_unreadable
    from arc_solver.tasks.sharding import parse_shard, part_of

    limit, shard, only, max_canvas, lenient = choice
    part = parse_shard(shard) if shard else (1, 1)
    if wish.checkpoint is None and wish.preset is None:
        wish = dataclasses.replace(wish, checkpoint=shipped_weights("arc"))
    readable, faults = tasks_softly(wish.source, lenient=lenient, notice=say)
    refuse_unreadable(readable, faults)
    wanted = chosen(readable, limit, only, max_canvas)
    everything = limit is None and not only and max_canvas is None
    wanted, owed_faults = part_of(wanted, list(faults.values()) if everything else [], *part)
    prediction = Prediction(wish, wanted, owed_faults, times, say)
    answered = prediction.standing.answers
    with earlier_files(wish.out, manifest_path(wish.out), unless=lambda: bool(answered)):
        facts = prediction.run()
        missing = missing_line(prediction.missing())
        if missing:
            say(missing)
        facts["seconds"] = round(time.monotonic() - times.started, 2)
        facts |= _scored(prediction, as_json, say)
        say(f"{wish.out}: done in {duration(time.monotonic() - times.started)}")
        if as_json:
            typer.echo(json.dumps(facts))
        if facts["failures"] and missing and not facts["out_of_time"]:
            failures = "; ".join(facts["failures"])
            raise PredictionIncomplete(f"{failures}; {missing}; {wish.out} is valid and complete")


def _predict_boards(
    wish: Wish,
    times: Times,
    choice: tuple[int | None, str | None, bool],
    as_json: bool,
    say: Callable[[str], None],
) -> None:
    """Answer boards; `choice`: how many of the file, which part of it, whether bad ones are left out."""
    from arc_solver.domains.sources import boards_of_source
    from arc_solver.prediction.board_prediction import BoardPrediction
    from arc_solver.prediction.manifest import manifest_path
    from arc_solver.prediction.workforce import PredictionIncomplete
    from arc_solver.storage.earlier_files import earlier_files
    from arc_solver.tasks.sharding import parse_shard

    limit, shard, skip_bad = choice
    number, num_parts = parse_shard(shard) if shard else (1, 1)
    boards = boards_of_source(wish.source, skip_bad=skip_bad, notice=say)
    boards = boards.take(slice(limit))
    end = len(boards)
    boards = boards.take(slice(end * (number - 1) // num_parts, end * number // num_parts))
    prediction = BoardPrediction(wish, boards, times, say)
    answered = prediction.standing.answered
    with earlier_files(wish.out, manifest_path(wish.out), unless=lambda: bool(answered.any())):
        facts = prediction.run()
        if facts["unanswered"]:
            say(f"without an answer: {facts['unanswered']} of {facts['boards']} boards")
        facts["seconds"] = round(time.monotonic() - times.started, 2)
        if facts["failures"] and facts["unanswered"] and not facts["out_of_time"]:
            failures = "; ".join(facts["failures"])
            raise PredictionIncomplete(f"{failures}; {facts['unanswered']} boards are without an answer")
    lines = [f"{key}: {value}" for key, value in facts.items()]
    typer.echo(json.dumps(facts) if as_json else "\n".join(lines))


def _scored(prediction: Prediction, as_json: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Print the score by the outputs that came with the tasks; no other file is opened for it."""
    from arc_solver.prediction.prediction import carried_score

    if prediction.times.left() < SCORE_SECONDS:
        say("no time left to score")
        return {}
    result = carried_score(prediction.wish.out, prediction.tasks)
    if result is None:
        say(f"score it: arc-solve score {prediction.wish.out} --solutions FILE")
        return {}
    if not as_json:
        typer.echo(result.table(), nl=False)
    return {"score": result.to_json()}
