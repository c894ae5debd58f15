"""What the engine saves against the plain way: 30x30 canvases, 16 ages for every row, no refilled slots."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.benchmarks.boards import measure_boards
from arc_solver.benchmarks.figures import figure
from arc_solver.benchmarks.stages import measure_stages
from arc_solver.checkpoints.file_format import read_header
from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.arc.examples import CANVASES, ArcQueries
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.inference.engine import answer_rows
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task

# Tasks of the ARC-AGI-1 evaluation set per side of their fitted canvas.
EVALUATION_MIX = {7: 13, 11: 65, 16: 113, 21: 93, 26: 41, 30: 75}
FULL, PLAIN_AGES = 30, 16
# The time in which the ARC proxy learns its tasks if no weights are given.
PROXY_SECONDS = 240.0


def measure_predict(quick: bool, weights: Sequence[Path] = ()) -> Iterator[dict[str, Any]]:
    """`predict.vs_plain`: canvases and ages as in `arc1`; `predict.ages_saved` and rollouts on Sudoku.

    Times are for the paper's width. A proxy, which the quick form omits, shows what so few ages cost in
    outputs solved, and what halting, refilled slots and a sequential test would gain beyond that; ARC presets
    have these switched off, so that they are not part of `predict.vs_plain`. `weights` replace the ARC proxy
    (if they know small tasks of the training set) or the Sudoku proxy.
    """
    domains = {str(read_header(path).metadata["preset"]["train"]["domain"]): path for path in weights}
    yield from measure_canvases(quick)
    if not quick:
        yield from measure_stages(domains.get(ARC.name), find_preset("arc1").predict.ages, PROXY_SECONDS)
    yield from measure_boards(quick, domains.get(SUDOKU.name))


def measure_canvases(quick: bool) -> list[dict[str, Any]]:
    """Answers per second with fitted canvases and the ages of the preset `arc1`, relative to the plain way.

    With untrained weights, so that every row takes all of its ages; one refinement of one latent step per
    age, for both. The quick form takes a quarter of the ages on both sides.
    """
    width: dict[str, Any] = {"width": 32, "num_heads": 2, "rounding": 32} if quick else {}
    model = Model(ModelConfig(cycles=1, latent_steps=1, **width)).eval().requires_grad_(False)
    share, runs = (4, 2) if quick else (1, 3)
    ages, plain_ages = max(1, find_preset("arc1").predict.ages // share), PLAIN_AGES // share
    fitted: list[dict[int, float]] = []
    plain = []
    _answer_seconds(model, FULL, 1, 1)
    for _ in range(runs):
        fitted.append(
            {side: _answer_seconds(model, side, FULL**2 // side**2, ages) for side in EVALUATION_MIX}
        )
        plain.append(_answer_seconds(model, FULL, 1, plain_ages))
    total = sum(EVALUATION_MIX.values())
    means = [sum(each[side] * num for side, num in EVALUATION_MIX.items()) / total for each in fitted]
    canvas = [each[FULL] / mean for each, mean in zip(fitted, means, strict=True)]
    fewer = [slow / each[FULL] for slow, each in zip(plain, fitted, strict=True)]
    return [
        figure("predict.vs_plain", [slow / mean for slow, mean in zip(plain, means, strict=True)], "times"),
        figure("predict.canvas_gain", canvas, "times"),
        figure("predict.ages_gain", fewer, "times"),
    ]


def _answer_seconds(model: Model, side: int, num: int, ages: int) -> float:
    """Seconds per answer when `num` tasks of one canvas side are answered together."""
    grid = np.ones((min(side - 1, FULL), side - 1), np.uint8)
    tasks = [Task(f"{side}-{i}", (Pair(grid, grid),), (Pair(grid, None),)) for i in range(num)]
    puzzles = PuzzleMap.build(tasks, "none", 1, 0)
    data = ArcQueries(tasks, range(num), puzzles, 1, CANVASES["fitted"])
    config = PredictConfig(views=1, ages=ages, batch_size=num)
    started = time.perf_counter()
    answered = sum(len(found.rows) for found in answer_rows(model, data, config))
    return (time.perf_counter() - started) / answered
