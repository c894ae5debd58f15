"""Test-time training: new rows, what they start from, and what is never looked at."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.checkpoints.weights import Loaded, load
from arc_solver.config import TrainConfig
from arc_solver.inference.adaptation import ADAPTED_NAME, Keep, adapt, cold_model, warm_model, without_answers
from arc_solver.inference.time_budget import AdaptBudget
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from arc_solver.training.loop import Hooks, Limits, Metrics
from tests.arc_solver.tiny import CPU, MODEL, PREDICT, TRAIN, grid, guesses, lively, preset, tasks

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


class Killed(BaseException):
    """Ends the learning as a kill would: nothing is done any more."""


def kept(
    folder: Path,
    listed: list[Task],
    limits: Limits | None = None,
    report: Callable[[Metrics], None] = lambda _: None,
    start: str = "",
) -> tuple[Model, list[str], list[float]]:
    """Learning from nothing, saved at every report; what it said and of how many seconds it was told."""
    said: list[str] = []
    begun: list[float] = []
    puzzles = PuzzleMap.build(listed, "rows", TRAIN.num_views, TRAIN.seed)
    model = adapt(
        cold_model(SHORT, puzzles, seed=0),
        puzzles,
        listed,
        TRAIN,
        limits or Limits(),
        CPU,
        hooks=Hooks(report=report, ready=begun.append),
        keep=Keep(folder, preset(SHORT), start, {"files": []}, said.append, seconds=0.0),
    )
    return model, said, begun


def test_a_killed_learning_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    listed = tasks(2)
    whole, said, begun = kept(tmp_path / "whole", listed)
    assert (said, begun) == ([], [0.0])
    assert all(
        torch.equal(t, whole.state_dict()[name])
        for name, t in adapted(cold_model(SHORT, PuzzleMap.build(listed, "rows", 4, 0), 0), listed, TRAIN)
        .state_dict()
        .items()
    )
    steps: list[int] = []

    def kill(metrics: Metrics) -> None:
        steps.append(metrics["step"])
        if len(steps) == 3:
            raise Killed

    # A clock that leaps makes a report due at every step, and a save where the last one is not just done.
    with pytest.raises(Killed):
        kept(tmp_path / "hurt", listed, Limits(clock=itertools.count(0.0, 10.0).__next__), kill)
    assert steps == [1, 2, 3]
    again, said, begun = kept(tmp_path / "hurt", listed)
    assert len(said) == len(begun) == 1
    assert said[0].endswith(("step 1", "step 2"))
    assert begun[0] > 0
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in whole.state_dict().items())
    assert len({path.name for path in (tmp_path / "hurt").iterdir()}) == 1


def test_what_was_kept_and_is_damaged_costs_a_warning(tmp_path: Path) -> None:
    listed = tasks(2)
    whole, _, _ = kept(tmp_path, listed)
    for path in tmp_path.glob("*/checkpoint-*"):
        path.write_bytes(path.read_bytes()[:-1])
    again, said, begun = kept(tmp_path, listed)
    assert begun == [0.0]
    assert "learning anew" in said[-1]
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in whole.state_dict().items())


def test_kept_weights_know_the_tasks(tmp_path: Path) -> None:
    listed = tasks(2)
    model, _, _ = kept(tmp_path, listed)
    (path,) = tmp_path.glob(f"*/{ADAPTED_NAME}")
    back = load(path)
    assert [back.puzzles.find(task) for task in listed] == [0, 1, 2]
    assert all(torch.equal(t, model.state_dict()[name]) for name, t in back.model.state_dict().items())


def test_other_tasks_or_weights_are_another_run(tmp_path: Path) -> None:
    listed = tasks(2)
    kept(tmp_path, listed)
    assert kept(tmp_path, listed[:2])[1] == []
    assert kept(tmp_path, listed, start="other")[1] == []
    assert len(list(tmp_path.iterdir())) == 3
    assert len(kept(tmp_path, listed)[1]) == 1


def test_the_time_of_an_earlier_sitting_is_not_taken_from_the_budget() -> None:
    """Nor is the time in which something was compiled."""
    limits, now = Limits(), [100.0]
    budget = AdaptBudget(limits, 200.0, 0.0, train_tokens=1.0, cycles=1, clock=lambda: now[0])
    assert limits.time_limit == 80.0
    budget.begin(500.0)
    assert limits.time_limit == 580.0
    budget.report({"forwards_per_s": 1.0})
    assert limits.time_limit == 500.0 + 95.0
    now[0] = 150.0
    budget.begin()
    assert limits.time_limit == 40.0


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("step", [1.0, 6.0, 14.0, 25.0, 60.0])
def test_slow_steps_leave_time_for_one_view_of_every_output(step: float, known: bool) -> None:
    """One view takes half as long as a step."""
    limits, spent = Limits(), 0.0
    tokens = 1.5 * 8  # the row of a step costs three forward passes
    budget = AdaptBudget(limits, 60.0, tokens, train_tokens=1.0, cycles=1, clock=lambda: 0.0)
    budget.first_tokens = tokens / 8
    if known:
        budget.expect(step, 1)
        budget.begin()
    assert limits.time_limit is not None
    while spent < limits.time_limit:
        spent += step
        budget.report({"forwards_per_s": 1 / step, "steps_per_s": 1 / step})
    reserve = 0.5 * step
    if known or step + reserve <= 60:
        assert 60 - spent >= reserve
    if 4 * step < 60:
        assert spent > 0


def test_what_is_learned_gets_four_times_its_time_if_nobody_chose_one() -> None:
    for until_learned, wanted in ((False, 95.0), (True, 28.0)):
        limits = Limits()
        budget = AdaptBudget(limits, 100.0, 0.0, train_tokens=1.0, cycles=1, clock=lambda: 0.0)
        budget.until_learned = until_learned
        budget.report({"forwards_per_s": 1.0, "exact": 0.9, "seconds": 5.0})
        assert limits.time_limit == 95.0
        for seconds in (7.0, 9.0):
            budget.report({"forwards_per_s": 1.0, "exact": 1.0, "seconds": seconds})
            assert limits.time_limit == wanted
        budget.report({"step": 3, "seconds": 11.0})
        assert limits.time_limit == wanted
