"""Test-time training as a prediction uses it: in its time, in its memory, kept where asked for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import torch

from arc_solver.checkpoints.weights import Loaded
from arc_solver.config import Preset
from arc_solver.domains.arc.examples import CANVASES, task_side
from arc_solver.hardware.memory import is_out_of_memory, release_memory
from arc_solver.inference.adaptation import Glance, Keep, adapt, cold_model, warm_model
from arc_solver.inference.answer import num_rows
from arc_solver.inference.options import SolveOptions
from arc_solver.inference.time_budget import AdaptBudget
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from arc_solver.training.loop import Hooks, Limits


def learned(
    tasks: Sequence[Task],
    loaded: Loaded | None,
    preset: Preset,
    options: SolveOptions,
    device: torch.device,
    glance: Glance | None = None,
) -> tuple[Model, PuzzleMap]:
    """A model for tasks that no checkpoint knows, after test-time training unless that is switched off.

    From trained weights the first `preset.predict.adapt_rows_share` of it trains the new rows alone. `glance`
    is shown the model now and then, as it stands.
    """
    kind = loaded.model.config.embedding if loaded else preset.model.embedding
    train = preset.train
    puzzles = PuzzleMap.build(tasks, kind, train.num_views, options.seed, permute_colors=train.permute_colors)

    def untrained() -> Model:
        return warm_model(loaded, puzzles) if loaded else cold_model(preset.model, puzzles, options.seed)

    if not options.adapt:
        return untrained().to(device).requires_grad_(False), puzzles
    changes: dict[str, Any] = {"seed": options.seed}
    if loaded and kind != "none":
        changes["rows_only_share"] = preset.predict.adapt_rows_share
    if options.adapt_steps is not None:
        changes["steps"] = max(1, options.adapt_steps)
    config = dataclasses.replace(train, **changes)
    while True:
        limits, hooks = Limits(deadline=options.deadline), Hooks()
        budget = _budget(tasks, puzzles, preset, limits, options.deadline)
        if budget:
            hooks.report = budget.report
        try:
            model = adapt(
                untrained(),
                puzzles,
                tasks,
                config,
                limits,
                device,
                hooks=hooks,
                keep=_keep(loaded, dataclasses.replace(preset, train=config), options),
                begun=budget.go_on if budget else lambda seconds: None,
                glance=glance,
                quiet=options.quiet,
            )
            options.on_facts({"adapted": {"tasks": [task.id for task in tasks], **hooks.last}})
            return model, puzzles
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or config.batch_size == 1:
                raise
        config = dataclasses.replace(config, batch_size=config.batch_size // 2)
        options.say(f"warning: not enough memory; learning again with batches of {config.batch_size}")
        release_memory()


def _keep(loaded: Loaded | None, recipe: Preset, options: SolveOptions) -> Keep | None:
    """Where this learning is kept; None where it is not."""
    if options.keep is None:
        return None
    if loaded is None:
        return Keep(options.keep, recipe, say=options.say)
    start = str(loaded.metadata.get("self", ""))
    facts = {"files": loaded.metadata.get("files", []), "adapted_from": start}
    return Keep(
        options.keep, dataclasses.replace(recipe, model=loaded.model.config), start, facts, options.say
    )


def _budget(
    tasks: Sequence[Task], puzzles: PuzzleMap, preset: Preset, limits: Limits, deadline: float | None
) -> AdaptBudget | None:
    """The time until `deadline`, if there is one, shared between learning `tasks` and answering them."""
    if deadline is None:
        return None
    cells = [task_side(task, CANVASES[preset.train.canvas]) ** 2 for task in tasks]
    rows = [num_rows([task], puzzles, [number], preset.predict) for number, task in enumerate(tasks)]
    owed = preset.predict.ages * sum(r * c for r, c in zip(rows, cells, strict=True))
    left = max(0.1, deadline - time.monotonic())
    return AdaptBudget(limits, left, owed, sum(cells) / len(cells), preset.model.cycles)
