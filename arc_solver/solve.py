"""Composition root of prediction: adapt -> predict -> vote -> write."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm import tqdm

from arc_solver.config import Preset, apply_settings, with_values
from arc_solver.device import choose_device
from arc_solver.files import write_atomic
from arc_solver.inference.adapt import adapt, cold_model, warm_model
from arc_solver.inference.tasks import guesses, num_rows
from arc_solver.weights import Loaded, load
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.puzzles import PuzzleMap
from arc_solver.task import Task
from arc_solver.training.loop import Limits
from augment.grid import Grid
from submission.kaggle_json import build_submission, dump_submission
from submission.vote import BallotBox, Query, Tally

COLD_PRESET = "cpu-arc"
# Of the time that is left, what test-time training may take; the rest answers.
ADAPT_SHARE = 0.8
WRITE_SECONDS = 5.0
# Kept free at the end of a time limit for the step in progress, the last vote and the writing.
MARGIN_SECONDS, MARGIN_SHARE = 3.0, 0.02


@dataclass
class SolveOptions:
    """How one prediction runs. `deadline` is a monotonic instant by which `solve` has returned."""

    preset: Preset | None = None
    settings: tuple[str, ...] = ()
    views: int | None = None
    ages: int | None = None
    adapt: bool = True
    adapt_steps: int | None = None
    deadline: float | None = None
    device: str = "auto"
    seed: int = 0
    quiet: bool = True
    say: Callable[[str], None] = field(default=lambda _: None)
    on_votes: Callable[[BallotBox], None] = field(default=lambda _: None)


def solve(tasks: Sequence[Task], checkpoint: str | Path | None = None, **options: object) -> dict[Query, list[Grid]]:
    """Up to two grids for every test input of `tasks`, best first; options are the fields of SolveOptions.

    Tasks that the checkpoint knows by content are answered with their rows; others are learned from their
    demonstrations first, from the checkpoint's weights or, without one, from nothing.
    """
    box = vote(tasks, checkpoint, SolveOptions(**options))  # type: ignore[arg-type]
    return {query: box.attempts(query) for query in box.queries}


def vote(tasks: Sequence[Task], checkpoint: str | Path | None, options: SolveOptions) -> BallotBox:
    """As `solve`, but with all candidates and their votes."""
    box = BallotBox([Query(task.id, i) for task in tasks for i in range(len(task.test))])
    device = choose_device(options.device)
    loaded = load(checkpoint) if checkpoint is not None else None
    preset = options.preset or (loaded.preset if loaded else find_preset(COLD_PRESET))
    preset = apply_settings(preset, list(options.settings))
    chosen = {"views": options.views, "ages": options.ages}
    config = with_values(preset.predict, {key: value for key, value in chosen.items() if value is not None})
    preset = dataclasses.replace(preset, predict=config)
    known = [t for t, task in enumerate(tasks) if loaded and loaded.puzzles.find(task) is not None]
    unknown = sorted(set(range(len(tasks))) - set(known))
    if known and loaded:
        numbers = [loaded.puzzles.find(tasks[t]) or 0 for t in known]
        options.say(f"{len(known)} of {len(tasks)} tasks are known to the checkpoint")
        _predict(loaded.model.to(device), loaded.puzzles, tasks, known, numbers, preset, box, options)
    if unknown and not _over(options):
        model, puzzles = _learned([tasks[t] for t in unknown], loaded, preset, options, device)
        _predict(model, puzzles, tasks, unknown, range(len(unknown)), preset, box, options)
    options.on_votes(box)
    return box


def _learned(
    tasks: Sequence[Task], loaded: Loaded | None, preset: Preset, options: SolveOptions, device: torch.device
) -> tuple[Model, PuzzleMap]:
    """A model for tasks that no checkpoint knows, after test-time training unless that is switched off."""
    kind = loaded.model.config.embedding if loaded else preset.model.embedding
    puzzles = PuzzleMap.build(tasks, kind, preset.train.num_views, options.seed)
    model = warm_model(loaded, puzzles) if loaded else cold_model(preset.model, puzzles, options.seed)
    if not options.adapt:
        return model.to(device).requires_grad_(False), puzzles
    config = dataclasses.replace(preset.train, seed=options.seed)
    if options.adapt_steps is not None:
        config = dataclasses.replace(config, steps=max(1, options.adapt_steps))
    limit = None
    if options.deadline is not None:
        limit = max(0.1, (options.deadline - time.monotonic()) * ADAPT_SHARE)
    start = "the checkpoint's weights" if loaded else "nothing"
    options.say(f"learning {len(tasks)} tasks from their demonstrations, starting from {start}")
    limits = Limits(time_limit=limit, deadline=options.deadline)
    return adapt(model, puzzles, tasks, config, limits, device, quiet=options.quiet), puzzles


def _predict(
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    chosen: Sequence[int],
    numbers: Sequence[int],
    preset: Preset,
    box: BallotBox,
    options: SolveOptions,
) -> None:
    """Cast the guesses for `tasks[chosen]` into the box and report it now and then."""
    mine = [tasks[t] for t in chosen]
    first_query = [0]
    for task in tasks:
        first_query.append(first_query[-1] + len(task.test))
    place = torch.tensor([q for t in chosen for q in range(first_query[t], first_query[t + 1])]).numpy()
    config, canvas = preset.predict, preset.train.canvas
    total = num_rows(mine, puzzles, numbers, config)
    written = time.monotonic()
    with tqdm(total=total, desc="predict", unit="view", disable=True if options.quiet else None) as bar:
        for found in guesses(model.eval(), puzzles, mine, numbers, config, canvas=canvas, stop=lambda: _over(options)):
            answers = found.answers
            box.cast_batch(
                place[found.queries],
                answers.keys,
                answers.cells,
                answers.shapes[:, 0],
                answers.shapes[:, 1],
                found.confidence,
            )
            bar.update(len(found.queries))
            if time.monotonic() - written > WRITE_SECONDS:
                options.on_votes(box)
                written = time.monotonic()


def _over(options: SolveOptions) -> bool:
    return options.deadline is not None and time.monotonic() >= options.deadline


def write_submission(path: str | Path, attempts: Mapping[Query, Sequence[Grid]], num_tests: Mapping[str, int]) -> None:
    """Write a complete submission atomically: every task of `num_tests` in order, two attempts each."""
    write_atomic(Path(path), dump_submission(build_submission(num_tests, attempts)))


def end_of(started: float, seconds: float) -> float:
    """When answering must stop so that the file is written before started + seconds."""
    return started + seconds - min(max(MARGIN_SECONDS, seconds * MARGIN_SHARE), seconds * 0.5)


def standings(box: BallotBox, num: int = 2) -> dict[Query, list[Tally]]:
    """The first `num` candidates of every query with their votes."""
    return {query: box.elect(query, num) for query in box.queries}
