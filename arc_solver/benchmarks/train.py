"""What fitted canvases gain in a training step, and how much of the matrix rate the step reaches.

The paper's width (512, 2 layers). Shapes: B rows, S positions, D width, I inner width.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from arc_solver.benchmarks.figures import figure
from arc_solver.config import ModelConfig
from arc_solver.model.flops import layer_shapes, step_flops
from arc_solver.model.trm import Model
from arc_solver.training.loss import supervision_loss

# Tasks of the ARC-AGI-1 training set per side of their fitted canvas.
TRAINING_MIX = {7: 46, 11: 133, 16: 88, 21: 77, 26: 26, 30: 30}
FULL = 30


def measure_train(quick: bool) -> list[dict[str, Any]]:
    """`train.fitted_vs_full` and `train.matmul_fraction`: forward, loss and backward on this machine's CPU.

    The quick form has one layer and fewer refinements, on which both figures hardly depend.
    """
    config = (
        ModelConfig(num_layers=1, cycles=1, latent_steps=1)
        if quick
        else ModelConfig(num_layers=2, cycles=3, latent_steps=4)
    )
    model = Model(config)
    runs = 2 if quick else 5
    # Small canvases are batched to about as many cells as a full one.
    rows = {side: max(1, FULL * FULL // (side * side)) for side in TRAINING_MIX}
    steps = {side: Step(model, rows[side], side) for side in TRAINING_MIX}
    for side in (FULL,) if quick else TRAINING_MIX:
        steps[side].run()
    per_example: dict[int, list[float]] = {side: [] for side in TRAINING_MIX}
    achieved, ceiling = [], []
    for _ in range(runs):
        for side, step in steps.items():
            per_example[side].append(step.run() / rows[side])
        achieved.append(steps[FULL].flops() / (per_example[FULL][-1] * rows[FULL]))
        ceiling.append(matrix_rate(config, config.num_positions(FULL * FULL), 2 if quick else 5))
    total = sum(TRAINING_MIX.values())
    gains = [
        per_example[FULL][run]
        * total
        / sum(per_example[side][run] * num for side, num in TRAINING_MIX.items())
        for run in range(runs)
    ]
    fractions = [own / best for own, best in zip(achieved, ceiling, strict=True)]
    return [
        figure("train.fitted_vs_full", gains, "times"),
        figure("train.matmul_fraction", fractions, "of torch.mm"),
    ]


class Step:
    """Forward, loss and backward of B rows on one canvas."""

    def __init__(self, model: Model, num_rows: int, side: int) -> None:
        self.model, self.num_rows, self.side = model, num_rows, side
        generator = torch.Generator().manual_seed(side)
        shape = (num_rows, side * side)
        self.tokens = torch.randint(0, 12, shape, generator=generator, dtype=torch.uint8)
        self.targets = torch.randint(1, 12, shape, generator=generator, dtype=torch.uint8)
        self.codes = torch.zeros(num_rows, 12, dtype=torch.int32)
        self.carry = model.first_carry(num_rows, model.config.num_positions(side * side))

    def run(self) -> float:
        """The seconds of one step."""
        started = time.perf_counter()
        vectors = self.model.puzzle.gather(self.codes, requires_grad=True)
        output = self.model(self.tokens, self.codes, self.carry, (self.side, self.side), vectors)
        (supervision_loss(output, self.targets).total / self.num_rows).backward()
        self.model.zero_grad()
        return time.perf_counter() - started

    def flops(self) -> float:
        """Operations of the products of matrices in one step."""
        return step_flops(self.model.config, {self.side * self.side: self.num_rows})


def matrix_rate(config: ModelConfig, positions: int, runs: int) -> float:
    """Operations per second of torch.mm at the shapes of one layer, each weighted by its operations."""
    taken, operations = 0.0, 0
    for m, n in layer_shapes(config):
        a, b = torch.randn(positions, m), torch.randn(m, n)
        torch.mm(a, b)
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            torch.mm(a, b)
            times.append(time.perf_counter() - started)
        taken += statistics.median(times)
        operations += 2 * positions * m * n
    return operations / taken
