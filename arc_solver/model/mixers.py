"""What lets positions meet: attention, and convolution, group sums or neighbours within a SwiGLU.

Shapes: B rows, P prefix positions, L cells, D width, H heads, I inner width.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arc_solver.config import ModelConfig
from arc_solver.model.fused_attention import Projections, attend
from arc_solver.model.fused_feed_forward import Weights, convolved, feed_forward
from arc_solver.model.initialization import truncated_normal
from arc_solver.model.layers import NORM_EPS, Linear, norm
from arc_solver.model.neighbours import Neighbours
from arc_solver.model.positions import Canvas, shape_of


class Convolution(nn.Module):
    """h + what a depthwise k × k convolution makes of it, cells (B, L, I) to (B, L, I).

    Cells beyond the edge count as zero (after URM, arXiv 2512.14693, whose convolution runs along the
    sequence).
    """

    def __init__(self, side: int, inner: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(truncated_normal((inner, side, side), 1 / side, generator))

    def forward(self, cells: Tensor, canvas: Canvas) -> Tensor:
        return convolved(cells, self.kernel().to(cells.dtype), shape_of(canvas))

    def kernel(self) -> Tensor:
        """The weights (I, 1, k, k) with one more in the middle, which is the cell itself."""
        half = self.weight.shape[-1] // 2
        return (self.weight + F.pad(self.weight.new_ones(1, 1, 1), (half,) * 4))[:, None]


class GroupSums(nn.Module):
    """h + the sums over every group that a position belongs to, (B, L, I) to (B, L, I).

    The L positions are laid out in the axes `shape`; a kind of group is the axes that its sums run over. A
    sum is divided by the root of its number of positions and weighed by channel. With the rows, columns and
    boxes of a Sudoku it is what passes along the edges of its graph in arXiv 1711.08028, without a network
    on them.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        axes: tuple[tuple[int, ...], ...],
        inner: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.axes = tuple(tuple(axis + 1 for axis in kind) for kind in axes)  # behind that of the batch
        self.scales = [math.prod(shape[axis] for axis in kind) ** -0.5 for kind in axes]
        # Three axes, as those of a convolution: what scales channels is no matrix to orthogonalise.
        self.weight = nn.Parameter(truncated_normal((len(axes), 1, inner), 0.5, generator))

    def forward(self, cells: Tensor) -> Tensor:
        board = cells.reshape(-1, *self.shape, cells.shape[-1])
        weight = self.weight.to(cells.dtype)
        # By number: a loop over the weight itself would leave the compiled graph.
        sums = board.sum(self.axes[0], keepdim=True) * (weight[0] * self.scales[0])
        for kind in range(1, len(self.axes)):
            sums = sums + board.sum(self.axes[kind], keepdim=True) * (weight[kind] * self.scales[kind])
        return (board + sums).reshape(cells.shape)


class SwiGLU(nn.Module):
    """silu(gate) · up, projected back to the width it came from."""

    def __init__(self, width: int, inner: int, generator: torch.Generator) -> None:
        super().__init__()
        self.gate_up = Linear(width, 2 * inner, generator)
        self.down = Linear(inner, width, generator)

    def forward(self, h: Tensor, canvas: Canvas | None = None) -> Tensor:
        gate, up = self.gate_up(h).chunk(2, dim=-1)
        hidden = F.silu(gate) * up
        return self.down(hidden if canvas is None else self.mixed(hidden, canvas))

    def mixed(self, hidden: Tensor, canvas: Canvas) -> Tensor:
        """The inner numbers (B, P + L, I) as they go to the second projection: here as they are."""
        return hidden

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        """norm(h + self(h, canvas))."""
        return feed_forward(h, self.weights(), shape_of(canvas), NORM_EPS, canvas.rounded)

    def weights(self) -> Weights:
        """What the fused form wants."""
        return Weights(self.gate_up.weight, self.down.weight, None)


class MixingSwiGLU(SwiGLU):
    """A SwiGLU within which cells meet their neighbours or their peers, as the recipe says.

    The prefix takes no part. Where no mixer tells it of the cells, their mean is added to it, for the halting
    head; no cell ever hears of the prefix then.
    """

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        inner = config.inner(config.width)
        super().__init__(config.width, inner, generator)
        self.convolution = Convolution(config.convolution, inner, generator) if config.convolution else None
        self.group_sums = (
            GroupSums(config.group_shape, config.group_axes, inner, generator) if config.peers else None
        )
        self.told = config.mixer == "none" and config.prefix > 0

    def mixed(self, hidden: Tensor, canvas: Canvas) -> Tensor:
        """The inner numbers (B, P + L, I) after their cells have met."""
        prefix, cells = hidden[:, : canvas.prefix], hidden[:, canvas.prefix :]
        if self.told:
            prefix = prefix + cells.mean(dim=1, keepdim=True)
        if self.convolution is not None:
            cells = self.convolution(cells, canvas)
        if self.group_sums is not None:
            cells = self.group_sums(cells)
        return torch.cat((prefix, cells), dim=1) if canvas.prefix else cells

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        if self.convolution is None or self.group_sums is not None or self.told:
            return norm(h + self(h, canvas))
        return feed_forward(h, self.weights(), shape_of(canvas), NORM_EPS, canvas.rounded)

    def weights(self) -> Weights:
        kernel = None if self.convolution is None else self.convolution.kernel()
        return Weights(self.gate_up.weight, self.down.weight, kernel)


class NeighbourSwiGLU(SwiGLU):
    """A SwiGLU within which every cell meets its four neighbours; walls take no part.

    The prefix hears of all cells that are free, for the halting head; no cell ever hears of the prefix.
    """

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        inner = config.inner(config.width)
        super().__init__(config.width, inner, generator)
        self.neighbours = Neighbours(inner, round(inner * config.maxima), generator)

    def mixed(self, hidden: Tensor, canvas: Canvas) -> Tensor:
        """The inner numbers (B, P + L, I) after their cells have met."""
        prefix, cells = hidden[:, : canvas.prefix], hidden[:, canvas.prefix :]
        board = cells.unflatten(1, (canvas.height, canvas.width))
        free = canvas.free
        if free is None:
            free = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=board.device).expand(*board.shape[:3], 1)
        prefix = prefix + self.neighbours.told(board, free)[:, None]
        return torch.cat((prefix, self.neighbours(board, free).flatten(1, 2)), dim=1)

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        return norm(h + self(h, canvas))


class Attention(nn.Module):
    """Multi-head self-attention over all positions, with rotary positions where a table is given."""

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.qkv = Linear(config.width, 3 * config.width, generator)
        self.out = Linear(config.width, config.width, generator)

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        """norm(h + attention(h)), (B, P + L, D) to (B, P + L, D)."""
        sizes = (self.num_heads, shape_of(canvas), NORM_EPS, canvas.rounded)
        return attend(h, self.projections(), canvas.rotary, *sizes)

    def projections(self) -> Projections:
        """What the fused form wants."""
        return Projections(self.qkv.weight, self.out.weight)
