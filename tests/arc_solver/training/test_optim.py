"""The optimizers against plain scalar versions."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from arc_solver.config import TrainConfig
from arc_solver.model.trm import Model
from arc_solver.training.optim import (
    AdamATan2,
    AdamW,
    MovingAverage,
    Muon,
    Optimizers,
    orthogonalized,
)
from tests.arc_solver.tiny import MODEL, lively

CONFIG = TrainConfig(weight_decay=0.3, learning_rate=0.02)
STEPS = 7


def parameters(*shapes: tuple[int, ...]) -> dict[str, nn.Parameter]:
    rng = torch.Generator().manual_seed(11)
    return {f"p{i}": nn.Parameter(torch.randn(shape, generator=rng)) for i, shape in enumerate(shapes)}


def gradient(shape: torch.Size, step: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(100 + step)) * 10.0 ** (step - 3)


def scalar_adam(start: float, gradients: list[float], rates: list[float], arctangent: bool) -> float:
    """One number through Adam, written as in the papers, in double precision."""
    value, mean, square = start, 0.0, 0.0
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        mean = 0.9 * mean + 0.1 * g
        square = 0.95 * square + 0.05 * g * g
        m, v = mean / (1 - 0.9**t), square / (1 - 0.95**t)
        value *= 1 - rate * 0.3
        value -= rate * (math.atan2(m, math.sqrt(v)) if arctangent else m / (math.sqrt(v) + 1e-8))
    return value


@pytest.mark.parametrize("kind", [AdamATan2, AdamW])
def test_adam_equals_its_scalar_version(kind: type[AdamATan2] | type[AdamW]) -> None:
    named = parameters((3, 2), (4,))
    starts = {name: p.detach().clone() for name, p in named.items()}
    optimizer = kind(named, CONFIG)
    rates = [0.02 * (step + 1) / STEPS for step in range(STEPS)]
    for step in range(STEPS):
        for p in named.values():
            p.grad = gradient(p.shape, step)
        optimizer.step(rates[step], step + 1)
    for name, p in named.items():
        history = [gradient(p.shape, step).flatten().tolist() for step in range(STEPS)]
        for i, start in enumerate(starts[name].flatten().tolist()):
            wanted = scalar_adam(start, [g[i] for g in history], rates, kind is AdamATan2)
            assert p.flatten()[i].item() == pytest.approx(wanted, abs=2e-6), (name, i)


def test_adamw_is_that_of_the_library_to_the_bit() -> None:
    config = dataclasses.replace(CONFIG, weight_decay=0.1)
    ours, theirs = parameters((3, 2), (40,)), parameters((3, 2), (40,))
    library = torch.optim.AdamW(
        theirs.values(), lr=1.0, betas=(config.beta1, config.beta2), weight_decay=0.1, foreach=True
    )
    optimizer = AdamW(ours, config)
    for step in range(STEPS):
        for named in (ours, theirs):
            for p in named.values():
                p.grad = gradient(p.shape, step)
        library.param_groups[0]["lr"] = rate = 0.02 * (step + 1) / STEPS
        library.step()
        optimizer.step(rate, 99)
    for name, p in theirs.items():
        assert torch.equal(ours[name], p)
        for key, t in library.state[p].items():
            assert torch.equal(optimizer.state()[f"{name}.{key}"], t), key


def test_atan2_needs_no_epsilon() -> None:
    named = parameters((2,))
    before = named["p0"].detach().clone()
    optimizer = AdamATan2(named, dataclasses.replace(CONFIG, weight_decay=0.0))
    named["p0"].grad = torch.tensor([0.0, 1e-15])
    optimizer.step(0.01, 1)
    assert named["p0"][0] == before[0]
    assert (before[1] - named["p0"][1]).item() == pytest.approx(0.01 * math.pi / 4, rel=1e-4)


@pytest.mark.parametrize("shape", [(16, 16), (48, 16), (16, 64)])
def test_orthogonalized_matrices_have_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrices = torch.randn(5, *shape, generator=torch.Generator().manual_seed(1))
    matrices[1] *= 1e6
    matrices[2] *= 1e-6
    result = orthogonalized(matrices)
    values = torch.linalg.svdvals(result)
    assert values.max() < 1.3
    assert values.mean() == pytest.approx(0.95, abs=0.1)
    # The smallest singular value of a random square matrix may be too small for five iterations to lift.
    assert values[:, : 3 * values.shape[1] // 4].min() > 0.6
    for matrix, near in zip(matrices, result, strict=True):
        u, _, v = torch.linalg.svd(matrix.double(), full_matrices=False)
        turned = u.T @ near.double() @ v.T
        torch.testing.assert_close(turned, turned.diagonal().diag(), atol=1e-3, rtol=0)


def test_a_zero_gradient_gives_a_zero_step() -> None:
    assert not orthogonalized(torch.zeros(1, 4, 4)).any()


def test_muon_equals_the_library_to_its_precision() -> None:
    ours, theirs = parameters((16, 16), (48, 16), (16, 32)), parameters((16, 16), (48, 16), (16, 32))
    muon = Muon(ours, CONFIG)
    library = torch.optim.Muon(
        theirs.values(), lr=0.02, weight_decay=0.3, momentum=0.95, adjust_lr_fn="original"
    )
    for step in range(3):
        before = {name: p.detach().clone() for name, p in ours.items()}
        for named in (ours, theirs):
            for p in named.values():
                p.grad = gradient(p.shape, step)
        muon.step(0.02, step + 1)
        library.step()
        for name, p in ours.items():
            moved = (p - before[name]).norm()
            # The library iterates in bfloat16, of three digits.
            assert (p - theirs[name]).norm() < 0.03 * moved, (name, step)
            with torch.no_grad():
                theirs[name].copy_(p)


def test_muon_takes_the_matrices_of_the_blocks_and_adam_the_rest() -> None:
    model = Model(MODEL)
    config = TrainConfig(optimizer="muon", learning_rate=0.02, vector_learning_rate=0.003)
    (_, muon, fast), (_, adam, slow) = Optimizers(model, config).members
    names = {name for name, _ in model.named_parameters()}
    assert set(muon.parameters) == {n for n in names if n.startswith("latent_blocks.")}
    assert set(adam.parameters) == names - set(muon.parameters)
    assert (fast, slow) == (0.02, 0.003)
    assert Optimizers(model, dataclasses.replace(config, vector_learning_rate=0.0)).members[1][2] == 0.02


@pytest.mark.parametrize("kind", ["adam_atan2", "adamw", "muon"])
def test_a_step_scales_with_the_factor_and_drops_the_gradients(kind: str) -> None:
    moved = []
    for factor in (1.0, 0.25):
        model = lively(Model(MODEL))
        config = TrainConfig(optimizer=kind, learning_rate=0.02, weight_decay=0.0)
        optimizers = Optimizers(model, config)
        before = [p.detach().clone() for p in model.parameters()]
        for p in model.parameters():
            p.grad = gradient(p.shape, 3)
        optimizers.step(factor, 1)
        assert all(p.grad is None for p in model.parameters())
        moved.append([a - b for a, b in zip(model.parameters(), before, strict=True)])
    for whole, quarter in zip(*moved, strict=True):
        torch.testing.assert_close(quarter, 0.25 * whole, atol=1e-6, rtol=1e-3)


def test_moving_average_follows_the_formula() -> None:
    model, averaged = lively(Model(MODEL, num_rows=2)), Model(MODEL, num_rows=2).requires_grad_(False)
    wanted = [p.double().clone() for p in averaged.parameters()]
    rows = averaged.puzzle.rows.double().clone()
    average = MovingAverage(model, averaged, 0.9, rows=True)
    for step in range(5):
        with torch.no_grad():
            for p in model.parameters():
                p += gradient(p.shape, step)
            model.puzzle.rows += gradient(model.puzzle.rows.shape, step)
        average.update()
        wanted = [0.9 * w + 0.1 * p.double() for w, p in zip(wanted, model.parameters(), strict=True)]
        rows = 0.9 * rows + 0.1 * model.puzzle.rows.double()
    for p, w in zip(averaged.parameters(), wanted, strict=True):
        torch.testing.assert_close(p.double(), w, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(averaged.puzzle.rows.double(), rows, atol=1e-3, rtol=1e-5)


def test_moving_average_leaves_the_rows_alone_unless_asked() -> None:
    model, averaged = lively(Model(MODEL, num_rows=2)), Model(MODEL, num_rows=2).requires_grad_(False)
    MovingAverage(model, averaged, 0.5, rows=False).update()
    assert not averaged.puzzle.rows.any()
    assert averaged.halt_bias.item() == pytest.approx((model.halt_bias.item() - 5) / 2)
