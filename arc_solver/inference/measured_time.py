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
from arc_solver.inference.own_budget import fitted_views, stretch_of
from arc_solver.inference.time_budget import AdaptBudget
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, without_answers
from arc_solver.training.cost import seconds_per_step
from arc_solver.training.loop import Limits
from arc_solver.training.state import TrainState

# Tasks answered to measure the speed of this machine; fewer steps than that change nothing.
PROBED, MIN_STEPS = 4, 4
# Steps are timed, each some times, if that many take no more than this share of the time.
TIMED_STEPS, TIMED_SHARE = 3, 0.1


def seconds_per_cell(model: Model, tasks: Sequence[Task], puzzles: PuzzleMap, preset: Preset) -> float:
    """The seconds of a forward pass per cell of its rows.

    Estimated from a batch of rows of a few tasks of medium size. It is answered once before, which compiles
    what answering needs.
    """
    cells = _cells(tasks, preset.train)
    order = sorted(range(len(tasks)), key=cells.__getitem__)
    middle = order[max(0, len(order) // 2 - PROBED // 2) :][:PROBED]
    num_tests = sum(len(tasks[t].test) for t in middle)
    views = max(1, min(preset.predict.views, preset.train.num_views, preset.train.batch_size // num_tests))
    config = dataclasses.replace(preset.predict, views=views, ages=1, rollouts=1)
    for _ in ("warm up", "timed"):
        started = time.monotonic()
        asked = ArcQuestions([tasks[t] for t in middle], middle, puzzles, config, preset.train.canvas)
        data = asked.round(0, views, np.arange(len(asked.owed)))
        for left in answer_rows(model.eval(), data, config):
            data.restore(left.group, left.rows, left.tokens)
    return (time.monotonic() - started) / (views * sum(len(tasks[t].test) * cells[t] for t in middle))


def seconds_of_step(per_cell: float, tasks: Sequence[Task], train: TrainConfig, cycles: int) -> float:
    """What a training step should take where a forward pass takes `per_cell` seconds per cell."""
    # A backward pass costs about twice its forward pass, and only the last cycle has one.
    return per_cell * train.batch_size * _trained_cells(_cells(tasks, train), train) * (1 + 2 / cycles)


def is_short_of_time(
    per_cell: float, step_seconds: float, tasks: Sequence[Task], preset: Preset, deadline: float
) -> bool:
    """Whether a first answer to every task and a few steps of learning do not both fit before `deadline`."""
    answering = per_cell * _first_tokens(tasks, preset)
    return answering + MIN_STEPS * step_seconds > deadline - time.monotonic()


def views_in_time(
    preset: Preset,
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    deadline: float,
    estimated: float,
) -> tuple[list[int], float] | None:
    """As many views of every task as there is time for, and the seconds of a step; changes `model`.

    They are no more than the recipe learns or asks, whichever is more.

    By a few timed steps, or as `estimated` where there is no time for them; None where steps are not timed.
    """
    train, most = preset.train, preset.predict.views
    left = deadline - time.monotonic()
    known = estimated if TIMED_STEPS * estimated > TIMED_SHARE * left else None
    timed = _timed(train, model, puzzles, tasks, known)
    if timed is None:
        return None
    data, state, seconds = timed
    steps = AdaptBudget.FIRST_SHARE * (deadline - time.monotonic()) / seconds
    sides = [task_side(task, CANVASES[train.canvas]) for task in tasks]
    views: dict[int, int] = {}
    for (side, _), slots in zip(data.canvases, state.batches.global_slots, strict=True):
        pairs = sum(len(task.train) for task, own in zip(tasks, sides, strict=True) if own == side)
        views[side] = fitted_views(train.num_views, most, pairs, slots * steps)
    return [views[side] for side in sides], seconds


def stretch(train: TrainConfig, model: Model, puzzles: PuzzleMap, tasks: Sequence[Task]) -> float:
    """By what the default time for `tasks` is multiplied, 1 where steps are not timed; changes `model`."""
    timed = _timed(train, model, puzzles, tasks)
    cells = train.batch_size * _trained_cells(_cells(tasks, train), train)
    return 1.0 if timed is None else stretch_of(timed[2], cells)


def _timed(
    train: TrainConfig, model: Model, puzzles: PuzzleMap, tasks: Sequence[Task], known: float | None = None
) -> tuple[ArcTraining, TrainState, float] | None:
    """A run and the seconds of its step, by a few that change `model` unless they are `known`.

    None if steps may be compiled first, or do not fit in memory: they are tried in halves later.
    """
    device = model.first_answer.device
    if device.type != "cpu" or train.compile not in ("auto", "off"):
        return None
    try:
        data = ArcTraining([without_answers(task) for task in tasks], puzzles, train)
        state = TrainState(model, data, train, device)
        return data, state, seconds_per_step(state, train) if known is None else known
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def shared_time(
    tasks: Sequence[Task], puzzles: PuzzleMap, preset: Preset, cycles: int, limits: Limits, deadline: float
) -> AdaptBudget:
    """The time until `deadline`, divided between learning `tasks` and answering them."""
    cells = _cells(tasks, preset.train)
    asked = ArcQuestions(tasks, range(len(tasks)), puzzles, preset.predict, preset.train.canvas)
    per_query = np.repeat(cells, [len(task.test) for task in tasks])
    rows = int((asked.owed * per_query).sum())
    if preset.predict.weigh_views:
        starts = np.cumsum([0, *(len(task.test) for task in tasks)])[:-1]
        rows += int((asked.owed[starts] * cells * [len(task.train) for task in tasks]).sum())
    owed = preset.predict.ages * rows
    budget = AdaptBudget(limits, deadline, owed, _trained_cells(cells, preset.train), cycles)
    budget.first_tokens = _first_tokens(tasks, preset)
    return budget


def _cells(tasks: Sequence[Task], train: TrainConfig) -> list[int]:
    return [task_side(task, CANVASES[train.canvas]) ** 2 for task in tasks]


def _first_tokens(tasks: Sequence[Task], preset: Preset) -> int:
    """Rows × tokens × ages of the first view of every output, and of what is asked before it."""
    cells = _cells(tasks, preset.train)
    rows = (len(task.test) + len(task.train) * preset.predict.weigh_views for task in tasks)
    return preset.predict.ages * sum(num * c for num, c in zip(rows, cells, strict=True))


def _trained_cells(cells: Sequence[int], train: TrainConfig) -> float:
    """The mean number of cells of a trained row, from the cells of every task."""
    return len(cells) / sum(1 / num for num in cells) if train.equal_time else sum(cells) / len(cells)
