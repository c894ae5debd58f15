"""arc-solve train."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc_solver.commands.completion import presets, training_data, weights
from arc_solver.commands.console import sayer, seconds_of, set_threads
from arc_solver.commands.dry_run import forecast, megabytes
from arc_solver.commands.options import AS_JSON, DEVICE, LENIENT, QUIET, SETTINGS, THREADS
from arc_solver.config import MAX_SEED
from arc_solver.progress import announce_loading, duration

if TYPE_CHECKING:
    from arc_solver.training.cost import Estimate

EPILOG = "\b\nExample: arc-solve train --data arc1 --preset cpu-arc --time-limit 25m --out runs/arc"


def train(
    data: list[str] = typer.Option(
        ...,
        help="arc1, arc2, sudoku, maze, synthetic:COUNT, or a file or folder of tasks or boards.",
        autocompletion=training_data,
    ),
    preset: str = typer.Option(
        ..., help="Name of the recipe; `arc-solve info` lists them.", autocompletion=presets
    ),
    out: Path = typer.Option(..., help="Folder of the run; a run of the same recipe and data is resumed."),
    data_dir: Path | None = typer.Option(None, help="Folder with the files of arc1, arc2, sudoku or maze."),
    eval_data: str | None = typer.Option(
        None, help="Puzzles with answers, scored after every tenth of the run, or every eval_every steps."
    ),
    eval_solutions: Path | None = typer.Option(
        None, help="The answers to the tasks of --eval-data, if they are in a file of their own."
    ),
    time_limit: str | None = typer.Option(
        None, help="Training time (90s, 25m, 11h); the schedule is fitted to it."
    ),
    sitting: str | None = typer.Option(
        None, help="Save and stop after this long (9m); the schedule stays, and the same command goes on."
    ),
    init: str | None = typer.Option(
        None,
        help="Start from these weights: a file, the folder of a run, or a name such as arc.",
        autocompletion=weights,
    ),
    settings: list[str] = SETTINGS,
    steps: int | None = typer.Option(None, min=1, help="Optimizer steps; short for --set steps=N."),
    seed: int | None = typer.Option(
        None, min=0, max=MAX_SEED - 1, help="Seed; short for --set train.seed=N."
    ),
    device: str = DEVICE,
    threads: int | None = THREADS,
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Read the data, time a few steps, say what to expect; write nothing."
    ),
    tensorboard: bool = typer.Option(
        False, "--tensorboard", help="Also write the figures for TensorBoard into the folder."
    ),
    lenient: bool = LENIENT,
    skip_bad: bool = typer.Option(False, "--skip-bad", help="Leave out bad tasks or boards, and count them."),
    quiet: bool = QUIET,
    as_json: bool = AS_JSON,
) -> None:
    """Train a model; the same command resumes.

    You can stop it at any moment: it saves, and goes on from there when it is started again.
    """
    from arc_solver.checkpoints.file_format import FINAL_NAME
    from arc_solver.checkpoints.shipped import find_weights
    from arc_solver.corpus.corpus import read_corpus
    from arc_solver.domains.domains import idle_settings
    from arc_solver.hardware.accelerators import usable_cores
    from arc_solver.prediction.deadlines import process_start
    from arc_solver.presets import find_preset
    from arc_solver.settings import apply_settings

    if eval_solutions is not None and eval_data is None:
        raise typer.BadParameter(f"--eval-solutions {eval_solutions}: needs the tasks, --eval-data")
    limit, session = seconds_of(time_limit), seconds_of(sitting)
    session_end = None if session is None else process_start() + session
    leads = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts, one prints
    say = sayer(quiet or not leads)
    extra = ([f"steps={steps}"] if steps is not None else []) + (
        [f"train.seed={seed}"] if seed is not None else []
    )
    recipe = apply_settings(find_preset(preset), [*settings, *extra])
    if leads and not dry_run:
        refuse_folder_in_use(out)
    corpus = read_corpus(
        data,
        data_dir=data_dir,
        lenient=lenient,
        skip_bad=skip_bad,
        workers=usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        notice=say,
    )
    if line := idle_settings(corpus.domain, settings):
        say(line)
    announce_loading(say, "; then a few steps are timed")
    from arc_solver.inference.evaluate import read_evaluator
    from arc_solver.training.run import AGAIN, RunOptions, measure_step
    from arc_solver.training.run import train as run

    set_threads(threads)
    evaluator = None
    if eval_data is not None:
        evaluator = read_evaluator(eval_data, recipe, corpus, solutions=eval_solutions, notice=say)
        corpus = corpus.scored_on(eval_data, eval_solutions)
    elif recipe.train.eval_every:
        say("eval_every has no effect without --eval-data")
    start = None if init is None else find_weights(init, say=say)
    if dry_run:
        facts = measure_step(recipe, corpus, device, start, say, limit)
        if not leads:
            return
        if as_json:
            typer.echo(json.dumps(facts))
        else:
            typer.echo(forecast(facts, recipe.train, limit), nl=False)
        return
    options = RunOptions(
        limit,
        session_end,
        start,
        device,
        quiet,
        evaluator,
        say,
        expect=None if quiet else lambda cost: say(expectation(cost, limit)),
        tensorboard=tensorboard,
    )
    path = run(recipe, corpus, out, options)
    if leads:
        complete = path.name == FINAL_NAME
        within = f" (limit {duration(limit)})" if limit else ""
        say(
            f"trained; weights in {path}{within}"
            if complete
            else f"the session is over; saved {path}; {AGAIN}"
        )
        facts = {"weights": str(path), "out": str(out), "complete": complete}
        typer.echo(json.dumps(facts) if as_json else str(path))


def refuse_folder_in_use(out: Path) -> None:
    """FolderInUse before anything slow is done; does not create the folder."""
    from arc_solver.storage.files import LOCK_NAME, lock_folder

    if (out / LOCK_NAME).exists():
        with lock_folder(out):
            pass


def expectation(cost: Estimate, limit: float | None) -> str:
    """The expected cost of a run, in one line."""
    from submission.messages import count

    if limit is None:
        extent = f"{count(cost.steps, 'step')} in {duration(cost.seconds)}"
    elif cost.seconds <= limit:
        extent = f"{count(cost.steps, 'step')} in {duration(cost.seconds)} of {duration(limit)}"
    else:
        extent = f"about {cost.steps_within(limit):,} of {count(cost.steps, 'step')} in {duration(limit)}"
    return (
        f"expected: {cost.seconds_per_step:.3g} s a step, {extent}; "
        f"checkpoints of {megabytes(cost.checkpoint_bytes)}, {megabytes(cost.disk_bytes)} of disk in all"
    )
