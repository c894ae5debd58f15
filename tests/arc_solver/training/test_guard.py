"""A number that is none stops the run and changes nothing, decided by the host or on the device."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import checkpoints
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.non_finite import Guard, NotFinite, check_tensors
from arc_solver.training.run_checkpoint import save_state, save_weights
from arc_solver.training.step import train_step
from tests.arc_solver.tiny import CPU, MODEL, TRAIN, Run, preset, run

VALUES = [float("nan"), float("inf"), -float("inf")]
SHORT = dataclasses.replace(MODEL, cycles=1, latent_steps=1)
RECIPES = {
    "adam_atan2": dataclasses.replace(TRAIN, ema_rows=True),
    "adamw": dataclasses.replace(TRAIN, optimizer="adamw", clip=1.0),
    "muon": dataclasses.replace(TRAIN, optimizer="muon", vector_learning_rate=1e-3, clip=1.0),
}


def guarded(deferred: bool, recipe: str = "adam_atan2", **changes: Any) -> Run:
    """A run after one good step."""
    found = run(preset(SHORT, dataclasses.replace(RECIPES[recipe], **changes)))
    found.state.guard = Guard(CPU, deferred=deferred)
    step(found, 0)
    return found


def step(found: Run, number: int) -> None:
    train_step(found.state, found.state.batches.paint(number), found.preset.train, factor=1.0)
    if found.state.guard.deferred:
        found.state.guard.check()


def learned(found: Run) -> dict[str, Tensor]:
    """Copies of all that a step may learn: weights, rows, average, optimizers."""
    named = found.state.tensors()
    # The library counts its steps on the host; a stopped run is not saved, so the count does not matter.
    passing = ("slots.", "first_")
    return {
        n: t.clone() for n, t in named.items() if not any(p in n for p in passing) and not n.endswith(".step")
    }


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name, t in after.items() if not torch.equal(before[name], t)}


def spoil(found: Run, name: str, value: float) -> Any:
    """Let the first number of a parameter's gradient be `value`."""
    parameter = dict(found.state.model.named_parameters())[name]
    return parameter.register_hook(lambda g: g.index_fill(0, torch.tensor([0]), value))


@pytest.mark.parametrize("recipe", RECIPES)
def test_both_ways_learn_the_same(recipe: str) -> None:
    at_once, deferred = guarded(False, recipe), guarded(True, recipe)
    for number in (1, 2):
        step(at_once, number)
        step(deferred, number)
    assert changed(at_once.state.tensors(), deferred.state.tensors()) == set()


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_bad_gradient_changes_nothing(recipe: str, deferred: bool) -> None:
    found = guarded(deferred, recipe)
    names = [name for name, p in found.state.model.named_parameters() if p.requires_grad]
    for place, name in enumerate(names):
        before = learned(found)
        hook = spoil(found, name, VALUES[place % 3])
        with pytest.raises(NotFinite, match=r"step \d+: the gradient is not finite"):
            step(found, 1)
        hook.remove()
        assert changed(before, learned(found)) == set(), name
        for p in found.state.model.parameters():
            p.grad = None
        found.state.guard = Guard(CPU, deferred=deferred)


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("where", ["model.head.weight", "model.puzzle.rows", "model.halt_bias"])
def test_a_bad_weight_stops_the_step_that_meets_it(where: str, deferred: bool) -> None:
    found = guarded(deferred)
    found.state.tensors()[where].fill_(float("nan"))
    before = {n: t for n, t in learned(found).items() if n != where}
    with pytest.raises(NotFinite, match="step 2: the weight is not finite"):
        step(found, 1)
    assert changed(before, {n: t for n, t in learned(found).items() if n != where}) == set()
    assert NotFinite.exit_code == 1


def test_a_bad_step_is_kept_in_mind_until_someone_asks() -> None:
    """The first bad step is named, later good ones learn nothing, and the rows alone are guarded too."""
    found = guarded(True)
    before = learned(found)
    hook = spoil(found, "head.weight", float("nan"))
    train_step(found.state, found.state.batches.paint(1), found.preset.train, 1.0)
    hook.remove()
    train_step(found.state, found.state.batches.paint(2), found.preset.train, 1.0)
    train_step(found.state, found.state.batches.paint(3), found.preset.train, 1.0, rows_only=True)
    assert changed(before, learned(found)) == set()
    with pytest.raises(NotFinite, match="step 2: the gradient is not finite"):
        found.state.guard.check()


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("moment", ["save", "evaluate", "end"])
def test_nothing_follows_a_bad_step(deferred: bool, moment: str) -> None:
    """No save, no evaluation and no return: the loop asks before each of them."""
    every = {"save": {"save_every": 2}, "evaluate": {"eval_every": 2}, "end": {"steps": 2}}[moment]
    found = guarded(deferred, **every)
    spoil(found, "head.weight", float("inf"))
    done: list[str] = []

    def evaluate() -> dict[str, float]:
        done.append("evaluated")
        return {}

    hooks = Hooks(save=lambda: done.append("saved"), evaluate=evaluate)
    with pytest.raises(NotFinite, match="step 2: the gradient is not finite"):
        run_steps(found.state, found.preset.train, Limits(), hooks)
    assert done == []


@pytest.mark.parametrize(
    "where", ["model.head.weight", "average.head.weight", "optimizer.adam_atan2.head.weight.mean"]
)
def test_a_bad_weight_is_not_saved(where: str, tmp_path: Path) -> None:
    found = guarded(False)
    found.state.tensors()[where].view(-1)[3] = float("inf")
    with pytest.raises(NotFinite, match=f"after step 1: {where} is not finite and was not saved"):
        save_state(tmp_path, found.state, found.preset, found.puzzles, found.data, {})
    if where.startswith("average."):
        with pytest.raises(NotFinite):
            save_weights(tmp_path / "w.safetensors", found.state, found.preset, found.puzzles, {})
    assert checkpoints(tmp_path) == list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("deferred", [False, True])
def test_large_but_finite_passes(deferred: bool) -> None:
    guard = Guard(CPU, deferred=deferred)
    guard.inspect(torch.tensor(1.0), [torch.ones(3), torch.full((2,), 1e18)], [torch.ones(1)], 1)
    guard.check()
    check_tensors({"w": torch.ones(2), "count": torch.ones(2, dtype=torch.int32), "none": torch.ones(0)}, 1)
