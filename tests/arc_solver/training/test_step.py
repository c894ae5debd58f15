"""One optimizer step: what adds up and what is updated."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from arc_solver.config import ConfigError
from arc_solver.training.loss import supervision_loss
from arc_solver.training.step import MEASURES, train_step
from arc_solver.training.warm_up import warm_up
from tests.arc_solver.tiny import HRM, MODEL, TRAIN, Run, lively, preset, run
from tests.arc_solver.training.recorder import record

# No halting by luck: what a step adds up is then the same for all ways to group its rows.
STILL = dataclasses.replace(TRAIN, exploration=0.0, weight_decay=0.1)


def copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.clone() for name, t in state.items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name, t in after.items() if not torch.equal(before[name], t)}


def step(found: Run, number: int = 0, **options: Any) -> Tensor:
    return train_step(
        found.state, found.state.batches.paint(number), found.preset.train, factor=1.0, **options
    )


def test_gradients_of_all_canvases_add_up_over_the_batch_size() -> None:
    found = run(preset(train=STILL))
    lively(found.state.model)
    assert len(found.data.canvases) == 2
    seen: list[Tensor] = []
    batches = found.state.batches.paint(0)
    model = found.state.model
    total: Tensor = torch.zeros(())
    for batch, canvas in zip(batches, found.data.canvases, strict=True):
        carry = model.first_carry(len(batch.tokens), MODEL.prefix + canvas[0] * canvas[1])
        output = model(batch.tokens, batch.codes, carry, canvas)
        total = total + supervision_loss(output, batch.targets).total / STILL.batch_size
    wanted = torch.autograd.grad(total, found.state.optimizers.parameters)
    found.state.team.sum_gradients = lambda summed: seen.extend(g.clone() for g in summed[:-1])
    train_step(found.state, batches, STILL, 1.0)
    for ours, theirs in zip(seen, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_a_step_moves_weights_average_and_the_rows_of_the_batch_only() -> None:
    found = run(preset(train=STILL))
    before = copied(found.state.tensors())
    step(found)
    moved = changed(before, found.state.tensors())
    assert {name for name in before if name.startswith("model.") and "first_" not in name} <= moved
    touched = {int(row) for slots in found.state.slots for row in slots.codes[:, 0]}
    rows, old = found.state.model.puzzle.rows, before["model.puzzle.rows"]
    assert {r for r in range(len(rows)) if not torch.equal(rows[r], old[r])} == touched
    assert not {"model.first_answer", "average.first_latent"} & moved
    assert found.state.step == 1


def test_rows_only_leaves_the_dense_weights_alone() -> None:
    found = run(preset(train=STILL))
    before = copied(found.state.tensors())
    step(found, rows_only=True)
    moved = changed(before, found.state.tensors())
    assert {name for name in moved if not name.startswith("slots.")} == {"model.puzzle.rows"}
    assert all(p.grad is None for p in found.state.optimizers.parameters)


def test_clipping_bounds_what_the_optimizer_sees() -> None:
    config = dataclasses.replace(STILL, optimizer="adamw", clip=1e-3)
    found = run(preset(train=config))
    step(found)
    squares = [t for n, t in found.state.tensors().items() if n.endswith(".exp_avg_sq")]
    norm = torch.cat([t.flatten() for t in squares]).div(1 - config.beta2).sum().sqrt()
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)


def test_measures() -> None:
    found = run(preset(train=dataclasses.replace(STILL, max_age=2)))
    first = dict(zip(MEASURES, step(found, 0).tolist(), strict=True))
    second = dict(zip(MEASURES, step(found, 1).tolist(), strict=True))
    assert first["rows"] == second["rows"] == 5
    assert (first["finished"], second["finished"], second["finished_age"]) == (0, 5, 10)
    assert first["loss"] == pytest.approx(first["cells"] + 0.5 * first["halting"], rel=1e-5)


def test_the_continue_target_looks_one_forward_ahead() -> None:
    """sigmoid of the larger output one forward later, or of its halt where that forward is the last."""
    found = run(preset(HRM, dataclasses.replace(STILL, max_age=2)))
    lively(found.state.model)
    batches = found.state.batches.paint(0)
    model, total = found.state.model, 0.0
    for batch, canvas in zip(batches, found.data.canvases, strict=True):
        carry = model.first_carry(len(batch.tokens), HRM.prefix + canvas[0] * canvas[1])
        with torch.no_grad():
            output = model(batch.tokens, batch.codes, carry, canvas)
            later = model(batch.tokens, batch.codes, output.carry, canvas).halt
            target = later.max(dim=1).values.sigmoid()
            total += supervision_loss(output, batch.targets, continue_target=target).total.item()
    assert step(found)[1].item() == pytest.approx(total, rel=1e-5)

    last = run(preset(HRM, dataclasses.replace(STILL, max_age=1)))
    lively(last.state.model)
    total = 0.0
    for batch, canvas in zip(batches, found.data.canvases, strict=True):
        model = last.state.model
        carry = model.first_carry(len(batch.tokens), HRM.prefix + canvas[0] * canvas[1])
        with torch.no_grad():
            output = model(batch.tokens, batch.codes, carry, canvas)
            target = model(batch.tokens, batch.codes, output.carry, canvas).halt[:, 0].sigmoid()
            total += supervision_loss(output, batch.targets, continue_target=target).total.item()
    assert step(last)[1].item() == pytest.approx(total, rel=1e-5)


def test_later_ages_weigh_less() -> None:
    """With age_decay 0.7 the second age gives 0.7 of the gradient that it gives without."""
    gradients = []
    for decay in (1.0, 0.7):
        found = run(preset(train=dataclasses.replace(STILL, learning_rate=1e-12, age_decay=decay)))
        step(found, 0)
        seen: list[Tensor] = []
        found.state.team.sum_gradients = lambda summed, seen=seen: seen.extend(g.clone() for g in summed[:-1])
        measures = step(found, 1)
        assert measures[1].item() == pytest.approx(decay * (measures[2] + 0.5 * measures[3]).item(), rel=1e-5)
        gradients.append(seen)
    for plain, weighed in zip(*gradients, strict=True):
        torch.testing.assert_close(weighed, 0.7 * plain, atol=1e-7, rtol=1e-3)


def test_a_shallow_step_is_that_of_a_shallow_model() -> None:
    shallow = run(preset(dataclasses.replace(MODEL, cycles=1, latent_steps=1), STILL))
    deep = run(preset(dataclasses.replace(MODEL, cycles=2, latent_steps=3), STILL))
    step(shallow)
    step(deep, depth=(1, 1))
    assert changed(shallow.state.tensors(), deep.state.tensors()) == set()
    step(deep, 1)
    step(shallow, 1)
    assert changed(shallow.state.tensors(), deep.state.tensors()) != set()


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # tracing looks at it
def test_traced_steps_are_the_plain_ones_at_every_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canvas is traced once for each depth, what is before and after it once; none of them in a step.

    Where updates alone are traced they are so with and without gradient, whatever the depth.
    """
    graphs: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        graphs.append(len(graph.graph.nodes))
        return graph.forward

    compile_ = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda model, **options: compile_(model, backend=backend, **options)
    )
    config = dataclasses.replace(STILL, curriculum="depth")
    model = dataclasses.replace(MODEL, cycles=2, latent_steps=3)
    for wish, number_of_graphs in (("on", 2 + 3), ("blocks", 5 + 3)):
        graphs.clear()
        torch._dynamo.reset()
        plain, traced = (
            run(preset(model, dataclasses.replace(config, compile=each)), sides=(3,))
            for each in ("off", wish)
        )
        before = copied(traced.state.tensors())
        warm_up(traced.state, traced.preset.train)
        assert changed(before, traced.state.tensors()) == set()
        assert len(graphs) == number_of_graphs
        for number, depth in enumerate([(1, 2), (2, 3), (1, 2), (2, 3)]):
            step(plain, number, depth=depth)
            step(traced, number, depth=depth)
        assert changed(plain.state.tensors(), traced.state.tensors()) == set()
        assert len(graphs) == number_of_graphs


def test_recorded_steps_are_the_plain_ones() -> None:
    """What a CUDA graph would hold: nothing that changes from step to step is decided by the host."""
    config = dataclasses.replace(TRAIN, optimizer="muon", clip=1.0, compile="off", age_decay=0.7)
    plain, recorded = run(preset(train=config)), run(preset(train=config))
    for found in (plain, recorded):
        lively(found.state.model)
    recorded.state.replay_with(record)
    for number, depth in enumerate([(1, 1), (2, 2), (2, 2), (1, 1), (2, 2)]):
        ours, theirs = (step(found, number, depth=depth) for found in (recorded, plain))
        assert torch.equal(ours, theirs)
    assert changed(plain.state.tensors(), recorded.state.tensors()) == set()
    assert recorded.state.replays is not None
    assert len(recorded.state.replays.made) == 4  # two canvases at two depths


def test_graphs_are_for_a_gpu() -> None:
    with pytest.raises(ConfigError, match="compile=graphs: CUDA graphs need a CUDA device, not cpu"):
        run(preset(train=dataclasses.replace(STILL, compile="graphs")))


def test_where_compiling_fails_the_steps_are_the_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def broken(*_: Any) -> None:
        asked.append(1)
        raise RuntimeError("no compiler\nhere")

    monkeypatch.setattr(torch, "compile", lambda model, **options: broken)
    plain, failed = (run(preset(train=dataclasses.replace(STILL, compile=wish))) for wish in ("off", "on"))
    with pytest.warns(UserWarning, match="going on without it: no compiler here") as told:
        step(failed)
    step(failed, 1)
    assert (len(told), len(asked)) == (1, 1)
    step(plain)
    step(plain, 1)
    assert changed(plain.state.tensors(), failed.state.tensors()) == set()


def test_the_gradient_goes_through_the_ages_of_a_step() -> None:
    """gradient_ages=3: the mean of three losses, each through all that came before it in the step."""
    short = dataclasses.replace(MODEL, cycles=1)
    config = dataclasses.replace(STILL, gradient_ages=3, max_age=4, age_decay=0.7)
    found = run(preset(short, config))
    model = lively(found.state.model)
    batches = found.state.batches.paint(0)
    total: Tensor = torch.zeros(())
    for batch, canvas in zip(batches, found.data.canvases, strict=True):
        carry = model.first_carry(len(batch.tokens), short.prefix + canvas[0] * canvas[1])
        for age in range(3):
            output = model(batch.tokens, batch.codes, carry, canvas, attached=True)
            carry = output.carry
            weight = torch.tensor(0.7**age)
            total = total + weight * supervision_loss(output, batch.targets).total / (3 * config.batch_size)
    wanted = torch.autograd.grad(total, found.state.optimizers.parameters)
    seen: list[Tensor] = []
    found.state.team.sum_gradients = lambda summed: seen.extend(g.clone() for g in summed[:-1])
    measures = dict(zip(MEASURES, train_step(found.state, batches, config, 1.0).tolist(), strict=True))
    for ours, theirs in zip(seen, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)
    assert measures["rows"] == 3 * config.batch_size
    assert measures["loss"] / (3 * config.batch_size) == pytest.approx(total.item(), rel=1e-5)
    assert all((slots.age == 3).all() for slots in found.state.slots)
    assert not any(slots.carry.answer.requires_grad for slots in found.state.slots)
    stayed = [~slots.halted for slots in found.state.slots]
    step(found, 1)
    for slots, old in zip(found.state.slots, stayed, strict=True):
        assert ((slots.age == 6) == old).all()
        assert (slots.halted | ~old).all(), "max_age is 4, and 6 is past it"
