"""Test-time training: new rows, what they start from, and what is never looked at."""

import dataclasses

import numpy as np
import pytest
import torch

from arc_solver.config import TrainConfig
from arc_solver.inference.adapt import adapt, cold_model, warm_model, without_answers
from arc_solver.inference.tasks import guesses
from arc_solver.model.trm import Model
from arc_solver.puzzles import PuzzleMap
from arc_solver.task import Pair, Task
from arc_solver.training.loop import Limits
from arc_solver.weights import Loaded
from tests.arc_solver.tiny import CPU, MODEL, PREDICT, TRAIN, grid, lively, preset, tasks

SHORT = dataclasses.replace(MODEL, cycles=1)


def loaded(listed: list[Task], kind: str = "rows") -> Loaded:
    config = dataclasses.replace(SHORT, embedding=kind)
    puzzles = PuzzleMap.build(listed, kind, 4, seed=0)
    model = lively(Model(config, num_rows=puzzles.num_rows, seed=3))
    return Loaded(model.eval().requires_grad_(False), puzzles, preset(config), {})


def adapted(model: Model, listed: list[Task], config: TrainConfig) -> Model:
    puzzles = PuzzleMap.build(listed, model.config.embedding, config.num_views, config.seed)
    return adapt(model, puzzles, listed, config, Limits(), CPU)


@pytest.mark.parametrize("kind", ["rows", "composed"])
def test_new_rows_start_at_the_mean_of_the_trained_ones(kind: str) -> None:
    before = loaded(tasks(1), kind)
    puzzles = PuzzleMap.build(tasks(2), kind, 4, seed=0)
    model = warm_model(before, puzzles)
    trained = before.model.puzzle.rows
    assert len(model.puzzle.rows) == puzzles.num_rows
    torch.testing.assert_close(model.puzzle.rows[1:], trained[1:].mean(0).expand(puzzles.num_rows - 1, -1))
    assert torch.equal(model.puzzle.rows[0], trained[0])
    assert all(p.requires_grad for p in model.parameters())
    assert not any(p.requires_grad for p in before.model.parameters())


def test_warm_models_without_rows() -> None:
    none = loaded(tasks(1), "none")
    assert warm_model(none, PuzzleMap.build(tasks(2), "none", 4, seed=0)).puzzle.rows.shape[0] == 0


def test_a_model_that_answered_can_learn() -> None:
    """Known tasks are answered first; then the same weights learn the unknown ones."""
    known, unknown = tasks(1), tasks(2)
    before = loaded(known)
    assert list(guesses(before.model, before.puzzles, known, range(3), PREDICT))
    weights = {name: t.clone() for name, t in before.model.state_dict().items()}
    puzzles = PuzzleMap.build(unknown, "rows", TRAIN.num_views, TRAIN.seed)
    after = adapt(warm_model(before, puzzles), puzzles, unknown, TRAIN, Limits(), CPU)
    assert not torch.equal(after.head.weight, weights["head.weight"])
    assert all(torch.equal(t, weights[name]) for name, t in before.model.state_dict().items())
    assert list(guesses(after, puzzles, unknown, range(3), PREDICT))


def test_the_first_share_trains_the_rows_alone() -> None:
    listed = tasks(2)
    puzzles = PuzzleMap.build(listed, "rows", TRAIN.num_views, TRAIN.seed)
    cold = cold_model(SHORT, puzzles, seed=0)
    config = dataclasses.replace(TRAIN, rows_only_share=1.0)
    after = adapt(cold, puzzles, listed, config, Limits(), CPU)
    fresh = cold_model(SHORT, puzzles, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(after.parameters(), fresh.parameters(), strict=True))
    assert after.puzzle.rows.any()


def test_no_average_returns_the_model_itself() -> None:
    listed = tasks(2)
    puzzles = PuzzleMap.build(listed, "rows", TRAIN.num_views, TRAIN.seed)
    cold = cold_model(SHORT, puzzles, seed=0)
    config = dataclasses.replace(TRAIN, ema=0.0)
    assert adapt(cold, puzzles, listed, config, Limits(), CPU) is cold
    assert not any(p.requires_grad for p in cold.parameters())


def test_test_outputs_are_never_trained_on() -> None:
    rng = np.random.default_rng(8)
    listed = tasks(2)
    other = [
        dataclasses.replace(task, test=tuple(Pair(pair.input, grid(rng, 9, 9)) for pair in task.test))
        for task in listed
    ]
    results = [adapted(Model(SHORT, num_rows=13), part, TRAIN).state_dict() for part in (listed, other)]
    assert all(torch.equal(t, results[1][name]) for name, t in results[0].items())
    assert all(pair.output is None for task in other for pair in without_answers(task).test)
    assert without_answers(listed[0]).train == listed[0].train
