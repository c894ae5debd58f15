"""Norm and gate of the fused halves of a block in few passes over memory: float32 on a CPU.

There, element-wise operations and copies cost as much as the products, especially writes to memory that is
not in a cache. Hence results overwrite what is no longer needed. They differ from the plain form only by
rounding. A backward pass overwrites what was saved for it, so a second one is an error (raised by torch).
Shapes: D width, I inner width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# Rows of a matrix processed together, which fit the cache of a core.
CACHED_ROWS = 512


def fits(h: Tensor) -> bool:
    """Whether to use the fused form for h; a compiler does better with the plain one."""
    return h.device.type == "cpu" and h.dtype == torch.float32 and not torch.compiler.is_compiling()


def norm(h: Tensor, epsilon: float) -> Tensor:
    """RMS norm over the last axis in float32, no learned weight: the plain form."""
    return torch.nn.functional.rms_norm(h.float(), (h.shape[-1],), eps=epsilon).to(h.dtype)


@contextmanager
def factors(rounded: bool) -> Iterator[None]:
    """If `rounded`, products of float32 matrices on a CPU round their factors to bfloat16 within the block.

    Sums stay float32.
    """
    setting = torch.backends.mkldnn.matmul
    before = setting.fp32_precision
    if rounded:
        setting.fp32_precision = "bf16"
    try:
        yield
    finally:
        setting.fp32_precision = before


def gate(gate_up: Tensor) -> tuple[Tensor, Tensor]:
    """silu(gate) · up (..., I), and sigmoid(gate), for the backward pass."""
    inner = gate_up.shape[-1] // 2
    hidden, opened = (gate_up.new_empty(*gate_up.shape[:-1], inner) for _ in range(2))
    for both, share, write in zip(_rows(gate_up), _rows(opened), _rows(hidden), strict=True):
        gates, up = both.chunk(2, dim=1)
        torch.sigmoid(gates, out=share)
        torch.mul(gates, share, out=write).mul_(up)
    return hidden, opened


def gate_gradient(gradient: Tensor, gate_up: Tensor, opened: Tensor) -> Tensor:
    """The gradient (..., 2 I), which overwrites `gate_up`; `opened` is overwritten as well."""
    for both, share, given in zip(_rows(gate_up), _rows(opened), _rows(gradient), strict=True):
        gates, up = both.chunk(2, dim=1)
        silu = gates.mul_(share)
        # The derivative of silu is share + silu − share · silu.
        slope = share.addcmul_(silu, share, value=-1).add_(silu).mul_(up)
        torch.mul(given, silu, out=up)
        torch.mul(given, slope, out=gates)
    return gate_up


def normalize(h: Tensor, epsilon: float) -> Tensor:
    """Scale h in place to RMS 1 over the last axis; returns the factors (..., 1)."""
    scale = torch.linalg.vector_norm(h, dim=-1, keepdim=True)
    scale.square_().div_(h.shape[-1]).add_(epsilon).rsqrt_()
    h.mul_(scale)
    return scale


def norm_gradient(gradient: Tensor, normed: Tensor, scale: Tensor) -> Tensor:
    """The gradient with respect to the input of `normalize`."""
    along = torch.linalg.vecdot(gradient, normed)[..., None].div_(-normed.shape[-1])
    return torch.addcmul(gradient, normed, along, out=torch.empty_like(normed)).mul_(scale)


def _rows(matrix: Tensor) -> tuple[Tensor, ...]:
    return matrix.reshape(-1, matrix.shape[-1]).split(CACHED_ROWS)
