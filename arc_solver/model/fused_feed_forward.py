"""norm(h + SwiGLU(h)) with a depthwise convolution over the cells, as one function; see `fused_norm`.

The prefix takes no part in the convolution. Shapes: B rows, S positions, D width, I inner width, kernels
of k × k, N positions of all rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from arc_solver.model.flat import Layout, Segment, join, split
from arc_solver.model.fused_norm import factors, fits, gate, gate_gradient, norm, norm_gradient, normalize


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
    """The next h (B, S, D); if `rounded`, the large products round their factors to bfloat16."""
    if fits(h):
        layout = Layout(shape.prefix, (Segment(h.shape[0], shape.height, shape.width),), rounded)
        return split(feed_forward_flat(join([h], shape.prefix), weights, layout, epsilon), layout)[0]
    gates, up = F.linear(h, weights.gate_up.to(h.dtype)).chunk(2, dim=-1)
    hidden = F.silu(gates) * up
    if weights.kernel is not None:
        prefix, cells = hidden[:, : shape.prefix], hidden[:, shape.prefix :]
        hidden = torch.cat((prefix, convolved(cells, weights.kernel.to(h.dtype), shape)), dim=1)
    return norm(h + F.linear(hidden, weights.down.to(h.dtype)), epsilon)


def feed_forward_flat(h: Tensor, weights: Weights, layout: Layout, epsilon: float) -> Tensor:
    """The next h (N, D) of all canvases together."""
    return cast(Tensor, _FeedForward.apply(h, *weights, layout, epsilon))


class _FeedForward(Function):
    @staticmethod
    def forward(
        ctx: Any,
        h: Tensor,
        gate_up: Tensor,
        down: Tensor,
        kernel: Tensor | None,
        layout: Layout,
        epsilon: float,
    ) -> Tensor:
        with factors(layout.rounded):
            wide = h @ gate_up.T
        hidden, opened = gate(wide)
        normed, kept = torch.empty_like(h), []
        with factors(layout.rounded):
            for cells, shape in _boards(layout, kernel, len(h)):
                met = hidden[cells] if kernel is None else convolved(hidden[cells], kernel, shape)
                torch.addmm(h[cells], met, down.T, out=normed[cells])
                kept.append(met)
        # Row by row: the rounding of a small product depends on the number of its rows, so on other rows.
        few = _few(layout, kernel, len(h))
        rows = hidden[few].view(-1, max(1, layout.prefix), down.shape[1])
        added = torch.bmm(rows, down.T.expand(len(rows), -1, -1)).flatten(0, 1)
        torch.add(h[few], added, out=normed[few])
        scale = normalize(normed, epsilon)
        ctx.save_for_backward(h, gate_up, down, kernel, wide, opened, hidden, normed, scale, *kept)
        ctx.layout = layout
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        h, gate_up, down, kernel, wide, opened, hidden, normed, scale, *kept = ctx.saved_tensors
        layout: Layout = ctx.layout
        to_h = norm_gradient(gradient, normed, scale)
        few = _few(layout, kernel, len(h))
        to_down = to_h[few].T @ hidden[few]
        to_kernel = None if kernel is None else torch.zeros_like(kernel)
        for (cells, shape), met in zip(_boards(layout, kernel, len(h)), kept, strict=True):
            with factors(layout.rounded):
                torch.addmm(to_down, to_h[cells].T, met, out=to_down)
                to_met = torch.mm(to_h[cells], down, out=met)
            if kernel is not None and to_kernel is not None:
                to_met, more = _convolution_gradient(to_met, hidden[cells], kernel, shape)
                to_kernel += more
            gate_gradient(to_met, wide[cells], opened[cells])
        gate_gradient(to_h[few] @ down, wide[few], opened[few])
        with factors(layout.rounded):
            to_gate_up = wide.T @ h
            torch.addmm(to_h, wide, gate_up, out=to_h)
        return to_h, to_gate_up, to_down, to_kernel, None, None


def _few(layout: Layout, kernel: Tensor | None, num: int) -> slice:
    """The prefixes, if they are treated differently from cells."""
    return slice(num if kernel is None else layout.num_cells, num)


def _boards(layout: Layout, kernel: Tensor | None, num: int) -> list[tuple[slice, Shape]]:
    """The cells of every segment with its sizes; all positions together without a convolution."""
    if kernel is None:
        return [(slice(0, num), Shape(0, 0, 0))]
    return [
        (cells, Shape(layout.prefix, segment.height, segment.width)) for segment, cells, _ in layout.spans()
    ]


def convolved(cells: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    """The depthwise convolution of cells (..., I) with kernel (I, 1, k, k), zero beyond the edge."""
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
