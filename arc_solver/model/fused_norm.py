"""Sums, norms and gates; for float32 on a CPU in few passes over memory, backward passes written out.

There, element-wise operations and copies cost as much as the products, most of all those that write where no
cache holds the place. Hence results are written over what is not needed any more. What these functions give
differs from the plain form by rounding alone. A backward pass uses up what was kept for it: a second one is
an error of torch's. Shapes: D width, I inner width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Rows of a matrix that are worked on together, while the cache of a core holds them.
CACHED_ROWS = 512


def fits(h: Tensor) -> bool:
    """Whether the fused form is the one for h; a compiler does better with what is written plainly."""
    return h.device.type == "cpu" and h.dtype == torch.float32 and not torch.compiler.is_compiling()


@contextmanager
def factors(rounded: bool) -> Iterator[None]:
    """Within it products of float32 matrices on a CPU round their factors to bfloat16, where `rounded`.

    They are summed in float32 all the same.
    """
    setting = torch.backends.mkldnn.matmul
    before = setting.fp32_precision
    if rounded:
        setting.fp32_precision = "bf16"
    try:
        yield
    finally:
        setting.fp32_precision = before


def gated(gate_up: Tensor) -> Tensor:
    """silu(gate) · up (..., I) of both side by side (..., 2 I)."""
    if fits(gate_up):
        return cast(Tensor, _Gated.apply(gate_up))
    gates, up = gate_up.chunk(2, dim=-1)
    return F.silu(gates) * up


def norm_of_sum(h: Tensor, update: Tensor, epsilon: float) -> Tensor:
    """RMS norm over the last axis of h + update, (..., D) each, in float32."""
    if fits(h):
        return cast(Tensor, _NormOfSum.apply(h, update, epsilon))
    total = h + update
    return F.rms_norm(total.float(), (h.shape[-1],), eps=epsilon).to(h.dtype)


class _Gated(Function):
    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:
        hidden, opened = gate(gate_up)
        ctx.save_for_backward(gate_up, opened)
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gate_gradient(gradient, *ctx.saved_tensors)


class _NormOfSum(Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, update: Tensor, epsilon: float) -> Tensor:
        normed = h + update
        scale = normalise(normed, epsilon)
        ctx.save_for_backward(normed, scale)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        result = norm_gradient(gradient, *ctx.saved_tensors)
        return result, result, None


def gate(gate_up: Tensor) -> tuple[Tensor, Tensor]:
    """silu(gate) · up (..., I), and sigmoid(gate), which the backward pass wants."""
    inner = gate_up.shape[-1] // 2
    hidden, opened = (gate_up.new_empty(*gate_up.shape[:-1], inner) for _ in range(2))
    for both, share, write in zip(_rows(gate_up), _rows(opened), _rows(hidden), strict=True):
        gates, up = both.chunk(2, dim=1)
        torch.sigmoid(gates, out=share)
        torch.mul(gates, share, out=write).mul_(up)
    return hidden, opened


def gate_gradient(gradient: Tensor, gate_up: Tensor, opened: Tensor) -> Tensor:
    """The gradient (..., 2 I), written over `gate_up`; `opened` is written over as well."""
    for both, share, given in zip(_rows(gate_up), _rows(opened), _rows(gradient), strict=True):
        gates, up = both.chunk(2, dim=1)
        silu = gates.mul_(share)
        # The derivative of silu is share + silu − share · silu.
        slope = share.addcmul_(silu, share, value=-1).add_(silu).mul_(up)
        torch.mul(given, silu, out=up)
        torch.mul(given, slope, out=gates)
    return gate_up


def normalise(h: Tensor, epsilon: float) -> Tensor:
    """Scale h in place to RMS 1 over the last axis; returns the factors (..., 1)."""
    scale = torch.linalg.vector_norm(h, dim=-1, keepdim=True)
    scale.square_().div_(h.shape[-1]).add_(epsilon).rsqrt_()
    h.mul_(scale)
    return scale


def norm_gradient(gradient: Tensor, normed: Tensor, scale: Tensor) -> Tensor:
    """The gradient of what `normalise` scaled."""
    along = torch.linalg.vecdot(gradient, normed)[..., None].div_(-normed.shape[-1])
    return torch.addcmul(gradient, normed, along, out=torch.empty_like(normed)).mul_(scale)


def _rows(matrix: Tensor) -> tuple[Tensor, ...]:
    return matrix.reshape(-1, matrix.shape[-1]).split(CACHED_ROWS)
