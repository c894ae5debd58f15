"""What the parts of a network are made of: initial weights, norm, lookup, projection and gated unit.

Shapes: B rows, L positions, D width, I inner width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arc_solver.model.fused_norm import norm as rms_norm

NORM_EPS = 1e-5
# The standard deviation of a unit normal truncated at ±2.
TRUNCATED_STD = 0.8796256610342398
# Numbers of a row that a GPU's units for 16-bit products take at once.
ALIGNED = 8


def truncated_normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """Normal numbers truncated at ±2 sigma, with standard deviation `std` after truncation (float32)."""
    out = torch.empty(shape)
    if std == 0:
        return out.zero_()
    sigma = std / TRUNCATED_STD
    return nn.init.trunc_normal_(out, std=sigma, a=-2 * sigma, b=2 * sigma, generator=generator)


def norm(h: Tensor) -> Tensor:
    """RMS norm over the last axis in float32, no learned weight."""
    return rms_norm(h, NORM_EPS)


def lookup(table: Tensor, indices: Tensor) -> Tensor:
    """table[indices] (..., D), bit for bit, of a table (V, D) with few rows."""
    return product_lookup(table, indices) if table.is_cuda else F.embedding(indices.long(), table)


def product_lookup(table: Tensor, indices: Tensor) -> Tensor:
    """The same as a product with one-hot rows, whose gradient needs no sorting."""
    chosen = indices[..., None] == torch.arange(table.shape[0], device=indices.device)
    return chosen.to(table.dtype) @ table


class Linear(nn.Module):
    """A projection without bias; the float32 weight (out, in) is cast to the dtype of the input."""

    def __init__(self, fan_in: int, fan_out: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(truncated_normal((fan_out, fan_in), fan_in**-0.5, generator))

    def forward(self, h: Tensor) -> Tensor:
        weight = self.weight.to(h.dtype)
        return aligned_linear(h, weight) if h.is_cuda else F.linear(h, weight)


class SwiGLU(nn.Module):
    """silu(gate) · up, projected back to the input's width."""

    def __init__(self, width: int, inner: int, generator: torch.Generator) -> None:
        super().__init__()
        self.gate_up = Linear(width, 2 * inner, generator)
        self.down = Linear(inner, width, generator)

    def forward(self, h: Tensor) -> Tensor:
        return self.down(self.hidden(h))

    def hidden(self, h: Tensor) -> Tensor:
        """The inner activations (B, L, I) of h (B, L, D)."""
        gate, up = self.gate_up(h).chunk(2, dim=-1)
        return F.silu(gate) * up


def aligned_linear(h: Tensor, weight: Tensor) -> Tensor:
    """F.linear with the weight (out, in) zero-padded to multiples of ALIGNED.

    Otherwise, sizes such as the 97 positions of a Sudoku keep a GPU from its units for products.
    """
    fan_out, fan_in = weight.shape
    behind = -fan_in % ALIGNED
    padded = F.pad(weight, (0, behind, 0, -fan_out % ALIGNED))
    return F.linear(F.pad(h, (0, behind)), padded)[..., :fan_out]
