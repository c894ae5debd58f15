"""Tiny tasks, models and runs for the tests of model, training and inference."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from arc_solver.config import ModelConfig, PredictConfig, Preset, TrainConfig
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.arc.examples import ArcTraining
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.domains import find_domain
from arc_solver.inference.answer import Answering
from arc_solver.inference.election import Found
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from arc_solver.training.state import TrainState
from augment.grid import Grid
from submission.vote import Tally

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


def guesses(
    model: Model,
    puzzles: PuzzleMap,
    listed: Sequence[Task],
    numbers: Sequence[int],
    config: PredictConfig,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Found]:
    """What is found for the test inputs of tasks, batch by batch."""
    return answering_of(puzzles, listed, numbers, config).run(model, stop=stop)


def answering_of(
    puzzles: PuzzleMap, listed: Sequence[Task], numbers: Sequence[int], config: PredictConfig
) -> Answering:
    """The answering of tasks, before anything is asked."""
    material = tuple(listed)
    questions = ARC.questions(material, puzzles, numbers, config, "fitted")
    return Answering(ARC, material, questions, config)


@dataclasses.dataclass(frozen=True)
class BoardAnswers:
    """The answers to n boards of L cells."""

    cells: np.ndarray  # (n, L)
    confidence: np.ndarray  # (n,)
    ages: np.ndarray  # (n,)
    answered: np.ndarray  # (n,)


def answer_boards(model: Model, boards: BoardSet, config: PredictConfig) -> BoardAnswers:
    """All boards answered."""
    domain = find_domain(boards.kind)
    answering = Answering(domain, boards, domain.questions(boards, PuzzleMap("none"), (), config, ""), config)
    for _ in answering.run(model):
        pass
    blank = Tally(np.zeros((boards.side, boards.side), np.uint8), 0, 0.0, 0.0)
    standings = answering.standings(np.arange(len(boards)), 1)
    best = [s.candidates[0] if s.candidates else blank for s in standings]
    return BoardAnswers(
        np.array([tally.grid.ravel() for tally in best]),
        np.array([tally.confidence for tally in best], np.float32),
        answering.ages,
        answering.answered > 0,
    )
