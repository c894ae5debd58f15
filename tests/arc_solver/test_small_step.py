"""The frozen step is that of the same recipe, and the figures of the comparison have their names."""

import pytest

from arc_solver.benchmarks import small_step
from arc_solver.benchmarks.frozen_step import FrozenStep
from arc_solver.benchmarks.small_step import Runner, examples_of, measure_small_step


@pytest.fixture(autouse=True)
def _few_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_step, "SMALL_MIX", {5: 2, 7: 1})


def test_old_and_new_step_learn_alike() -> None:
    """From the same weights and examples the losses agree to rounding, and so do all weights and rows."""
    new = Runner("float32")
    old = FrozenStep(new.state.model.state_dict())
    for number in range(6):
        batches = new.state.batches.paint(number)
        before = old.step([examples_of(batch) for batch in batches])
        assert new.step(batches) == pytest.approx(before, rel=1e-4)
    named = dict(new.state.model.named_parameters())
    for name, weight in old.weights.items():
        assert (named[name] - weight).abs().max() < 2e-3, name
    averaged = dict(new.state.averaged.named_parameters())
    for name, weight in zip(old.weights, old.averaged, strict=True):
        assert (averaged[name] - weight).abs().max() < 2e-3, name
    # A row goes by the sign of its gradient: where that is nothing but rounding, it may go either way.
    gap = (new.state.model.puzzle.rows - old.buffers["puzzle.rows"]).abs()
    assert (gap > 1e-3).float().mean() < 0.02


def test_rounded_factors_learn_alike() -> None:
    exact, rounded = Runner("float32"), Runner("products")
    losses = []
    for number in range(12):
        batches = exact.state.batches.paint(number)
        losses.append((exact.step(batches), rounded.step(batches)))
    assert losses[-1][0] < 0.8 * losses[0][0]
    for one, other in losses:
        assert other == pytest.approx(one, rel=0.02)


def test_the_comparison_tells_old_and_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_step, "QUICK_STEPS", 1)
    found = {each["name"]: each for each in measure_small_step(True)}
    assert {"train.small_step_vs_a2f442c", "train.small_matmul_fraction"} <= set(found)
    assert all(each["value"] > 0 for each in found.values())
