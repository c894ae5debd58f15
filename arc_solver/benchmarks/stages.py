"""What small budgets, halting, refilled slots and early decisions gain on ARC, measured on a trained proxy.

Every view of every output is followed through all A ages once; each way of answering is then derived.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from arc_solver.benchmarks.figures import figure
from arc_solver.checkpoints.shipped import shipped_weights
from arc_solver.checkpoints.weights import load
from arc_solver.config import ConfigError, PredictConfig
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.arc.examples import CANVASES, ArcQueries, task_side
from arc_solver.inference.adaptation import learned
from arc_solver.inference.options import SILENT, SolveOptions
from arc_solver.inference.time_budget import view_rounds
from arc_solver.model.trm import Model
from arc_solver.settings import apply_settings
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task
from arc_solver.tasks.truth import carried_truth
from augment.grid import Grid
from submission.score import score_attempts
from submission.vote import BallotBox, Query

TASKS, MAX_SIDE = "arc1:training", 7
PROXY_AGES = 4  # of supervision; with sixteen a proxy learns next to nothing in its time
PLAIN_AGES, PATIENCE = 16, 2
MAX_ROWS = 64


class Proxy(NamedTuple):
    """A model that knows some tasks: number `numbers[t]` in `puzzles` is `tasks[t]`."""

    model: Model
    puzzles: PuzzleMap
    tasks: Sequence[Task]
    numbers: Sequence[int]
    config: PredictConfig
    canvas: str


class Row(NamedTuple):
    """One view of one query, followed through all ages."""

    query: Query
    view: int
    grids: list[Grid | None]  # (A,)
    confidence: list[float]  # (A,)
    same: list[int]  # (A,) ages for which the answer had not changed


class Measured(NamedTuple):
    """A way of answering: mean ages of a row, share of the views that were asked, and what was solved."""

    ages: float
    views: float
    solved: float  # % of outputs


def measure_stages(weights: Path | None, budget: int, seconds: float) -> list[dict[str, Any]]:
    """How much each stage reduces the number of forward passes, and the outputs solved on the proxy.

    The proxy is `weights` with the small tasks that they know, or the shipped ARC weights, which learn these
    tasks for some `seconds` with PROXY_AGES. `budget` is the number of ages after which every row leaves,
    instead of the PLAIN_AGES of the plain way.
    """
    proxy = _known(weights) if weights else _learned(seconds)
    if not proxy.tasks:
        raise ConfigError(f"{weights}: these weights know none of the small tasks of {TASKS}")
    rows = [
        row for task, n in zip(proxy.tasks, proxy.numbers, strict=True) for row in _followed(proxy, task, n)
    ]
    plain = _read_off(proxy, rows, PLAIN_AGES, 0, 0.0)
    fixed = _read_off(proxy, rows, budget, 0, 0.0)
    waiting = _waiting_for_the_slowest(rows, budget)
    refilled = _read_off(proxy, rows, budget, PATIENCE, 0.0)
    early = _read_off(proxy, rows, budget, PATIENCE, proxy.config.early_error)
    return [
        figure("predict.halting_gain", [budget / waiting], "times"),
        figure("predict.refill_gain", [waiting / refilled.ages], "times"),
        figure("predict.early_gain", [refilled.views / early.views], "times"),
        figure("predict.solved_plain", [plain.solved], "% of outputs"),
        figure("predict.solved_budget", [fixed.solved], "% of outputs"),
        figure("predict.solved_halting", [refilled.solved], "% of outputs"),
        figure("predict.solved_early", [early.solved], "% of outputs"),
    ]


def _small_tasks() -> list[Task]:
    return [task for task in read_tasks(TASKS) if task_side(task) <= MAX_SIDE]


def _known(weights: Path) -> Proxy:
    loaded = load(weights)
    found = [(task, n) for task in _small_tasks() if (n := loaded.puzzles.find(task)) is not None]
    tasks, numbers = [task for task, _ in found], [n for _, n in found]
    preset = loaded.preset
    return Proxy(loaded.model, loaded.puzzles, tasks, numbers, preset.predict, preset.train.canvas)


def _learned(seconds: float) -> Proxy:
    path = shipped_weights(ARC.name)
    if path is None:
        raise FileNotFoundError("no ARC weights ship with this version; name some with --weights")
    loaded, tasks = load(path), _small_tasks()
    options = SolveOptions(deadline=time.monotonic() + seconds, device="cpu")
    preset = apply_settings(loaded.preset, [f"train.max_age={PROXY_AGES}"])
    model, puzzles = learned(tasks, loaded, preset, options, torch.device("cpu"), SILENT)
    return Proxy(model.eval(), puzzles, tasks, range(len(tasks)), preset.predict, preset.train.canvas)


@torch.inference_mode()
def _followed(proxy: Proxy, task: Task, number: int) -> list[Row]:
    """The rows of a task."""
    data = ArcQueries([task], [number], proxy.puzzles, proxy.config.views, CANVASES[proxy.canvas])
    canvas, model = data.canvases[0], proxy.model
    queries, views = data.queries(0), data.view_numbers(0) - int(proxy.puzzles.starts[number])
    found = [
        Row(Query(task.id, q), v, [], [], []) for q, v in zip(queries.tolist(), views.tolist(), strict=True)
    ]
    for start in range(0, len(found), MAX_ROWS):
        rows = np.arange(start, min(len(found), start + MAX_ROWS))
        tokens = np.empty((len(rows), canvas[0] * canvas[1]), np.uint8)
        codes = np.empty((len(rows), 12), np.int32)
        data.paint(0, rows, tokens, codes)
        carry = model.first_carry(len(rows), model.config.num_positions(tokens.shape[1]))
        last = np.zeros_like(tokens)
        for age in range(PLAIN_AGES):
            output = model(torch.from_numpy(tokens), torch.from_numpy(codes), carry, canvas)
            carry, answer = output.carry, output.logits.argmax(dim=-1).to(torch.uint8).numpy()
            unchanged = (answer == last).all(axis=1) & (age > 0)
            last, restored = answer, data.restore(0, rows, answer)
            likely = (output.logits.amax(dim=-1) - output.logits.logsumexp(dim=-1)).numpy()
            sure = data.confidence(0, rows, restored.shapes, likely).tolist()
            for place, row in enumerate(found[start : start + len(rows)]):
                height, width = restored.shapes[place].tolist()
                cells = restored.cells[place, : height * width].reshape(height, width)
                row.grids.append(cells if height else None)
                row.confidence.append(sure[place])
                row.same.append(row.same[-1] + 1 if unchanged[place] else 0)
    return found


def _leaving(row: Row, limit: int, patience: int) -> int:
    """The age at which a row leaves."""
    still = (age for age, same in enumerate(row.same, 1) if patience and same >= patience)
    return min(limit, next(still, limit))


def _waiting_for_the_slowest(rows: Sequence[Row], limit: int) -> float:
    """Mean ages if a batch leaves as a whole, once its last row is done."""
    ages = [_leaving(row, limit, PATIENCE) for row in rows]
    batches = [ages[start : start + MAX_ROWS] for start in range(0, len(ages), MAX_ROWS)]
    return sum(max(batch) * len(batch) for batch in batches) / len(ages)


def _read_off(proxy: Proxy, rows: Sequence[Row], limit: int, patience: int, error: float) -> Measured:
    """The result of this way of answering; with `error`, views come in rounds until the sequential test."""
    box = BallotBox([Query(task.id, i) for task in proxy.tasks for i in range(len(task.test))])
    rounds = view_rounds(proxy.config.views)
    settled: set[Query] = set()
    asked, spent = 0, 0
    for first, last in rounds:
        for row in rows:
            if first <= row.view < last and row.query not in settled:
                age = _leaving(row, limit, patience)
                asked, spent = asked + 1, spent + age
                grid = row.grids[age - 1]
                if grid is not None:
                    box.cast(row.query, grid, row.confidence[age - 1])
        if error:
            settled |= {query for query in box.queries if box.likely(query, error / max(1, len(rounds) - 1))}
    attempts = {query: box.attempts(query) for query in box.queries}
    rate = score_attempts(attempts, carried_truth(list(proxy.tasks)), "").rate("per_output", 2)
    return Measured(spent / asked, asked / len(rows), 100 * rate.value)
