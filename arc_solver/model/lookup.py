"""Rows of a small table."""

from __future__ import annotations

import torch
from torch import Tensor


def lookup(table: Tensor, indices: Tensor) -> Tensor:
    """table[indices] (..., D) of a table (V, D) of few rows, to the bit.

    As a product with rows of one 1 and zeros: its gradient is a product too, where that of an index sorts
    (CUDA) or adds one row after the other (CPU).
    """
    chosen = indices[..., None] == torch.arange(table.shape[0], device=indices.device)
    return chosen.to(table.dtype) @ table
