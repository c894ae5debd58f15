"""What the four neighbours of a cell tell it: weighted sums, and maxima that walls take no part in.

Shapes: B rows, L cells = H · W, I inner width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arc_solver.model.initialization import truncated_normal

# Stands for minus infinity, which would give NaN where a whole neighbourhood is blocked.
LOWEST = -1e4


class Neighbours(nn.Module):
    """Cells and their four neighbours, (B, L, I) to (B, L, I); a blocked cell gives and receives nothing.

    The first channels become themselves plus a sum over the neighbours weighted by channel and direction; the
    last `num_maxima` become the largest of the cell and its neighbours. Beyond the edge all is blocked.
    """

    def __init__(self, inner: int, num_maxima: int, generator: torch.Generator) -> None:
        super().__init__()
        self.num_sums = inner - num_maxima
        # Three axes, as those of a convolution: what scales channels is no matrix to orthogonalise.
        self.weight = nn.Parameter(truncated_normal((4, 1, self.num_sums), 0.5, generator))

    def forward(self, board: Tensor, free: Tensor) -> Tensor:
        """`board` (B, H, W, I), `free` (B, H, W, 1) bool."""
        sums = torch.where(free, board[..., : self.num_sums], 0)
        weight = self.weight.to(board.dtype)
        for direction, near in enumerate(_near(sums, 0)):
            sums = sums + near * weight[direction]
        maxima = torch.where(free, board[..., self.num_sums :], LOWEST)
        for near in _near(maxima, LOWEST):
            maxima = torch.maximum(maxima, near)
        return torch.where(free, torch.cat((sums, maxima), dim=-1), 0)

    def told(self, board: Tensor, free: Tensor) -> Tensor:
        """(B, I): the mean of the cells that are free, and of the last channels their maximum."""
        share = free.to(board.dtype)
        mean = (board[..., : self.num_sums] * share).sum((1, 2)) / share.sum((1, 2)).clamp(min=1)
        maxima = torch.where(free, board[..., self.num_sums :], LOWEST).amax((1, 2))
        return torch.cat((mean, maxima), dim=-1)


def _near(board: Tensor, beyond: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What stands below, left, right and above every cell of a board (B, H, W, I)."""
    padded = F.pad(board, (0, 0, 1, 1, 1, 1), value=beyond)
    return padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1]
