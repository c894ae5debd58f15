"""Test-time training: learn new tasks from their demonstrations before answering them."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch

from arc_solver.config import ModelConfig, TrainConfig
from arc_solver.corpus import without_answers
from arc_solver.domain.arc import ArcTraining
from arc_solver.model.trm import Model
from arc_solver.puzzles import PuzzleMap
from arc_solver.task import Task
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.state import TrainState
from arc_solver.weights import Loaded


def cold_model(config: ModelConfig, puzzles: PuzzleMap, seed: int) -> Model:
    """An untrained model with zero rows for `puzzles`."""
    return Model(config, num_rows=puzzles.num_rows, seed=seed)


def warm_model(loaded: Loaded, puzzles: PuzzleMap) -> Model:
    """The trained weights with a new table: every row of `puzzles` is the mean of the trained rows."""
    model = copy.deepcopy(loaded.model).requires_grad_(True)
    rows = model.puzzle.rows
    mean = rows[1:].mean(dim=0) if rows.shape[0] > 1 else rows.new_zeros(rows.shape[1])
    table = mean.repeat(puzzles.num_rows, 1)
    if puzzles.num_rows and rows.shape[0]:
        table[0] = rows[0]
    model.puzzle.rows = table
    return model


def adapt(
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    config: TrainConfig,
    limits: Limits,
    device: torch.device,
    *,
    hooks: Hooks | None = None,
    quiet: bool = True,
) -> Model:
    """Train `model` on the demonstrations of `tasks` (their test outputs are not looked at) under the limits.

    Returns the averaged model, ready to predict. The first `config.rows_only_share` trains the rows alone.
    """
    blind = [without_answers(task) for task in tasks]
    data = ArcTraining(blind, puzzles, config)
    state = TrainState(model, data, config, device)
    run_steps(state, config, limits, hooks or Hooks(), label="adapt", quiet=quiet)
    return state.averaged if config.ema else state.model.requires_grad_(False)
