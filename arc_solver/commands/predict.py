"""arc-solve predict."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arc_solver.commands.console import (
    chosen_places,
    duration,
    refuse_options,
    refuse_overwriting,
    sayer,
    seconds_of,
    with_manifest,
)
from arc_solver.commands.grouped_help import GroupedCommand
from arc_solver.commands.source import HELP, named_material, one_source
from arc_solver.config import MAX_SEED

if TYPE_CHECKING:
    from arc_solver.prediction.prediction import Prediction

EPILOG = (
    "\b\nExample: arc-solve predict 00d62c1b\n          arc-solve predict puzzles.csv --out answers.csv\n"
    "          arc-solve predict arc-agi_test_challenges.json --time-limit 11h"
)

# A score is printed only if at least this much of the time limit is left.
SCORE_SECONDS = 1.5
DEFAULT_OUT = "submission.json"
WHAT, LONG, HOW, WHERE = "What to answer", "How long", "How", "Where to"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG, cls=GroupedCommand)(predict)


def predict(
    source: str | None = typer.Argument(None, metavar="TASKS", help=HELP),
    tasks: str | None = typer.Option(None, help="The same, named.", rich_help_panel=WHAT),
    limit: int | None = typer.Option(
        None, min=1, help="Only the first N tasks or boards.", rich_help_panel=WHAT
    ),
    only: list[str] | None = typer.Option(
        None,
        metavar="ID",
        help="Only this task (of boards the number, from 1); may be repeated.",
        rich_help_panel=WHAT,
    ),
    max_canvas: int | None = typer.Option(
        None, min=2, max=30, help="Only tasks whose canvas side is at most this.", rich_help_panel=WHAT
    ),
    shard: str | None = typer.Option(
        None, help="i/n: only the i-th of n parts of the tasks; see `merge`.", rich_help_panel=WHAT
    ),
    lenient: bool = typer.Option(
        False, "--lenient", help='Take cells written as text ("3").', rich_help_panel=WHAT
    ),
    skip_bad: bool = typer.Option(
        False, "--skip-bad", help="Leave out bad boards of a file and count them.", rich_help_panel=WHAT
    ),
    time_limit: str | None = typer.Option(
        None,
        help="A valid file is complete before this (90s, 25m, 11h); default: by the size of the tasks.",
        rich_help_panel=LONG,
    ),
    adapt_steps: int | None = typer.Option(
        None, min=1, help="Steps of test-time training.", rich_help_panel=LONG
    ),
    adapt_each: bool = typer.Option(
        False, "--adapt-each", help="Learn unknown tasks one by one, not all together.", rich_help_panel=LONG
    ),
    keep: Path | None = typer.Option(
        None,
        help="Folder for the learned weights; a run that is started again goes on from there.",
        rich_help_panel=LONG,
    ),
    adapt: bool = typer.Option(
        True,
        " /--no-adapt",
        show_default=False,
        help="No test-time training on unknown tasks.",
        rich_help_panel=LONG,
    ),
    checkpoint: str | None = typer.Option(
        None,
        help="Weights in place of those that ship with the package: a file, or a name such as arc.",
        rich_help_panel=HOW,
    ),
    preset: str | None = typer.Option(
        None,
        help="Recipe in place of the checkpoint's; without --checkpoint tasks are learned from nothing.",
        rich_help_panel=HOW,
    ),
    settings: list[str] = typer.Option(
        [], "--set", metavar="KEY=VALUE", help="key=value for any field of the recipe.", rich_help_panel=HOW
    ),
    views: int | None = typer.Option(
        None, min=1, help="Views that vote on each test input.", rich_help_panel=HOW
    ),
    ages: int | None = typer.Option(None, min=1, help="Most refinements of one answer.", rich_help_panel=HOW),
    rollouts: int | None = typer.Option(
        None,
        min=1,
        help="Chains per view, all but the first with noise: they vote, or the first confident one wins.",
        rich_help_panel=HOW,
    ),
    sigma: float | None = typer.Option(
        None,
        min=0,
        help="Noise of rollouts; default: the recipe's, else 0.3 for boards and none for tasks.",
        rich_help_panel=HOW,
    ),
    seed: int = typer.Option(
        0, min=0, max=MAX_SEED - 1, help="Seed of everything random.", rich_help_panel=HOW
    ),
    device: str = typer.Option("auto", help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=HOW),
    workers: int | None = typer.Option(
        None, min=1, help="Processes; default: one per GPU, or one.", rich_help_panel=HOW
    ),
    threads: int | None = typer.Option(
        None, min=1, help="Threads of each process on a CPU.", rich_help_panel=HOW
    ),
    out: Path = typer.Option(
        Path(DEFAULT_OUT), help="The submission (for boards: a csv of answers).", rich_help_panel=WHERE
    ),
    candidates: Path | None = typer.Option(
        None, help="Write every candidate with its votes here (JSON lines).", rich_help_panel=WHERE
    ),
    quiet: bool = typer.Option(False, "--quiet", help="No progress and no remarks.", rich_help_panel=WHERE),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object.", rich_help_panel=WHERE),
) -> None:
    """Answer tasks, Sudokus or mazes.

    Tasks get two attempts for every test input, as a complete Kaggle submission. What the checkpoint does not
    know is learned from its demonstrations first.
    """
    asked = dict(locals())
    given = one_source(source, tasks)
    from arc_solver.checkpoints.shipped import find_weights
    from arc_solver.domains.domains import domain_of
    from arc_solver.domains.protocols import Reading
    from arc_solver.prediction.deadlines import Times, process_start
    from arc_solver.prediction.manifest import manifest_path
    from arc_solver.prediction.prediction import Prediction
    from arc_solver.prediction.request import PredictRequest
    from arc_solver.storage.earlier_files import earlier_files
    from arc_solver.storage.output_lock import own_outputs
    from arc_solver.tasks.sharding import parse_shard

    times = Times.of(process_start(), seconds_of(time_limit))
    say, part = sayer(quiet), parse_shard(shard) if shard else (1, 1)
    named = named_material(given)
    domain, source = (named[0], named[2]) if named else (domain_of(given), given)
    asked["source"] = source
    for option, reason in domain.refused.items():
        refuse_options({option: asked[option.removeprefix("--").replace("-", "_")]}, f"{reason} ({source})")
    if out == Path(DEFAULT_OUT):
        out = asked["out"] = Path(domain.default_out)
    weights = find_weights(checkpoint) if checkpoint is not None else None
    asked["checkpoint"] = weights
    refuse_overwriting(with_manifest(out) | {"--candidates": candidates, "--keep": keep}, source, weights)
    if keep is not None and keep.exists() and not keep.is_dir():
        raise typer.BadParameter(f"--keep {keep}: a file, expected a folder")
    request = PredictRequest.of(asked)
    material, faults = (named[1], {}) if named else domain.read(source, Reading(lenient, skip_bad), say)
    places = chosen_places(domain, material, limit, only, max_canvas)
    if places is not None:
        material, faults = domain.take(material, places), {}
    material, faults = domain.part(material, faults, *part)
    prediction = Prediction(request, domain, material, faults, times, say)
    manifest = manifest_path(out)
    with (
        own_outputs(out, manifest, candidates),
        earlier_files(out, manifest, unless=prediction.sheet.has_answers),
    ):
        _tell(prediction, prediction.run(), as_json, say)


def _tell(prediction: Prediction, facts: dict[str, Any], as_json: bool, say: Callable[[str], None]) -> None:
    """Print what was done, with a score if answers are known; PredictionIncomplete after failures."""
    from arc_solver.commands.board_answers import board_results, draw_boards
    from arc_solver.prediction.board_sheet import BoardSheet
    from arc_solver.prediction.prediction import PredictionIncomplete

    sheet = prediction.sheet
    out, times, missing = prediction.request.out, prediction.times, sheet.missing()
    if missing:
        say(missing)
    facts["seconds"] = round(time.monotonic() - times.started, 2)
    late = times.left() < SCORE_SECONDS
    score = {} if late else sheet.score()
    facts |= score
    if not as_json:
        if isinstance(sheet, BoardSheet) and not late:
            draw_boards(sheet)
        typer.echo(sheet.text(facts), nl=False)
    elif isinstance(sheet, BoardSheet):
        facts["results"] = board_results(sheet)
    if not score:
        next_one = (
            f"look at them: arc-solve show {out}"
            if isinstance(sheet, BoardSheet)
            else f"score it: arc-solve score {out} --solutions TRUTH"
        )
        say("no time left to score" if late else next_one)
    say(f"{out}: done in {duration(time.monotonic() - times.started)}")
    if as_json:
        typer.echo(json.dumps(facts))
    if facts["failures"] and missing and not facts["out_of_time"]:
        failures = "; ".join(facts["failures"])
        raise PredictionIncomplete(f"{failures}; {missing}; {out} is valid and complete")
