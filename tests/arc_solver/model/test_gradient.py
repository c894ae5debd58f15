"""Which evaluations of the network have a gradient, against references with constants in their place."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from arc_solver.config import ModelConfig
from arc_solver.model.trm import Carry, Model, Output
from tests.arc_solver.tiny import HRM, MODEL, lively

CANVAS = (3, 3)
THREE_CYCLES = dataclasses.replace(MODEL, cycles=3)


def batch(config: ModelConfig) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(6)
    codes = torch.zeros(2, 12, dtype=torch.int32)
    codes[:, 0] = torch.tensor([1, 2])
    codes[:, 2:] = torch.arange(10)
    return torch.randint(0, config.vocabulary, (2, 9), generator=rng), codes


def score(logits: Tensor, halt: Tensor) -> Tensor:
    """Any scalar that every output takes part in."""
    weights = torch.linspace(-1, 1, logits.numel()).view_as(logits)
    return (logits.softmax(-1) * weights).sum() + halt.sigmoid().sum()


def gradients(model: Model, scored: Tensor, vectors: Tensor) -> dict[str, Tensor]:
    named = dict(model.named_parameters()) | {"rows": vectors}
    found = torch.autograd.grad(scored, list(named.values()))
    return dict(zip(named, found, strict=True))


def outputs(model: Model, answer: Tensor) -> Tensor:
    logits = answer[:, model.config.prefix :] @ model.head.weight.T
    return score(logits, answer[:, 0] @ model.halt_weight.T + model.halt_bias)


def through_all(
    model: Model, x: Tensor, y: Tensor, z: Tensor, constant: Callable[[Tensor], Tensor]
) -> Tensor:
    """The published forward; `constant` is applied to the state between refinements."""
    place = model.place(CANVAS, x.device)
    for cycle in range(model.config.cycles):
        for _ in range(model.config.latent_steps):
            z = model.think(place, z + y + x)
        y = model.revise(place, y + z)
        if cycle < model.config.cycles - 1:
            y, z = constant(y), constant(z)
    return outputs(model, y)


def through_the_last(model: Model, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """HRM's forward: only the last latent and the last answer update are no constants."""
    place = model.place(CANVAS, x.device)
    with torch.no_grad():
        for cycle in range(model.config.cycles):
            for step in range(model.config.latent_steps):
                if cycle < model.config.cycles - 1 or step < model.config.latent_steps - 1:
                    z = model.think(place, z + y + x)
            if cycle < model.config.cycles - 1:
                y = model.revise(place, y + z)
    z = model.think(place, z + y + x)
    return outputs(model, model.revise(place, y + z))


def prepared(config: ModelConfig) -> tuple[Model, Tensor, Tensor, Tensor, Carry]:
    model = lively(Model(config, num_rows=3, seed=4))
    tokens, codes = batch(config)
    vectors = model.puzzle.gather(codes, requires_grad=True)
    assert vectors is not None
    return model, tokens, codes, vectors, model.first_carry(2, config.prefix + 9)


def forward(model: Model, tokens: Tensor, codes: Tensor, vectors: Tensor, carry: Carry) -> Tensor:
    output = model(tokens, codes, carry, CANVAS, vectors)
    return score(output.logits, output.halt.view(2, -1))


def differ(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """The largest difference, relative to the largest entry of each tensor."""
    return max(float((a[name] - b[name]).abs().max() / b[name].abs().max()) for name in b)


@pytest.mark.parametrize("config", [THREE_CYCLES, dataclasses.replace(THREE_CYCLES, networks=2)])
def test_only_the_last_refinement_has_a_gradient(config: ModelConfig) -> None:
    model, tokens, codes, vectors, carry = prepared(config)
    found = gradients(model, forward(model, tokens, codes, vectors, carry), vectors)
    x = model.embed(tokens, codes, vectors)
    assert differ(found, gradients(model, through_all(model, x, *carry, Tensor.detach), vectors)) < 1e-4
    x = model.embed(tokens, codes, vectors)
    assert differ(found, gradients(model, through_all(model, x, *carry, lambda t: t), vectors)) > 1e-2


@pytest.mark.parametrize("config", [HRM, dataclasses.replace(THREE_CYCLES, gradient="last", latent_steps=3)])
def test_last_has_a_gradient_through_two_evaluations_only(config: ModelConfig) -> None:
    model, tokens, codes, vectors, carry = prepared(config)
    found = gradients(model, forward(model, tokens, codes, vectors, carry), vectors)
    x = model.embed(tokens, codes, vectors)
    assert differ(found, gradients(model, through_the_last(model, x, *carry), vectors)) < 1e-4
    x = model.embed(tokens, codes, vectors)
    assert differ(found, gradients(model, through_all(model, x, *carry, Tensor.detach), vectors)) > 1e-2


@pytest.mark.parametrize("num_latents", [0, 1, 3])
def test_the_kind_of_gradient_does_not_change_the_values(num_latents: int) -> None:
    full = dataclasses.replace(THREE_CYCLES, num_latents=num_latents, latent_steps=4)
    found = []
    for config in (full, dataclasses.replace(full, gradient="last")):
        model, tokens, codes, vectors, carry = prepared(config)
        found.append(model(tokens, codes, carry, CANVAS, vectors))
        with torch.no_grad():
            found.append(model(tokens, codes, carry, CANVAS, vectors))
    for other in found[1:]:
        assert torch.equal(found[0].logits, other.logits)
        assert torch.equal(found[0].halt, other.halt)
        assert all(torch.equal(a, b) for a, b in zip(found[0].carry, other.carry, strict=True))


@pytest.mark.parametrize("num_latents", [0, 3])
def test_last_with_other_numbers_of_latents(num_latents: int) -> None:
    config = dataclasses.replace(MODEL, cycles=1, num_latents=num_latents, latent_steps=4, gradient="last")
    model, tokens, codes, vectors, carry = prepared(config)
    found = gradients(model, forward(model, tokens, codes, vectors, carry), vectors)
    place, x = model.place(CANVAS, tokens.device), model.embed(tokens, codes, vectors)
    answer = carry.answer
    if num_latents == 0:
        with torch.no_grad():
            for _ in range(4):
                answer = model.think(place, answer + x)
        answer = model.think(place, answer + x)
    else:
        a, b, c = carry.latent.unbind(1)
        with torch.no_grad():
            a = model.think(place, a + b + c + answer + x)
            b = model.think(place, a + b + c + answer + x)
            c = model.think(place, a + b + c + answer + x)
        a = model.think(place, a + b + c + answer + x)
        answer = model.revise(place, answer + a + b + c)
    assert differ(found, gradients(model, outputs(model, answer), vectors)) < 1e-4


@pytest.mark.parametrize("config", [MODEL, HRM, dataclasses.replace(MODEL, num_latents=3)])
def test_no_gradient_crosses_a_supervision_step(config: ModelConfig) -> None:
    model, tokens, codes, vectors, carry = prepared(config)
    first: Output = model(tokens, codes, carry, CANVAS, vectors)
    assert not first.carry.answer.requires_grad
    assert not first.carry.latent.requires_grad
    second = forward(model, tokens, codes, vectors, first.carry)
    copied = Carry(first.carry.answer.clone(), first.carry.latent.clone())
    alone = forward(model, tokens, codes, vectors, copied)
    assert differ(gradients(model, second, vectors), gradients(model, alone, vectors)) == 0


def test_every_parameter_of_every_ablation_learns() -> None:
    """A parameter without a gradient would be dead weight, and the optimizers need one of each."""
    for config in (
        MODEL,
        HRM,
        dataclasses.replace(MODEL, num_latents=0),
        dataclasses.replace(MODEL, num_latents=7),
        dataclasses.replace(MODEL, embedding="composed", vocabulary=12),
        dataclasses.replace(MODEL, positions="learned", length=9),
        dataclasses.replace(MODEL, mixers=("position_mlp",), length=9),
    ):
        model, tokens, codes, vectors, carry = prepared(config)
        forward(model, tokens, codes, vectors, carry).backward()
        assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
