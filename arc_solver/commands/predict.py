"""arc-solve predict."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arc_solver.commands.completion import presets
from arc_solver.commands.console import (
    BOARD_ENDINGS,
    chosen_places,
    refuse_ending,
    refuse_options,
    refuse_overwriting,
    sayer,
    seconds_of,
    with_manifest,
    writing,
)
from arc_solver.commands.options import (
    AS_JSON,
    CHECKPOINT,
    DEVICE,
    LENIENT,
    MAX_CANVAS,
    QUIET,
    SEED,
    SETTINGS,
    SOURCE,
    TASKS,
    THREADS,
)
from arc_solver.commands.source import named_material, one_source
from arc_solver.progress import duration

if TYPE_CHECKING:
    from arc_solver.prediction.prediction import Prediction

EPILOG = (
    "\b\nExample: arc-solve predict 00d62c1b\n         arc-solve predict puzzles.csv --out answers.csv\n"
    "         arc-solve predict arc-agi_test_challenges.json --time-limit 11h"
)

# A score is printed only if at least this much of the time limit is left.
SCORE_SECONDS = 1.5
FEW = 3  # tasks that are shown in the terminal, not on a page


def predict(
    source: str | None = SOURCE,
    tasks: str | None = TASKS,
    limit: int | None = typer.Option(None, min=1, help="Only the first N tasks or boards."),
    only: list[str] | None = typer.Option(
        None, metavar="ID", help="Only this task (for boards, the number, counting from 1); may be repeated."
    ),
    max_canvas: int | None = MAX_CANVAS,
    shard: str | None = typer.Option(
        None, help="i/n: only the i-th of n parts of the tasks; `merge` joins them."
    ),
    lenient: bool = LENIENT,
    skip_bad: bool = typer.Option(
        False, "--skip-bad", help="Leave out the bad boards of a file, and count them."
    ),
    time_limit: str | None = typer.Option(
        None,
        help="Finish with a valid file within this time (90s, 25m, 11h); default: by number and size.",
    ),
    adapt_steps: int | None = typer.Option(None, min=1, help="Steps of test-time training."),
    adapt_each: bool = typer.Option(
        False, "--adapt-each", help="Learn unknown tasks one by one, not all together."
    ),
    keep: Path | None = typer.Option(
        None, help="Keep what is learned in this folder; the same line, typed again, goes on from there."
    ),
    adapt: bool = typer.Option(
        True, " /--no-adapt", show_default=False, help="No test-time training on unknown tasks."
    ),
    checkpoint: str | None = CHECKPOINT,
    preset: str | None = typer.Option(
        None,
        help="Recipe in place of the checkpoint's; without --checkpoint, tasks are learned from scratch.",
        autocompletion=presets,
    ),
    settings: list[str] = SETTINGS,
    views: int | None = typer.Option(None, min=1, help="Views that vote on each test input."),
    ages: int | None = typer.Option(None, min=1, help="At most this many refinements of an answer."),
    rollouts: int | None = typer.Option(
        None,
        min=1,
        help="Chains per view, all but the first with noise; they vote, or the first confident one wins.",
    ),
    sigma: float | None = typer.Option(
        None, min=0, help="Noise of rollouts; default: the recipe's, else 0.3 for boards and none for tasks."
    ),
    seed: int = SEED,
    device: str = DEVICE,
    workers: int | None = typer.Option(None, min=1, help="Processes; default: one per GPU, or one."),
    threads: int | None = THREADS,
    out: Path | None = typer.Option(
        None,
        help="The file of answers; default: submission.json, answers.csv for a file of boards, and none for "
        "a typed Sudoku.",
    ),
    candidates: Path | None = typer.Option(
        None, help="Write every candidate with its votes here (JSON lines).", rich_help_panel="Where to"
    ),
    quiet: bool = QUIET,
    as_json: bool = AS_JSON,
) -> None:
    """Answer tasks, Sudokus or mazes.

    Every test input of a task gets two attempts, in a complete Kaggle submission. A task that the checkpoint
    does not know is first learned from its demonstrations.
    """
    asked = dict(locals())
    given = one_source(source, tasks, "answer")
    from arc_solver.checkpoints.shipped import find_weights
    from arc_solver.commands.task_answers import advice
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
    is_named = out is not None
    if out is None and (domain.learns or not named):
        out = asked["out"] = Path(domain.default_out)
    weights = find_weights(checkpoint, say=say) if checkpoint is not None else None
    asked["checkpoint"] = weights
    refuse_overwriting(with_manifest(out) | {"--candidates": candidates, "--keep": keep}, source, weights)
    refuse_ending("--out", out, *((".json",) if domain.learns else BOARD_ENDINGS))
    refuse_ending("--candidates", candidates, ".jsonl", ".json")
    there = keep and next((path for path in (keep, *keep.absolute().parents) if path.exists()), None)
    if there and not there.is_dir():
        raise typer.BadParameter(
            f"--keep {keep}: {'a' if there == keep else 'below a'} file, expected a folder"
        )
    request = PredictRequest.of(asked)
    material, faults = (named[1], {}) if named else domain.read(source, Reading(lenient, skip_bad), say)
    places = chosen_places(domain, material, limit, only, max_canvas, source)
    if places is not None:
        material, faults = domain.take(material, places), {}
    material, faults = domain.part(material, faults, *part)
    manifest = manifest_path(out) if out else None
    prediction = Prediction(request, domain, material, faults, times, say)
    asked_for: dict[str, list[Any]] = {"--limit": [limit], "--max-canvas": [max_canvas], "--only": only or []}
    choice = [word for name, values in asked_for.items() for v in values if v for word in (name, str(v))]
    written = writing(out, candidates, manifest=True)
    try:
        with (
            own_outputs(out, manifest, candidates),
            earlier_files(out, manifest, unless=prediction.sheet.has_answers),
        ):
            remarks = []
            if out and out.exists() and not is_named:
                remarks.append(f"{out}: replaces an earlier file; --out FILE keeps both")
            if keep is not None:
                remarks.append(
                    f"{keep}: keeps what is learned; after an interruption the same line goes on from there"
                )
            facts = prediction.run(remarks)
            last = [written(), advice(prediction), _next(prediction, choice)]
            _tell(prediction, facts, as_json, last, say)
    except SystemExit as signal:
        signal.add_note(_stopped(prediction))
        raise


def _stopped(prediction: Prediction) -> str:
    """What is complete after a signal, and how to go on."""
    sheet, keep, out = prediction.sheet, prediction.request.solve.keep, prediction.request.out
    missing = sheet.missing()
    whole = f"{out} is complete" + (f" but for what is {missing}" if missing else "")
    stands = whole if out and sheet.has_answers() else "nothing is answered yet"
    hint = "; with --keep FOLDER it would have resumed" if prediction.domain.learns else ""
    again = f"goes on from {keep}" if keep else f"starts over{hint}"
    return f"{stands}; the same command {again}"


def _next(prediction: Prediction, choice: list[str]) -> str:
    """The next command to type, which shows the answers; `choice` are the options that chose the puzzles."""
    out, source = prediction.request.out, prediction.request.source
    num = len(prediction.domain.ids(prediction.material)) if prediction.domain.learns else 0
    if out is None:
        words = ["watch", source]
    elif not num:
        words = ["show", str(out)]
    elif source == "-":
        words = ["score", str(out), "--solutions", "TRUTH"]
    elif num <= FEW:
        words = ["show", source, *(w.replace("--only", "--id") for w in choice), "--submission", str(out)]
    else:
        words = ["report", str(out), "--tasks", source, *choice]
    return f"next: arc-solve {shlex.join(words)}"


def _tell(
    prediction: Prediction,
    facts: dict[str, Any],
    as_json: bool,
    last_lines: Sequence[str | None],
    say: Callable[[str], None],
) -> None:
    """Print what was done, with a score if answers are known; PredictionIncomplete after failures."""
    from arc_solver.commands.board_answers import board_results, draw_boards
    from arc_solver.commands.task_answers import draw_answers
    from arc_solver.prediction.board_sheet import BoardSheet
    from arc_solver.prediction.prediction import PredictionIncomplete
    from arc_solver.prediction.submission_sheet import SubmissionSheet

    sheet = prediction.sheet
    out, times, missing = prediction.request.out, prediction.times, sheet.missing()
    if missing:
        more = "; a longer --time-limit answers more" if facts["out_of_time"] else ""
        say(f"{missing}{more}")
    facts["seconds"] = round(time.monotonic() - times.started, 2)
    late = times.left() < SCORE_SECONDS
    score = {} if late else sheet.score()
    facts |= score
    if not as_json:
        if isinstance(sheet, BoardSheet) and not late:
            draw_boards(sheet)
        elif isinstance(sheet, SubmissionSheet) and not late:
            draw_answers(sheet)
        typer.echo(sheet.text(facts), nl=False)
    elif isinstance(sheet, BoardSheet):
        facts["results"] = board_results(sheet)
    if late:
        say("no time left to score")
    say(f"{f'{out}: ' if out else ''}done in {duration(time.monotonic() - times.started)}")
    for line in filter(None, last_lines):
        say(line)
    if as_json:
        typer.echo(json.dumps(facts))
    if facts["failures"] and missing and not facts["out_of_time"]:
        whole = [f"{out} is valid and complete"] if out else []
        raise PredictionIncomplete("; ".join([*facts["failures"], missing, *whole]))
