"""Tiny tasks, models and runs for the tests of model, training and inference."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from arc_solver.config import ModelConfig, PredictConfig, Preset, TrainConfig
from arc_solver.domains.arc.examples import ArcTraining
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from arc_solver.training.state import TrainState
from augment.grid import Grid

torch.set_num_threads(1)  # tiny shapes lose by threads, and bit-identity is promised for a fixed number only

CPU = torch.device("cpu")
MODEL = ModelConfig(width=16, num_heads=2, rounding=8, cycles=2, latent_steps=2, prefix_length=2)
TRAIN = TrainConfig(
    steps=6, batch_size=5, learning_rate=1e-2, warmup_steps=2, max_age=3, exploration=0.5, num_views=4
)
# An untrained network fills its canvas: asking again on the full one would cost a hundred times the rest.
PREDICT = PredictConfig(views=4, ages=3, batch_size=4, retry_overflow=False)
HRM = dataclasses.replace(MODEL, networks=2, gradient="last", continue_output=True)


def grid(rng: np.random.Generator, height: int, width: int) -> Grid:
    return rng.integers(0, 10, (height, width)).astype(np.uint8)


def task(rng: np.random.Generator, name: str, side: int, num_pairs: int = 2, num_tests: int = 1) -> Task:
    """A task of random grids, the first of them `side` wide, so that the canvas is known."""

    def pair(width: int) -> Pair:
        return Pair(
            grid(rng, int(rng.integers(1, side + 1)), width), grid(rng, 2, int(rng.integers(1, side + 1)))
        )

    return Task(
        name,
        tuple(pair(side if i == 0 else 2) for i in range(num_pairs)),
        tuple(pair(2) for _ in range(num_tests)),
    )


def tasks(seed: int, sides: Sequence[int] = (3, 4, 8), num_tests: int = 1) -> list[Task]:
    """Random tasks; sides up to 6 share the canvas of 7, sides up to 10 that of 11."""
    rng = np.random.default_rng(seed)
    return [task(rng, f"task-{i}", side, num_tests=num_tests) for i, side in enumerate(sides)]


def preset(
    model: ModelConfig = MODEL, train: TrainConfig = TRAIN, predict: PredictConfig = PREDICT
) -> Preset:
    return Preset("tiny", "for tests", model, train, predict)


def lively(model: Model, seed: int = 0) -> Model:
    """The model with rows and halting head that are not zero, so that every part of it shows."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        model.puzzle.rows.normal_(generator=rng).mul_(0.2)
        model.halt_weight.normal_(generator=rng)
        model.halt_bias.normal_(generator=rng)
    return model


@dataclasses.dataclass(frozen=True)
class Run:
    """What one training run consists of."""

    preset: Preset
    puzzles: PuzzleMap
    data: ArcTraining
    state: TrainState


def run(recipe: Preset, seed: int = 3, sides: Sequence[int] = (3, 4, 8)) -> Run:
    """A fresh run of `recipe` on random tasks; the same arguments give the same run."""
    listed = tasks(seed, sides)
    puzzles = PuzzleMap.build(listed, recipe.model.embedding, recipe.train.num_views, recipe.train.seed)
    data = ArcTraining(listed, puzzles, recipe.train)
    model = Model(recipe.model, num_rows=puzzles.num_rows, seed=recipe.train.seed)
    return Run(recipe, puzzles, data, TrainState(model, data, recipe.train, CPU))
