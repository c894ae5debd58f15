"""What tells the network which puzzle it sees: sparse rows, or a prefix of task, dihedral and colors.

A puzzle's code is 12 integers: [row, dihedral, new color of old color 0, ..., of old color 9].
Shapes: B rows of the batch, P prefix positions, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from arc_solver.config import ModelConfig
from arc_solver.model.layers import lookup, truncated_normal

FIRST_COLOR_TOKEN = 2
CODE_LENGTH = 12
# The parameters that only a composed prefix has, for the positions after the task's.
COMPOSED = ("puzzle.dihedral", "puzzle.color_role")


class PuzzleEmbedding(nn.Module):
    """The prefix (B, P, D) for a batch of puzzle codes.

    The table of rows is a buffer, not a parameter: a batch uses few rows, so `gather` returns them as a leaf
    tensor, and `SignSGD` updates only those rows with its gradient.
    """

    def __init__(self, config: ModelConfig, num_rows: int, generator: torch.Generator) -> None:
        super().__init__()
        self.kind = config.embedding
        self.prefix, self.width = config.prefix, config.width
        row_width = config.width if config.embedding == "composed" else (config.row_width or config.width)
        self.rows: Tensor
        self.register_buffer("rows", torch.zeros(num_rows if self.kind != "none" else 0, row_width))
        if self.kind == "composed":
            self.dihedral = nn.Parameter(truncated_normal((8, config.width), config.width**-0.5, generator))
            self.color_role = nn.Parameter(
                truncated_normal((10, config.width), config.width**-0.5, generator)
            )

    def gather(self, codes: Tensor, *, requires_grad: bool = False) -> Tensor | None:
        """The vectors (B, row width) for codes (B, 12), as a leaf that can collect a gradient."""
        if self.kind == "none":
            return None
        return self.rows[codes[:, 0].long()].detach().requires_grad_(requires_grad)

    def forward(self, vectors: Tensor | None, codes: Tensor, token_embedding: Tensor) -> Tensor:
        """The prefix (B, P, D), unscaled, for gathered vectors (B, row width) and codes (B, 12)."""
        if vectors is None:
            return token_embedding.new_zeros(codes.shape[0], self.prefix, self.width)
        if self.kind == "rows":
            missing = self.prefix * self.width - vectors.shape[1]
            return nn.functional.pad(vectors, (0, missing)).view(-1, self.prefix, self.width)
        colors = lookup(token_embedding, codes[:, 2:] + FIRST_COLOR_TOKEN) + self.color_role
        return torch.cat((vectors[:, None], lookup(self.dihedral, codes[:, 1:2]), colors), dim=1)


class SignSGD:
    """Sign-SGD with decoupled decay: row <- row·(1 − lr·decay) − lr·sign(gradient), for rows in the batch."""

    def __init__(self, embedding: PuzzleEmbedding) -> None:
        self.embedding = embedding

    @torch.no_grad()
    def step(
        self, codes: Tensor, gradient: Tensor, learning_rate: float, decay: float, sound: Tensor | None = None
    ) -> None:
        """Sum the gradients (B, row width) of equal rows and update each row once; no host-device sync.

        Instead of `unique`, every batch row uses the first batch row with the same index, so duplicates write
        identical values. If the flag `sound` on the device is false, no row changes.
        """
        rows = codes[:, 0].long()
        first = (rows[:, None] == rows[None, :]).to(torch.int8).argmax(dim=1)
        summed = torch.zeros_like(gradient).index_add_(0, first, gradient)[first]
        table = self.embedding.rows
        new = table[rows] * (1 - learning_rate * decay) - learning_rate * summed.sign()
        table[rows] = new if sound is None else torch.where(sound, new, table[rows])


def mean_rows(rows: Tensor, num: int) -> Tensor:
    """`num` rows for new puzzles: the blank row 0, then the mean of the trained rows in every place."""
    mean = rows[1:].mean(dim=0) if len(rows) > 1 else rows.new_zeros(rows.shape[1])
    table = mean.repeat(num, 1)
    if num and len(rows):
        table[0] = rows[0]
    return table
