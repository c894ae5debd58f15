"""Composition root of prediction: adapt -> predict -> vote -> write."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from arc_solver.config import PredictConfig, Preset, apply_settings, with_values
from arc_solver.device import choose_device
from arc_solver.domain.arc import CANVASES, task_side
from arc_solver.early import EarlyDecision
from arc_solver.files import sha256_file, write_atomic
from arc_solver.inference.adapt import adapt, cold_model, warm_model
from arc_solver.inference.memory import is_out_of_memory, release_memory
from arc_solver.inference.pace import AdaptBudget, Pace
from arc_solver.inference.tasks import guesses, num_rows
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.puzzles import PuzzleMap
from arc_solver.task import Task
from arc_solver.training.loop import Hooks, Limits
from arc_solver.weights import Loaded, load, preset_values
from augment.grid import Grid
from submission.kaggle_json import build_submission, dump_submission
from submission.vote import BallotBox, Query

COLD_PRESET = "cpu-arc"
REPORT_SECONDS = 2.0
# Kept free at the end of a time limit for the step in progress, the last vote and the writing.
MARGIN_SECONDS, MARGIN_SHARE = 3.0, 0.02


@dataclass
class SolveOptions:
    """How one prediction runs. `deadline` is a monotonic instant at which no further work is begun.

    While it runs, `on_votes` gets the votes so far now and then, `on_finished` the ids of tasks that will get
    no further votes, and `on_facts` what the manifest should say.
    """

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
    on_finished: Callable[[Sequence[str]], None] = field(default=lambda _: None)
    on_facts: Callable[[dict[str, Any]], None] = field(default=lambda _: None)


def solve(
    tasks: Sequence[Task], checkpoint: str | Path | None = None, **options: object
) -> dict[Query, list[Grid]]:
    """Up to two grids for every test input of `tasks`, best first; options are the fields of SolveOptions.

    Tasks that the checkpoint knows by content are answered with their rows; others are learned from their
    demonstrations first, from the checkpoint's weights or, without one, from nothing.
    """
    box = vote(tasks, checkpoint, SolveOptions(**options))  # type: ignore[arg-type]
    return {query: box.attempts(query) for query in box.queries}


def vote(tasks: Sequence[Task], checkpoint: str | Path | None, options: SolveOptions) -> BallotBox:
    """As `solve`, but with all candidates and their votes."""
    started = time.monotonic()
    box = BallotBox([Query(task.id, i) for task in tasks for i in range(len(task.test))])
    device = choose_device(options.device)
    loaded = load(checkpoint) if checkpoint is not None else None
    preset = _recipe(loaded, options)
    known = [t for t, task in enumerate(tasks) if loaded and loaded.puzzles.find(task) is not None]
    unknown = sorted(set(range(len(tasks))) - set(known))
    options.on_facts(_facts(loaded, checkpoint, preset, device) | {"known": [tasks[t].id for t in known]})
    if known and loaded:
        numbers = [loaded.puzzles.find(tasks[t]) or 0 for t in known]
        options.say(f"{len(known)} of {len(tasks)} tasks are known to the checkpoint")
        # The others are owed their part of the time.
        mine = dataclasses.replace(options, deadline=_share(options.deadline, len(known) / len(tasks)))
        _predict(loaded.model.to(device), loaded.puzzles, tasks, known, numbers, preset, box, mine)
    if unknown and not _over(options):
        model, puzzles = _learned([tasks[t] for t in unknown], loaded, preset, options, device)
        _predict(model, puzzles, tasks, unknown, range(len(unknown)), preset, box, options)
    options.on_facts({"seconds": round(time.monotonic() - started, 2)})
    return box


def _recipe(loaded: Loaded | None, options: SolveOptions) -> Preset:
    """The recipe that is asked for, else the checkpoint's, with all settings applied."""
    preset = options.preset or (loaded.preset if loaded else find_preset(COLD_PRESET))
    preset = apply_settings(preset, list(options.settings))
    chosen = {"views": options.views, "ages": options.ages}
    config = with_values(preset.predict, {key: value for key, value in chosen.items() if value is not None})
    return dataclasses.replace(preset, predict=config)


def _facts(
    loaded: Loaded | None, checkpoint: str | Path | None, preset: Preset, device: torch.device
) -> dict[str, Any]:
    """What the manifest says of recipe, weights and device."""
    facts: dict[str, Any] = {"recipe": preset_values(preset), "device": str(device), "checkpoint": None}
    if loaded and checkpoint is not None:
        facts["checkpoint"] = {
            "name": str(checkpoint),
            "sha256": sha256_file(Path(checkpoint)),
            "step": loaded.metadata.get("step"),
            "trained_on": loaded.metadata.get("files", []),
        }
    return facts


def _learned(
    tasks: Sequence[Task], loaded: Loaded | None, preset: Preset, options: SolveOptions, device: torch.device
) -> tuple[Model, PuzzleMap]:
    """A model for tasks that no checkpoint knows, after test-time training unless that is switched off."""
    kind = loaded.model.config.embedding if loaded else preset.model.embedding
    train = preset.train
    puzzles = PuzzleMap.build(tasks, kind, train.num_views, options.seed, permute_colors=train.permute_colors)

    def untrained() -> Model:
        return warm_model(loaded, puzzles) if loaded else cold_model(preset.model, puzzles, options.seed)

    if not options.adapt:
        return untrained().to(device).requires_grad_(False), puzzles
    config = dataclasses.replace(preset.train, seed=options.seed)
    if options.adapt_steps is not None:
        config = dataclasses.replace(config, steps=max(1, options.adapt_steps))
    start = "the checkpoint's weights" if loaded else "nothing"
    options.say(f"learning {len(tasks)} tasks from their demonstrations, starting from {start}")
    while True:
        limits, hooks = Limits(deadline=options.deadline), Hooks()
        if options.deadline is not None:
            budget = _budget(tasks, puzzles, preset, limits, options.deadline)
            hooks.report = budget.report
        try:
            model = adapt(
                untrained(), puzzles, tasks, config, limits, device, hooks=hooks, quiet=options.quiet
            )
            options.on_facts({"adapted": {"tasks": [task.id for task in tasks], **hooks.last}})
            return model, puzzles
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or config.batch_size == 1:
                raise
        config = dataclasses.replace(config, batch_size=config.batch_size // 2)
        options.say(f"warning: not enough memory; learning again with batches of {config.batch_size}")
        release_memory()


def _budget(
    tasks: Sequence[Task], puzzles: PuzzleMap, preset: Preset, limits: Limits, deadline: float
) -> AdaptBudget:
    """The time until `deadline`, shared between learning `tasks` and answering them."""
    cells = [task_side(task, CANVASES[preset.train.canvas]) ** 2 for task in tasks]
    rows = [num_rows([task], puzzles, [number], preset.predict) for number, task in enumerate(tasks)]
    owed = preset.predict.ages * sum(r * c for r, c in zip(rows, cells, strict=True))
    left = max(0.1, deadline - time.monotonic())
    return AdaptBudget(limits, left, owed, sum(cells) / len(cells), preset.model.cycles)


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
    first = np.cumsum([0, *(len(task.test) for task in tasks)])
    place = np.concatenate([np.arange(first[t], first[t + 1]) for t in chosen])
    config, canvas = preset.predict, preset.train.canvas
    total = num_rows(mine, puzzles, numbers, config)
    pace = None if options.deadline is None else Pace(config.ages, options.deadline, options.say)
    early = _early(box, mine, [box.queries[p] for p in place], puzzles, numbers, config)
    reported = time.monotonic()
    with tqdm(total=total, desc="predict", unit="view", disable=True if options.quiet else None) as bar:
        for found in guesses(
            model.eval(),
            puzzles,
            mine,
            numbers,
            config,
            canvas=canvas,
            stop=lambda: _over(options),
            pace=pace,
            early=early,
        ):
            answers = found.answers
            box.cast_batch(
                place[found.queries],
                answers.keys,
                answers.cells,
                answers.shapes[:, 0],
                answers.shapes[:, 1],
                found.confidence,
            )
            if early:
                early.count(found)
            bar.update(len(found.queries))
            if time.monotonic() - reported > REPORT_SECONDS:
                options.on_votes(box)
                reported = time.monotonic()
    options.on_votes(box)
    if early and early.saved():
        options.say(f"{early.saved()} of {total} views were not needed: their outputs were decided before")
    if not _over(options):
        options.on_finished([task.id for task in mine])


def _early(
    box: BallotBox,
    tasks: Sequence[Task],
    queries: Sequence[Query],
    puzzles: PuzzleMap,
    numbers: Sequence[int],
    config: PredictConfig,
) -> EarlyDecision | None:
    """What stops the views of queries that are decided; None where all views are wanted."""
    if config.early == "off":
        return None
    views = [num_rows([task], puzzles, [n], config) for task, n in zip(tasks, numbers, strict=True)]
    counts = [len(task.test) for task in tasks]
    return EarlyDecision(box, queries, np.repeat(np.array(views) // np.array(counts), counts), config)


def _share(deadline: float | None, share: float) -> float | None:
    """The instant at which this share of the time until the deadline has passed."""
    now = time.monotonic()
    return None if deadline is None else now + max(0.0, deadline - now) * share


def _over(options: SolveOptions) -> bool:
    return options.deadline is not None and time.monotonic() >= options.deadline


def write_submission(
    path: str | Path, attempts: Mapping[Query, Sequence[Grid]], num_tests: Mapping[str, int]
) -> None:
    """Write a complete submission atomically: every task of `num_tests` in order, two attempts each."""
    write_atomic(Path(path), dump_submission(build_submission(num_tests, attempts)))


def deadline_in(seconds: float | None) -> float | None:
    """The deadline that is so many seconds away; None for none."""
    return None if seconds is None else time.monotonic() + seconds


def end_of(started: float, seconds: float) -> float:
    """When answering must stop so that the file is written before started + seconds."""
    return started + seconds - min(max(MARGIN_SECONDS, seconds * MARGIN_SHARE), seconds * 0.5)
