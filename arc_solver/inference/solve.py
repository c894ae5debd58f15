"""Composition root of prediction: adapt -> predict -> vote -> write."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from arc_solver.checkpoints.file_format import check_domain
from arc_solver.checkpoints.weights import Loaded, load, preset_values
from arc_solver.config import PredictConfig, Preset
from arc_solver.hardware.torch_device import choose_device
from arc_solver.inference.answer import guesses, num_rows
from arc_solver.inference.learning import learned
from arc_solver.inference.options import SolveOptions
from arc_solver.inference.stopping import EarlyDecision
from arc_solver.inference.time_budget import Pace
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.settings import apply_settings, with_values
from arc_solver.storage.files import sha256_file, write_atomic
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.sharding import cost
from arc_solver.tasks.task import Task
from augment.grid import Grid
from submission.kaggle_json import build_submission, dump_submission
from submission.vote import BallotBox, Query

COLD_PRESET = "cpu-arc"
REPORT_SECONDS = 2.0


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
    if loaded and checkpoint is not None:
        check_domain(loaded.metadata, "arc", Path(checkpoint).name)
    preset = _recipe(loaded, options)
    known = [t for t, task in enumerate(tasks) if loaded and loaded.puzzles.find(task) is not None]
    unknown = sorted(set(range(len(tasks))) - set(known))
    options.on_facts(_facts(loaded, checkpoint, preset, device) | {"known": [tasks[t].id for t in known]})
    if known and loaded:
        numbers = [loaded.puzzles.find(tasks[t]) or 0 for t in known]
        options.say(f"{len(known)} of {len(tasks)} tasks are known to the checkpoint")
        # The others are owed their part of the time.
        mine = options.part(len(known) / len(tasks))
        _predict(loaded.model.to(device), loaded.puzzles, tasks, known, numbers, preset, box, mine)
        if not options.over():
            options.on_finished([tasks[t].id for t in known])
    groups = [[t] for t in unknown] if options.adapt_each else [unknown] if unknown else []
    costs = [sum(cost(tasks[t]) for t in group) for group in groups]
    for number, group in enumerate(groups):
        if options.over():
            break
        mine = options.part(costs[number] / sum(costs[number:]))
        _say_what_is_learnt(number, groups, loaded, options)
        model, puzzles = learned([tasks[t] for t in group], loaded, preset, mine, device)
        _predict(model, puzzles, tasks, group, range(len(group)), preset, box, mine)
        if not options.over():
            options.on_finished([tasks[t].id for t in group])
    options.on_facts({"seconds": round(time.monotonic() - started, 2)})
    return box


def _say_what_is_learnt(
    number: int, groups: Sequence[Sequence[int]], loaded: Loaded | None, options: SolveOptions
) -> None:
    if options.adapt:
        what = f"{len(groups[number])} tasks" if len(groups) == 1 else f"task {number + 1} of {len(groups)}"
        start = "the checkpoint's weights" if loaded else "nothing"
        options.say(f"learning {what} from their demonstrations, starting from {start}")


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
    _say_missing_views(puzzles, numbers, options)
    reported, answered = time.monotonic(), 0
    with tqdm(total=total, desc="predict", unit="view", disable=True if options.quiet else None) as bar:
        for found in guesses(
            model.eval(),
            puzzles,
            mine,
            numbers,
            config,
            canvas=canvas,
            stop=options.over,
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
            answered += len(found.queries)
            if time.monotonic() - reported > REPORT_SECONDS:
                options.on_votes(box)
                reported = time.monotonic()
    options.on_votes(box)
    saved = early.saved() if early else 0
    if saved:
        options.say(f"{saved} of {total} views were not needed: their outputs were decided before")
    if options.over() and answered + saved < total:
        options.say(f"short of time: {answered} of {total} views were answered")


def _say_missing_views(puzzles: PuzzleMap, numbers: Sequence[int], options: SolveOptions) -> None:
    """A remark where more views are asked for than the puzzles have rows for."""
    most = max((int(puzzles.starts[n + 1] - puzzles.starts[n]) for n in numbers), default=0)
    if options.views is not None and options.views > most:
        options.say(f"{options.views} views are wished for; the recipe has {most} (--set num_views=...)")


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


def write_submission(
    path: str | Path, attempts: Mapping[Query, Sequence[Grid]], num_tests: Mapping[str, int]
) -> None:
    """Write a complete submission atomically: every task of `num_tests` in order, two attempts each."""
    write_atomic(Path(path), dump_submission(build_submission(num_tests, attempts)))
