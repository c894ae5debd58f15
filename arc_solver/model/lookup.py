"""Lookup in a small table."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def lookup(table: Tensor, indices: Tensor) -> Tensor:
    """table[indices] (..., D), bit for bit, of a table (V, D) with few rows."""
    if table.is_cuda:
        return product_lookup(table, indices)
    return F.embedding(indices.long(), table)


def product_lookup(table: Tensor, indices: Tensor) -> Tensor:
    """The same as a product with one-hot rows, whose gradient needs no sorting."""
    chosen = indices[..., None] == torch.arange(table.shape[0], device=indices.device)
    return chosen.to(table.dtype) @ table
