"""How test-time training fits into the time left, by the measured speed of this machine."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from arc_solver.config import Preset, TrainConfig
from arc_solver.domains.arc.examples import CANVASES, ArcQuestions, ArcTraining, task_side
from arc_solver.hardware.memory import is_out_of_memory
from arc_solver.inference.engine import answer_rows
from arc_solver.inference.own_budget import fitted_views
from arc_solver.inference.time_budget import AdaptBudget
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, without_answers
from arc_solver.training.cost import seconds_per_step
from arc_solver.training.loop import Limits
from arc_solver.training.state import TrainState

# Tasks answered to measure the speed of this machine; fewer steps than that change nothing.
PROBED, MIN_STEPS = 4, 4


def is_short_of_time(
    model: Model, tasks: Sequence[Task], puzzles: PuzzleMap, preset: Preset, deadline: float
) -> bool:
    """Whether a first answer to every task and a few steps of learning do not both fit before `deadline`.

    Estimated from a batch of rows of a few tasks of medium size, which is answered once before to warm up.
    """
    cells = [task_side(task, CANVASES[preset.train.canvas]) ** 2 for task in tasks]
    order = sorted(range(len(tasks)), key=cells.__getitem__)
    middle = order[max(0, len(order) // 2 - PROBED // 2) :][:PROBED]
    num_tests = sum(len(tasks[t].test) for t in middle)
    views = max(1, min(preset.predict.views, preset.train.num_views, preset.train.batch_size // num_tests))
    config = dataclasses.replace(preset.predict, views=views, ages=1, rollouts=1)
    for _ in ("warm up", "timed"):
        started = time.monotonic()
        asked = ArcQuestions([tasks[t] for t in middle], middle, puzzles, config, preset.train.canvas)
        for _ in answer_rows(model.eval(), asked.round(0, views, np.arange(len(asked.owed))), config):
            pass
    probed = views * sum(len(tasks[t].test) * cells[t] for t in middle)
    seconds_per_cell = (time.monotonic() - started) / probed
    first = preset.predict.ages * sum(len(task.test) * c for task, c in zip(tasks, cells, strict=True))
    # A backward pass costs about twice its forward pass, and only the last cycle has one.
    step = preset.train.batch_size * _trained_cells(cells, preset.train) * (1 + 2 / model.config.cycles)
    return seconds_per_cell * (first + MIN_STEPS * step) > deadline - time.monotonic()


def views_in_time(
    train: TrainConfig, model: Model, puzzles: PuzzleMap, tasks: Sequence[Task], deadline: float
) -> list[int] | None:
    """As many views of every task as there is time for, by a few timed steps; changes `model`.

    None if steps may be compiled first, or do not fit in memory: they are tried in halves later.
    """
    device = model.first_answer.device
    if device.type != "cpu" or train.compile not in ("auto", "off"):
        return None
    try:
        data = ArcTraining([without_answers(task) for task in tasks], puzzles, train)
        state = TrainState(model, data, train, device)
        steps = AdaptBudget.FIRST_SHARE * (deadline - time.monotonic()) / seconds_per_step(state, train)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    sides = [task_side(task, CANVASES[train.canvas]) for task in tasks]
    views: dict[int, int] = {}
    for (side, _), slots in zip(data.canvases, state.batches.global_slots, strict=True):
        pairs = sum(len(task.train) for task, own in zip(tasks, sides, strict=True) if own == side)
        views[side] = fitted_views(train.num_views, pairs, slots * steps)
    return [views[side] for side in sides]


def shared_time(
    tasks: Sequence[Task], puzzles: PuzzleMap, preset: Preset, cycles: int, limits: Limits, deadline: float
) -> AdaptBudget:
    """The time until `deadline`, divided between learning `tasks` and answering them."""
    cells = [task_side(task, CANVASES[preset.train.canvas]) ** 2 for task in tasks]
    asked = ArcQuestions(tasks, range(len(tasks)), puzzles, preset.predict, preset.train.canvas)
    per_query = np.repeat(cells, [len(task.test) for task in tasks])
    owed = preset.predict.ages * int((asked.owed * per_query).sum())
    return AdaptBudget(limits, deadline, owed, _trained_cells(cells, preset.train), cycles)


def _trained_cells(cells: Sequence[int], train: TrainConfig) -> float:
    """The mean number of cells of a trained row, from the cells of every task."""
    return len(cells) / sum(1 / num for num in cells) if train.equal_time else sum(cells) / len(cells)
