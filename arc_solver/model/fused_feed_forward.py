"""norm(h + SwiGLU(h)) with a depthwise convolution over the cells, as one function; see `fused_norm`.

The prefix takes no part in the convolution. Shapes: B rows, S positions, D width, I inner width, kernels of
k × k.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from arc_solver.model.fused_norm import (
    factors,
    fits,
    gate,
    gate_gradient,
    gated,
    norm_gradient,
    norm_of_sum,
    normalise,
)


class Shape(NamedTuple):
    """Positions of a row: `prefix` of them, then height × width cells."""

    prefix: int
    height: int
    width: int


class Weights(NamedTuple):
    """gate_up (2 I, D) and down (D, I); kernel (I, 1, k, k), if there is any."""

    gate_up: Tensor
    down: Tensor
    kernel: Tensor | None


def feed_forward(h: Tensor, weights: Weights, shape: Shape, epsilon: float, rounded: bool) -> Tensor:
    """The next h (B, S, D); the large products round their factors to bfloat16 where `rounded`."""
    if fits(h):
        return cast(Tensor, _FeedForward.apply(h, *weights, shape, epsilon, rounded))
    hidden = gated(F.linear(h, weights.gate_up.to(h.dtype)))
    if weights.kernel is not None:
        cells, prefix = _parts(hidden, shape)
        hidden = torch.cat((prefix, convolved(cells, weights.kernel.to(h.dtype), shape)), dim=1)
    return norm_of_sum(h, F.linear(hidden, weights.down.to(h.dtype)), epsilon)


class _FeedForward(Function):
    @staticmethod
    def forward(
        ctx: Any,
        h: Tensor,
        gate_up: Tensor,
        down: Tensor,
        kernel: Tensor | None,
        shape: Shape,
        epsilon: float,
        rounded: bool,
    ) -> Tensor:
        flat = _flat(h, shape)
        with factors(rounded):
            wide = flat @ gate_up.T
        hidden, opened = gate(wide)
        num = h.shape[0] * (h.shape[1] - shape.prefix)
        met = hidden[:num] if kernel is None else convolved(hidden[:num], kernel, shape)
        normed = torch.empty_like(h, memory_format=torch.contiguous_format)
        cells, prefix = _parts(normed, shape)
        with factors(rounded):
            torch.add(h[:, shape.prefix :], (met @ down.T).view(cells.shape), out=cells)
        # Row by row: a product of few rows rounds by their number, so by a row's company.
        few = hidden[num:].view(len(h), shape.prefix, down.shape[1])
        told = torch.bmm(few, down.T.expand(len(h), -1, -1))
        torch.add(h[:, : shape.prefix], told, out=prefix)
        scale = normalise(normed, epsilon)
        ctx.save_for_backward(gate_up, down, kernel, normed, scale, flat, wide, opened, hidden, met)
        ctx.shape, ctx.rounded = shape, rounded
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gate_up, down, kernel, normed, scale, flat, wide, opened, hidden, met = ctx.saved_tensors
        num = met.shape[0]
        to_h = norm_gradient(gradient, normed, scale)
        given = _flat(to_h, ctx.shape)
        with factors(ctx.rounded):
            to_down = given[:num].T @ met
            to_met = torch.mm(given[:num], down, out=met)
        to_down.addmm_(given[num:].T, hidden[num:])
        to_kernel = None
        if kernel is not None:
            to_met, to_kernel = _convolution_gradient(to_met, hidden[:num], kernel, ctx.shape)
        gate_gradient(to_met, wide[:num], opened[:num])
        gate_gradient(given[num:] @ down, wide[num:], opened[num:])
        with factors(ctx.rounded):
            to_gate_up = wide.T @ flat
            to_flat = torch.mm(wide, gate_up, out=given)
        for part, more in zip(_parts(to_h, ctx.shape), (to_flat[:num], to_flat[num:]), strict=True):
            part += more.view(part.shape)
        return to_h, to_gate_up, to_down, to_kernel, None, None, None


def _parts(h: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    """Cells and prefix of h (B, S, D)."""
    return h[:, shape.prefix :], h[:, : shape.prefix]


def _flat(h: Tensor, shape: Shape) -> Tensor:
    """h (B, S, D) as a matrix (B · S, D) in which all cells come before all prefixes.

    To part them costs less here than later, when there are inner numbers to part.
    """
    return torch.cat([part.reshape(-1, h.shape[2]) for part in _parts(h, shape)])


def convolved(cells: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    """The depthwise convolution of cells (..., I) with kernel (I, 1, k, k); beyond the edge all is zero."""
    half = kernel.shape[-1] // 2
    near = F.conv2d(_image(cells, shape), kernel, padding=half, groups=kernel.shape[0])
    return near.permute(0, 2, 3, 1).reshape(cells.shape)


def _image(cells: Tensor, shape: Shape) -> Tensor:
    return cells.reshape(-1, shape.height, shape.width, cells.shape[-1]).permute(0, 3, 1, 2)


def _convolution_gradient(
    gradient: Tensor, cells: Tensor, kernel: Tensor, shape: Shape
) -> tuple[Tensor, Tensor]:
    half = [kernel.shape[-1] // 2] * 2
    to_cells, to_kernel, _ = torch.ops.aten.convolution_backward(
        *(_image(gradient, shape), _image(cells, shape), kernel, None),
        *([1, 1], half, [1, 1], False, [0, 0], kernel.shape[0], [True, True, False]),
    )
    return to_cells.permute(0, 2, 3, 1).reshape(cells.shape), to_kernel
