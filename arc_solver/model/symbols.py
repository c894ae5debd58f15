"""Symbols as an axis: a position for every (cell, symbol), so that all symbols are treated alike.

The input of a position is only whether its cell is empty, given as its symbol, or given as another. All
symbols share their weights, so that the network is equivariant under renaming them.
Shapes: B rows, L cells, K symbols, D width, V = K + 2 tokens (PAD, the empty cell, the symbols).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from arc_solver.config import ModelConfig
from arc_solver.model.layers import truncated_normal

EMPTY, THIS, OTHER = range(3)
FIRST_SYMBOL_TOKEN = 2
IMPOSSIBLE = -1e4  # the logit of impossible tokens: finite, so that losses are


class SymbolEmbedding(nn.Module):
    """The roles of (cell, symbol) as vectors, and the logits of tokens from one score per (cell, symbol)."""

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.num_symbols = config.num_symbols
        self.roles = nn.Parameter(truncated_normal((3, config.width), 1.0, generator))

    def given(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Whether tokens (B, L) are given as each symbol (B, L, K), and whether they are given (B, L, 1)."""
        wide = tokens.long()[:, :, None]
        names = torch.arange(self.num_symbols, device=tokens.device) + FIRST_SYMBOL_TOKEN
        return wide == names, wide >= FIRST_SYMBOL_TOKEN

    def forward(self, tokens: Tensor) -> Tensor:
        """The question (B, L · K, D) of tokens (B, L)."""
        this, given = (mask[..., None] for mask in self.given(tokens))
        # Selected and not looked up: the gradient of a lookup adds one vector at a time.
        roles = torch.where(this, self.roles[THIS], torch.where(given, self.roles[OTHER], self.roles[EMPTY]))
        return roles.flatten(1, 2)

    def logits(self, tokens: Tensor, answer: Tensor, head: Tensor) -> Tensor:
        """Logits (B, L, V), float32, of answers (B, L · K, D) by the head (1, D); givens stay as given."""
        this, given = self.given(tokens)
        scores = (answer.float() * head).sum(dim=-1).view_as(this)
        scores = torch.where(given, torch.where(this, 0.0, IMPOSSIBLE), scores)
        return torch.nn.functional.pad(scores, (FIRST_SYMBOL_TOKEN, 0), value=IMPOSSIBLE)
