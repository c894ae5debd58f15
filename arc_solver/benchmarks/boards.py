"""What halting and rollouts gain on Sudokus, with given or briefly trained weights."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from arc_solver.benchmarks.figures import figure
from arc_solver.checkpoints.shipped import shipped_weights
from arc_solver.checkpoints.weights import build_model, load
from arc_solver.config import PredictConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import apart, generate_sudoku
from arc_solver.inference.answer import Answering
from arc_solver.inference.evaluate import attempts_of
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.settings import apply_settings
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.state import TrainState

ALL_AGES = 16
# On the proxies, rows that halt above this are as often right as after all ages.
HALT_LOGIT = 4.0
NUM_CHAINS = 16
ROLLOUT_TRAINING_SECONDS = 25.0  # of processor time
NUM_TRAINING_BOARDS = {4: 2048, 6: 20_000}
# The preset for 4x4 learns too fast to be stopped half-way; two refinements are slower.
SLOWLY = ("cycles=2", "latent_steps=2")


def measure_boards(quick: bool, weights: Path | None = None) -> list[dict[str, Any]]:
    """`predict.ages_saved` by halting, and the exact answers with it, without it and with rollouts.

    Halting is measured with `weights`, or the shipped ones for Sudoku 6x6 (quick: 4x4). Rollouts (not in the
    quick form) are measured on 4x4 after so short a training that they have something to gain.
    """
    side, num = (4, 128) if quick else (6, 512)
    shipped = shipped_weights(SUDOKU.name)
    if weights is not None:
        model, side, test = _loaded(weights, num)
    elif shipped is not None:
        model, side, test = _loaded(shipped, num, side)
    else:
        model, test = _trained(side, 18.0 if quick else 240.0, num)
    plain = PredictConfig(views=1, ages=ALL_AGES, batch_size=256)
    always = _answered(model, test, plain)
    halting = _answered(model, test, dataclasses.replace(plain, halt_logit=HALT_LOGIT))
    figures = [
        figure(
            "predict.ages_saved", [float(always.ages.sum() / halting.ages.sum())], f"times, {side}x{side}"
        ),
        figure("predict.exact_all_ages", [_exact(always, test)], "%"),
        figure("predict.exact_halting", [_exact(halting, test)], "%"),
    ]
    return figures if quick else figures + _measure_rollouts(plain)


def _measure_rollouts(plain: PredictConfig) -> list[dict[str, Any]]:
    """Exact answers of one chain and of many, for each way to choose among them."""
    model, test = _trained(4, ROLLOUT_TRAINING_SECONDS, 128, SLOWLY)
    one = dataclasses.replace(plain, halt_logit=HALT_LOGIT, patience=3)
    figures = [figure("predict.exact_1_chain", [_exact(_answered(model, test, one), test)], "%")]
    for choice in ("first", "valid", "vote"):
        many = dataclasses.replace(one, rollouts=NUM_CHAINS, choice=choice)
        name = f"predict.exact_{NUM_CHAINS}_chains_{choice}"
        figures.append(figure(name, [_exact(_answered(model, test, many), test)], "%"))
    return figures


def _answered(model: Model, boards: BoardSet, config: PredictConfig) -> Answering:
    """The answers to all boards."""
    questions = SUDOKU.questions(boards, PuzzleMap("none"), (), config, "")
    answering = Answering(SUDOKU, boards, questions, config)
    for _ in answering.run(model):
        pass
    return answering


def _exact(answering: Answering, test: BoardSet) -> float:
    cells = np.array([attempts[0].ravel() for attempts in attempts_of(answering)])
    return 100 * float((cells == test.answers).all(1).mean())


def _loaded(weights: Path, num: int, side: int = 0) -> tuple[Model, int, BoardSet]:
    """The model of a Sudoku checkpoint, the side of its boards and new boards of that side."""
    model = load(weights, side).model
    side = math.isqrt(model.config.length) or model.config.vocabulary - 2
    return model, side, generate_sudoku(num, side, np.random.default_rng(1))


def _trained(side: int, seconds: float, num: int, settings: Sequence[str] = ()) -> tuple[Model, BoardSet]:
    """A model after so many seconds of CPU time, and boards that it has not seen."""
    rng = np.random.default_rng(0)
    test = generate_sudoku(num, side, rng)
    preset = apply_settings(find_preset(f"cpu-sudoku{side}"), list(settings))
    boards = generate_sudoku(NUM_TRAINING_BOARDS[side], side, rng)
    state = TrainState(
        build_model(preset),
        SUDOKU.training(apart(boards, test), preset)[0],
        preset.train,
        torch.device("cpu"),
    )
    run_steps(state, preset.train, Limits(seconds, clock=time.process_time), Hooks())
    return state.averaged, test
