"""The norm, the projection and the gated unit that every part of a block is made of.

Shapes: B rows, L positions, D width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arc_solver.model.fused_norm import norm as rms_norm
from arc_solver.model.initialization import truncated_normal

NORM_EPS = 1e-5


def norm(h: Tensor) -> Tensor:
    """RMS norm over the last axis in float32, no learned weight."""
    return rms_norm(h, NORM_EPS)


class Linear(nn.Module):
    """A projection without bias; the float32 weight (out, in) is used in the dtype of its input."""

    def __init__(self, fan_in: int, fan_out: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(truncated_normal((fan_out, fan_in), fan_in**-0.5, generator))

    def forward(self, h: Tensor) -> Tensor:
        return F.linear(h, self.weight.to(h.dtype))


class SwiGLU(nn.Module):
    """silu(gate) · up, projected back to the width it came from."""

    def __init__(self, width: int, inner: int, generator: torch.Generator) -> None:
        super().__init__()
        self.gate_up = Linear(width, 2 * inner, generator)
        self.down = Linear(inner, width, generator)

    def forward(self, h: Tensor) -> Tensor:
        return self.down(self.hidden(h))

    def hidden(self, h: Tensor) -> Tensor:
        """The inner numbers (B, L, I) of h (B, L, D)."""
        gate, up = self.gate_up(h).chunk(2, dim=-1)
        return F.silu(gate) * up
