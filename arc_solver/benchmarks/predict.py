"""What the engine saves against the plain way: 30x30 canvases, 16 ages for every row, nobody replaced."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import torch

from arc_solver.benchmarks.figures import figure
from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domain.arc import CANVASES, ArcQueries
from arc_solver.domain.boards import BoardTraining
from arc_solver.inference.boards import answer_boards
from arc_solver.inference.engine import answer_rows
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.puzzles import PuzzleMap
from arc_solver.sources.sudoku import apart, exact_boards, generate_sudoku
from arc_solver.task import Pair, Task
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.state import TrainState

# Tasks of the ARC-AGI-1 evaluation set per side of their fitted canvas.
EVALUATION_MIX = {7: 13, 11: 65, 16: 113, 21: 93, 26: 41, 30: 75}
FULL, PLAIN_AGES = 30, 16
NUM_TRAINING_BOARDS = 2048


def measure_predict(quick: bool) -> list[dict[str, Any]]:
    """`predict.vs_plain` on ARC's mix of canvases, `predict.ages_saved` on Sudoku with confident halting."""
    halting = measure_halting(18.0, 128) if quick else measure_halting(60.0, 512)
    return [*measure_canvases(quick), *halting]


def measure_canvases(quick: bool) -> list[dict[str, Any]]:
    """Answers per second with fitted canvases and the ages of the preset `arc1`, over those of the plain way.

    Untrained weights: every row takes all of its ages. One refinement of one latent step per age, for both.
    The quick form takes a quarter of the ages on both sides.
    """
    width = {"width": 32, "num_heads": 2, "rounding": 32} if quick else {}
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
    return [
        figure("predict.vs_plain", [slow / mean for slow, mean in zip(plain, means, strict=True)], "times"),
        figure("predict.canvas_gain", canvas, "times"),
    ]


def measure_halting(train_seconds: float, num_boards: int) -> list[dict[str, Any]]:
    """Ages that halting saves on Sudoku 4x4 after a short training, and what it costs in exact answers."""
    rng = np.random.default_rng(0)
    test = generate_sudoku(num_boards, 4, rng)
    preset = find_preset("cpu-sudoku4")
    data = BoardTraining(apart(generate_sudoku(NUM_TRAINING_BOARDS, 4, rng), test), preset.train)
    state = TrainState(Model(preset.model), data, preset.train, torch.device("cpu"))
    run_steps(state, preset.train, Limits(time_limit=train_seconds), Hooks())
    plain = dataclasses.replace(preset.predict, ages=PLAIN_AGES, halt_logit=float("inf"), patience=0)
    always = answer_boards(state.averaged, test, plain)
    halting = answer_boards(state.averaged, test, dataclasses.replace(plain, halt_logit=0.0))
    exact = [exact_boards(answers.cells, test.answers).mean() for answers in (always, halting)]
    return [
        figure("predict.ages_saved", [float(always.ages.sum() / halting.ages.sum())], "times"),
        figure("predict.exact_all_ages", [100 * float(exact[0])], "%"),
        figure("predict.exact_halting", [100 * float(exact[1])], "%"),
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
