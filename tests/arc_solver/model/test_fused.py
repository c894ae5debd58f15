"""Fused passes equal the plain form, forward and backward, in double precision where that can be had."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from arc_solver.model import fused_attention, fused_norm
from arc_solver.model.fused_attention import Projections, attend, attention
from arc_solver.model.fused_feed_forward import Shape, Weights, feed_forward
from arc_solver.model.fused_norm import factors, fits
from arc_solver.model.layers import lookup, product_lookup
from arc_solver.model.positions import rotary_table

EPSILON = 1e-5
ROWS, HEIGHT, WIDTH, HEADS, EACH, INNER = 5, 4, 3, 2, 8, 24
D = HEADS * EACH


def numbers(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (scale * drawn).requires_grad_()


def norm(h: Tensor) -> Tensor:
    return h * (h.square().mean(-1, keepdim=True) + EPSILON).rsqrt()


def gradients(function: Callable[..., Tensor], inputs: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    result = function(*inputs)
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(99)).to(result.dtype)
    return result, list(torch.autograd.grad((result * weights).sum(), inputs))


def check(fused: Callable[..., Tensor], plain: Callable[..., Tensor], inputs: list[Tensor]) -> None:
    """`plain` runs in double precision, in which nothing is fused."""
    assert fits(inputs[0])
    exact = [t.detach().double().requires_grad_() for t in inputs]
    result, slopes = gradients(fused, inputs)
    wanted, wanted_slopes = gradients(plain, exact)
    torch.testing.assert_close(result.double(), wanted, atol=1e-4, rtol=1e-4)
    for slope, wanted_slope in zip(slopes, wanted_slopes, strict=True):
        limit = 1e-4 * float(wanted_slope.abs().max())
        torch.testing.assert_close(slope.double(), wanted_slope, atol=limit, rtol=1e-4)


@pytest.mark.parametrize("kind", ["rotary1d", "rotary2d", "none"])
@pytest.mark.parametrize("prefix", [1, 4])
@pytest.mark.parametrize("cached", [1, 1000, 2**18])
def test_attention(kind: str, prefix: int, cached: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_attention, "CACHED_WEIGHTS", cached)
    table = rotary_table(kind, prefix, HEIGHT, WIDTH, EACH)

    def fused(h: Tensor, qkv: Tensor, out: Tensor) -> Tensor:
        return attend(h, Projections(qkv, out), table, HEADS, Shape(prefix, HEIGHT, WIDTH), EPSILON, False)

    def plain(h: Tensor, qkv: Tensor, out: Tensor) -> Tensor:
        return norm(h + attention(h, Projections(qkv, out), table, HEADS))

    inputs = [numbers(ROWS, prefix + HEIGHT * WIDTH, D), numbers(3 * D, D, seed=1), numbers(D, D, seed=2)]
    check(fused, plain, inputs)


def test_more_weights_than_are_kept_go_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    h, qkv, out = numbers(ROWS, 9, D), numbers(3 * D, D, seed=1), numbers(D, D, seed=2)
    sizes = (HEADS, Shape(1, 2, 4), EPSILON, False)
    kept, _ = gradients(lambda h: attend(h, Projections(qkv, out), None, *sizes), [h])
    monkeypatch.setattr(fused_attention, "MAX_WEIGHTS", ROWS * HEADS * 81 - 1)
    monkeypatch.setattr(fused_attention._Attend, "apply", None)
    plain, _ = gradients(lambda h: attend(h, Projections(qkv, out), None, *sizes), [h])
    torch.testing.assert_close(kept, plain)


@pytest.mark.parametrize("prefix", [0, 1, 4])
@pytest.mark.parametrize("side", [0, 3, 5])
@pytest.mark.parametrize("cached", [7, 512])
def test_the_feed_forward(prefix: int, side: int, cached: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_norm, "CACHED_ROWS", cached)
    shape = Shape(prefix, HEIGHT, WIDTH)
    inputs = [
        numbers(ROWS, prefix + HEIGHT * WIDTH, D),
        numbers(2 * INNER, D, seed=1, scale=0.5),
        numbers(D, INNER, seed=2, scale=0.5),
    ]
    if side:
        inputs.append(numbers(INNER, 1, side, side, seed=3))

    def fused(h: Tensor, *weights: Tensor) -> Tensor:
        gate_up, down, *kernel = weights
        return feed_forward(h, Weights(gate_up, down, kernel[0] if kernel else None), shape, EPSILON, False)

    def plain(h: Tensor, *weights: Tensor) -> Tensor:
        gate, up = (h @ weights[0].T).chunk(2, dim=-1)
        hidden = F.silu(gate) * up
        if side:
            image = hidden[:, prefix:].unflatten(1, (HEIGHT, WIDTH)).permute(0, 3, 1, 2)
            near = F.conv2d(image, weights[2], padding=side // 2, groups=INNER)
            hidden = torch.cat((hidden[:, :prefix], near.permute(0, 2, 3, 1).flatten(1, 2)), dim=1)
        return norm(h + hidden @ weights[1].T)

    check(fused, plain, inputs)


def test_a_gradient_that_is_a_view_is_taken() -> None:
    """What lies behind may hand out slices and repeated numbers."""
    h, qkv, out = numbers(2, 13, D), numbers(3 * D, D, seed=1), numbers(D, D, seed=2)
    gate_up, down = numbers(2 * INNER, D, seed=3), numbers(D, INNER, seed=4)
    for function in (
        lambda h: attend(h, Projections(qkv, out), None, HEADS, Shape(1, 4, 3), EPSILON, False),
        lambda h: feed_forward(h, Weights(gate_up, down, None), Shape(1, 4, 3), EPSILON, False),
    ):
        (repeated,) = torch.autograd.grad(function(h).transpose(0, 1)[2:].sum(), h)
        weights = torch.zeros(2, 13, D)
        weights[:, 2:] = 1
        (wanted,) = torch.autograd.grad(function(h), h, weights)
        torch.testing.assert_close(repeated, wanted)


def test_a_second_backward_pass_is_an_error() -> None:
    """What was kept is used up; torch notices."""
    h, gate_up, down = numbers(ROWS, 13, D), numbers(2 * INNER, D, seed=3), numbers(D, INNER, seed=4)
    result = feed_forward(h, Weights(gate_up, down, None), Shape(1, 4, 3), EPSILON, False).sum()
    result.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


def test_inputs_are_left_as_they_are() -> None:
    inputs = [numbers(2, 13, D), numbers(3 * D, D, seed=1), numbers(D, D, seed=2)]
    more = [numbers(2 * INNER, D, seed=3), numbers(D, INNER, seed=4), numbers(INNER, 1, 3, 3, seed=5)]
    before = [t.detach().clone() for t in (*inputs, *more)]
    table = rotary_table("rotary2d", 1, 4, 3, EACH)
    h = attend(inputs[0], Projections(*inputs[1:]), table, HEADS, Shape(1, 4, 3), EPSILON, False)
    feed_forward(h, Weights(*more), Shape(1, 4, 3), EPSILON, False).sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(before, (*inputs, *more), strict=True))


def test_rounded_factors_are_a_setting_that_is_put_back() -> None:
    setting = torch.backends.mkldnn.matmul
    before = setting.fp32_precision
    with factors(True):
        assert setting.fp32_precision == "bf16"
        with factors(False):
            assert setting.fp32_precision == "bf16"
    assert setting.fp32_precision == before
    with pytest.raises(KeyError), factors(True):
        raise KeyError
    assert setting.fp32_precision == before


def test_rounded_factors_change_little() -> None:
    h, gate_up, down = numbers(64, 13, D), numbers(2 * INNER, D, seed=1), numbers(D, INNER, seed=2)
    exact, rounded = (
        feed_forward(h, Weights(gate_up, down, None), Shape(1, 4, 3), EPSILON, wish) for wish in (False, True)
    )
    assert (exact - rounded).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(4,), (2, 3), (0,), (2, 1, 3)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
@pytest.mark.parametrize("function", [lookup, product_lookup])
def test_lookup_is_an_index_to_the_bit(
    function: Callable[[Tensor, Tensor], Tensor], shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    table = numbers(12, D)
    indices = torch.randint(0, 12, shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    found = function(table, indices)
    assert torch.equal(found, table[indices.long()])
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(2))
    (slope,) = torch.autograd.grad(found, table, weights)
    (wanted,) = torch.autograd.grad(table[indices.long()], table, weights)
    torch.testing.assert_close(slope, wanted)
