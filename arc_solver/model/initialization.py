"""The random initial weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Standard deviation of a unit normal truncated at ±2, which is compensated for.
TRUNCATED_STD = 0.8796256610342398


def truncated_normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """Normal numbers truncated at ±2 sigma, whose standard deviation after truncation is `std` (float32)."""
    out = torch.empty(shape)
    if std == 0:
        return out.zero_()
    sigma = std / TRUNCATED_STD
    return nn.init.trunc_normal_(out, std=sigma, a=-2 * sigma, b=2 * sigma, generator=generator)
