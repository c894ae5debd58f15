"""The training step of `cpu-arc` on small canvases, relative to that of commit a2f442c and to torch.mm.

Both learn the same random tasks from the same weights, alternating step by step, so that other load affects
both alike. The time is CPU time of one thread.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from arc_solver.benchmarks.figures import figure
from arc_solver.benchmarks.frozen_step import Examples, FrozenStep
from arc_solver.config import ModelConfig
from arc_solver.domains.arc.examples import ArcTraining
from arc_solver.model.flops import layer_shapes, step_flops
from arc_solver.model.fused_norm import factors
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from arc_solver.training.slots import Batch
from arc_solver.training.state import TrainState
from arc_solver.training.step import MEASURES, train_step

# Tasks of the ARC-AGI-1 training set per side of their canvas, up to 11, as `cpu-arc` sorts them.
SMALL_MIX = {5: 16, 7: 30, 9: 25, 11: 108}
STEPS, QUICK_STEPS = 15, 4
MATRIX_ROWS = 3232  # positions of 32 rows of side 10


def measure_small_step(quick: bool) -> list[dict[str, Any]]:
    """`train.small_step_vs_a2f442c`, `train.small_step_float32_vs_a2f442c` and `train.small_matmul_fraction`.

    The first as the recipe is, the second with precision=float32, which is the same where the CPU has no AMX
    tiles. The fraction is that of torch.mm at the shapes of the layer, as precise as the step takes it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measured(QUICK_STEPS if quick else STEPS)
    finally:
        torch.set_num_threads(before)


def _measured(steps: int) -> list[dict[str, Any]]:
    usual, exact = (Runner(precision) for precision in (find_preset("cpu-arc").train.precision, "float32"))
    frozen = FrozenStep(usual.state.model.state_dict())
    seconds: dict[str, list[float]] = {"frozen": [], "usual": [], "float32": []}
    for number in range(steps + 1):
        batches = usual.state.batches.paint(number)
        examples = [examples_of(batch) for batch in batches]
        taken = {
            "frozen": timed(lambda given=examples: frozen.step(given)),
            "usual": timed(lambda given=batches: usual.step(given)),
            "float32": timed(lambda given=batches: exact.step(given)),
        }
        for name, each in taken.items() if number else ():
            seconds[name].append(each)
    config, rows = usual.state.model.config, usual.rows()
    with factors(usual.state.model.rounded_factors):
        ceiling = max(matrix_rate(config, MATRIX_ROWS) for _ in range(steps))
    work = step_flops(config, rows)
    ratios = {
        name: [old / new for old, new in zip(seconds["frozen"], seconds[name], strict=True)]
        for name in ("usual", "float32")
    }
    return [
        figure("train.small_step_vs_a2f442c", ratios["usual"], "times"),
        figure("train.small_step_float32_vs_a2f442c", ratios["float32"], "times"),
        figure("train.small_step_a2f442c_ms", [1e3 * each for each in seconds["frozen"]], "ms of CPU"),
        figure("train.small_step_ms", [1e3 * each for each in seconds["usual"]], "ms of CPU"),
        figure(
            "train.small_matmul_fraction", [work / each / ceiling for each in seconds["usual"]], "of torch.mm"
        ),
    ]


class Runner:
    """The step as it is now, from the first weights of seed 0."""

    def __init__(self, precision: str) -> None:
        recipe = find_preset("cpu-arc")
        train = dataclasses.replace(recipe.train, precision=precision)
        tasks = random_tasks()
        puzzles = PuzzleMap.build(tasks, recipe.model.embedding, train.num_views, train.seed)
        model = Model(recipe.model, num_rows=puzzles.num_rows)
        self.train = train
        self.state = TrainState(model, ArcTraining(tasks, puzzles, train), train, torch.device("cpu"))

    def step(self, batches: list[Batch]) -> float:
        """One step at the full rate; returns the sum of the losses of all rows before it."""
        return float(train_step(self.state, batches, self.train, 1.0)[MEASURES.index("loss")])

    def rows(self) -> dict[int, int]:
        """Rows in flight by the cells of their canvas."""
        return {slots.tokens.shape[1]: slots.tokens.shape[0] for slots in self.state.slots}


def matrix_rate(config: ModelConfig, positions: int) -> float:
    """Operations per second of CPU time of torch.mm at the shapes of one layer, forward."""
    taken, operations = 0.0, 0
    for m, n in layer_shapes(config):
        a, b = torch.randn(positions, m), torch.randn(m, n)
        out = a @ b
        taken += timed(lambda a=a, b=b, out=out: torch.mm(a, b, out=out))
        operations += 2 * positions * m * n
    return operations / taken


def examples_of(batch: Batch) -> Examples:
    """A batch as the frozen step takes it; at one age a row, every slot takes its fresh example."""
    side = round(batch.tokens.shape[1] ** 0.5)
    return Examples(side, batch.tokens, batch.targets, batch.codes[:, 0].long())


def timed(action: Callable[..., object]) -> float:
    """The seconds of CPU time of `action`."""
    started = time.process_time()
    action()
    return time.process_time() - started


def random_tasks() -> list[Task]:
    """Random grids in the sizes of the mix."""
    rng = np.random.default_rng(0)
    tasks = []
    for side, num in SMALL_MIX.items():
        for number in range(num):
            grids = [rng.integers(0, 10, (side - 1, side - 1)).astype(np.uint8) for _ in range(3)]
            tasks.append(Task(f"{side}-{number}", (Pair(grids[0], grids[1]),), (Pair(grids[2], None),)))
    return tasks
