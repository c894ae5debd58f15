"""When a sitting ends, what it reports, and that saving and evaluating cost no training time."""

import dataclasses
from typing import Any

import pytest
import torch

from arc_solver.training import loop
from arc_solver.training.loop import Hooks, Limits, Metrics, run_steps
from tests.arc_solver.tiny import MODEL, TRAIN, preset, run

SHORT = dataclasses.replace(MODEL, cycles=1)


class Clock:
    """A clock that moves a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_run_ends_at_its_steps() -> None:
    found = run(preset(SHORT))
    assert run_steps(found.state, TRAIN, Limits(), Hooks())
    assert found.state.step == TRAIN.steps
    assert run_steps(found.state, TRAIN, Limits(), Hooks())
    assert found.state.step == TRAIN.steps


def test_stop_deadline_and_time_limit() -> None:
    found = run(preset(SHORT))
    assert not run_steps(found.state, TRAIN, Limits(stop=lambda: True), Hooks())
    assert found.state.step == 0
    assert not run_steps(found.state, TRAIN, Limits(deadline=100.0, clock=Clock()), Hooks())
    assert found.state.step == 0
    endless = dataclasses.replace(TRAIN, steps=10**9)
    assert run_steps(found.state, endless, Limits(time_limit=10.0, clock=Clock()), Hooks())
    assert 1 <= found.state.step <= 10
    assert found.state.seconds >= 10


def test_saves_and_evaluations_come_when_they_are_due() -> None:
    config = dataclasses.replace(TRAIN, steps=7, save_every=2, eval_every=3)
    found = run(preset(SHORT, config))
    saves: list[int] = []
    reports: list[Metrics] = []
    hooks = Hooks(
        report=reports.append,
        save=lambda: saves.append(found.state.step),
        evaluate=lambda: {"eval_exact": found.state.step / 10},
    )
    run_steps(found.state, config, Limits(), hooks)
    assert saves == [2, 4, 6]
    assert [r["step"] for r in reports if "eval_exact" in r] == [3, 6]
    trained = [r for r in reports if "loss" in r]
    assert trained[-1]["step"] == 7
    assert set(trained[-1]) >= {"loss", "exact", "ages", "examples_per_s", "seconds"}


@pytest.mark.parametrize("time_limit", [None, 200.0])
def test_evaluations_come_at_tenths_of_the_run(time_limit: float | None) -> None:
    """Of its steps or of its time, whichever is further; the end is scored by whoever ends the run."""
    config = dataclasses.replace(TRAIN, steps=20 if time_limit is None else 10**9)
    found = run(preset(SHORT, config))
    shares: list[float] = []

    def evaluate() -> Metrics:
        state = found.state
        shares.append(state.step / 20 if time_limit is None else state.seconds / time_limit)
        return {}

    limits, hooks = Limits(time_limit=time_limit, clock=Clock()), Hooks(evaluate=evaluate)
    run_steps(found.state, config, limits, hooks)
    assert shares == pytest.approx([number / 10 for number in range(1, 10)], abs=0.04)
    at_the_end = len(shares)
    run_steps(found.state, config, limits, hooks)
    assert len(shares) == at_the_end


def test_a_sitting_does_not_score_again_what_the_one_before_did() -> None:
    config = dataclasses.replace(TRAIN, steps=20)
    found = run(preset(SHORT, config))
    steps: list[int] = []

    def evaluate() -> Metrics:
        steps.append(found.state.step)
        return {}

    hooks = Hooks(evaluate=evaluate)
    assert not run_steps(found.state, config, Limits(stop=lambda: len(steps) == 1), hooks)
    assert not run_steps(found.state, config, Limits(stop=lambda: len(steps) == 2), hooks)
    assert steps == [2, 4]


def test_the_end_is_not_scored_in_the_loop() -> None:
    config = dataclasses.replace(TRAIN, steps=4, eval_every=2)
    found = run(preset(SHORT, config))
    steps: list[int] = []

    def evaluate() -> Metrics:
        steps.append(found.state.step)
        return {}

    run_steps(found.state, config, Limits(), Hooks(evaluate=evaluate))
    assert steps == [2]


def test_time_of_saving_is_not_time_of_training() -> None:
    config = dataclasses.replace(TRAIN, steps=4, save_every=1)
    clock = Clock()

    def save() -> None:
        clock.now += 1000

    found = run(preset(SHORT, config))
    run_steps(found.state, config, Limits(clock=clock), Hooks(save=save))
    assert 0 < found.state.seconds < 100


COMPILING = dataclasses.replace(TRAIN, steps=10**9, compile="blocks")


@pytest.mark.parametrize(
    ("limits", "steps", "told"),
    [
        ({"time_limit": 60.0}, 10, "compiled after"),
        ({"time_limit": 60.0, "deadline": 500.0}, 0, "stopped after compiling 1 of 2 canvases"),
        ({"time_limit": 60.0, "patience": 500.0}, 10, "short of time: compiled 1 of 2 canvases"),
        ({"time_limit": 60.0, "patience": 0.0}, 10, "short of time: compiled 0 of 2 canvases"),
    ],
)
def test_time_of_compiling_is_not_time_of_training(
    limits: dict[str, float], steps: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow compiler takes nothing from a time limit; a sitting, or patience, ends between two canvases."""
    clock, said, ready = Clock(), list[str](), list[tuple[float, float]]()

    def slow(function: Any, **_: Any) -> Any:
        def called(*arguments: Any) -> Any:
            if function not in made:
                clock.now += 1000
            made.add(function)
            return function(*arguments)

        made: set[object] = set()
        return called

    monkeypatch.setattr(torch, "compile", slow)
    found = run(preset(SHORT, COMPILING))
    before = {name: t.clone() for name, t in found.state.tensors().items()}
    hooks = Hooks(say=said.append, ready=lambda seconds: ready.append((seconds, clock.now)))
    complete = run_steps(found.state, COMPILING, Limits(clock=clock, **limits), hooks)
    assert complete == (steps > 0)
    assert found.state.step >= steps
    assert found.state.seconds < 200
    assert said[0].startswith("compiling before the first step, canvas by canvas; ")
    assert said[1].startswith(told)
    assert ready[0][0] == 0
    assert ready[0][1] > (1000 if limits.get("patience") != 0 else 0), "told when all is compiled"
    if steps == 0:
        assert all(torch.equal(t, before[name]) for name, t in found.state.tensors().items())


def test_a_step_that_lasts_long_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever divides the time hears of it before the next one."""
    found, now, step = run(preset(SHORT)), [100.0], loop.train_step

    def slow(*given: Any, **named: Any) -> torch.Tensor:
        now[0] += 30
        return step(*given, **named)

    def report(metrics: Metrics) -> None:
        limits.time_limit = 0.0

    monkeypatch.setattr(loop, "train_step", slow)
    limits = Limits(time_limit=1000.0, clock=lambda: now[0])
    assert run_steps(found.state, TRAIN, limits, Hooks(report=report))
    assert found.state.step == 1


def test_rates_leave_pauses_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORT_SECONDS", 10.0)
    config = dataclasses.replace(TRAIN, steps=12, save_every=2, eval_every=3)

    def rates(pause: float) -> list[float]:
        clock, reports = Clock(), list[Metrics]()

        def save() -> None:
            clock.now += pause

        def evaluate() -> Metrics:
            clock.now += pause
            return {}

        run_steps(
            run(preset(SHORT, config)).state,
            config,
            Limits(clock=clock),
            Hooks(report=reports.append, save=save, evaluate=evaluate),
        )
        return [r["steps_per_s"] for r in reports if "loss" in r]

    undisturbed = rates(0)
    assert len(undisturbed) > 1
    assert rates(1000) == undisturbed


def test_seconds_add_up_over_sittings() -> None:
    found = run(preset(SHORT))
    found.state.seconds = 50.0
    run_steps(found.state, TRAIN, Limits(clock=Clock()), Hooks())
    assert found.state.seconds > 50
    assert found.state.seconds == pytest.approx(50 + 4 * TRAIN.steps, abs=3 * TRAIN.steps)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_rate_falls_to_nothing_at_the_end(schedule: str) -> None:
    config = dataclasses.replace(TRAIN, steps=4, schedule=schedule, decay_share=1.0, warmup_steps=0)
    found = run(preset(SHORT, config))
    moved: list[float] = []
    last = [found.state.model.head.weight.detach().clone()]

    def stop() -> bool:
        weight = found.state.model.head.weight.detach()
        moved.append(float((weight - last[0]).abs().max()))
        last[0] = weight.clone()
        return False

    run_steps(found.state, config, Limits(stop=stop), Hooks())
    first, *steps = moved
    assert first == 0
    assert steps[0] > steps[-1] > 0
