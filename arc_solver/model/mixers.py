"""Ways to mix positions, one class each; a new one is a class with an entry in MIXERS.

Shapes: B rows, P prefix positions, L cells, S = P + L, D width, H heads, I inner width.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arc_solver.config import ConfigError, Groups, ModelConfig, did_you_mean
from arc_solver.model.fused_attention import Projections, attend
from arc_solver.model.fused_feed_forward import convolved
from arc_solver.model.layers import NORM_EPS, Linear, SwiGLU, norm, truncated_normal
from arc_solver.model.positions import Canvas, shape_of

# In place of minus infinity, which would give NaN where a whole neighborhood is blocked.
LOWEST = -1e4


class Mixer(nn.Module):
    """A way to mix positions, built from a recipe and the groups of its domain.

    Muon orthogonalizes weights with two axes; those that scale channels have three, like a convolution.
    """

    # Fields of ModelConfig that change what its weights mean; a run that begins with them keeps these fields.
    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__()

    @staticmethod
    def projections_of(config: ModelConfig) -> list[tuple[int, int]]:
        """(in, out) of each of its projections that is applied to every position."""
        return []

    @staticmethod
    def flops(config: ModelConfig, positions: int) -> float:
        """Operations of its other products for one row of S positions, forward; see `model.flops`."""
        return 0.0


class PositionMixer(Mixer):
    """A mixer before the SwiGLU, over all positions."""

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        """norm(h + mixed h), (B, S, D) to (B, S, D)."""
        raise NotImplementedError


class CellMixer(Mixer):
    """A mixer within the SwiGLU: forward takes cells (B, L, I) and their canvas, and returns mixed cells."""

    informs_prefix: ClassVar[bool] = False  # even where attention does so already

    def summary(self, cells: Tensor, canvas: Canvas) -> Tensor:
        """What the prefix learns of the cells (B, L, I) before they are mixed: (B, 1, I), here their mean."""
        return cells.mean(dim=1, keepdim=True)


class Attention(PositionMixer):
    """Multi-head self-attention over all positions, with rotary positions where a table is given."""

    settings = ("num_heads",)

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__(config, groups, generator)
        self.num_heads = config.num_heads
        self.qkv = Linear(config.width, 3 * config.width, generator)
        self.out = Linear(config.width, config.width, generator)

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        sizes = (self.num_heads, shape_of(canvas), NORM_EPS, canvas.rounded)
        return attend(h, self.projections(), canvas.rotary, *sizes)

    def projections(self) -> Projections:
        """What the fused form wants."""
        return Projections(self.qkv.weight, self.out.weight)

    @staticmethod
    def projections_of(config: ModelConfig) -> list[tuple[int, int]]:
        return [(config.width, 3 * config.width), (config.width, config.width)]

    @staticmethod
    def flops(config: ModelConfig, positions: int) -> float:
        return 4.0 * positions * positions * config.width


class PositionMLP(PositionMixer, SwiGLU):
    """A SwiGLU over the positions of each channel; its norm is over positions, as in the published code."""

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        positions = config.prefix + config.length
        SwiGLU.__init__(self, positions, config.inner(positions), generator)

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        turned = h.transpose(1, 2)
        return norm(turned + self(turned)).transpose(1, 2)

    @staticmethod
    def flops(config: ModelConfig, positions: int) -> float:
        return 6.0 * config.width * positions * config.inner(positions)


class Convolution(CellMixer):
    """h + a depthwise k × k convolution of it, with zeros beyond the edge.

    After URM (arXiv 2512.14693), whose convolution runs along the sequence.
    """

    settings = ("kernel_size",)

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__(config, groups, generator)
        side, inner = config.kernel_size, config.inner(config.width)
        self.weight = nn.Parameter(truncated_normal((inner, side, side), 1 / side, generator))

    def forward(self, cells: Tensor, canvas: Canvas) -> Tensor:
        return convolved(cells, self.kernel().to(cells.dtype), shape_of(canvas))

    def kernel(self) -> Tensor:
        """The weights (I, 1, k, k), plus 1 in the middle for the cell itself."""
        half = self.weight.shape[-1] // 2
        return (self.weight + F.pad(self.weight.new_ones(1, 1, 1), (half,) * 4))[:, None]

    @staticmethod
    def flops(config: ModelConfig, positions: int) -> float:
        return 2.0 * (positions - config.prefix) * config.kernel_size**2 * config.inner(config.width)


class GroupSums(CellMixer):
    """h + the sums over every group that a position belongs to.

    A sum is divided by the root of its number of positions and weighted by channel. With the rows, columns
    and boxes of a Sudoku this is message passing on its graph (arXiv 1711.08028) without a network on the
    edges. With `symbols`, the positions of one cell are a group too. Sums over groups are products with
    `members`, the groups as rows of zeros and ones: a sum over an outer axis takes several times as long.
    """

    members: Tensor
    scales: Tensor

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__(config, groups, generator)
        if groups is None or math.prod(groups.shape) != config.length:
            raise ConfigError(f"group_sums among mixers: no groups of {config.length} cells were named")
        members, kinds = members_of(groups)
        self.num_symbols = config.num_symbols if config.symbols else 1
        scales = kinds * members.sum(1, keepdim=True) ** -0.5
        self.register_buffer("members", members, persistent=False)  # (groups, L)
        self.register_buffer("scales", scales, persistent=False)  # (groups, kinds)
        shape = (len(groups.axes) + config.symbols, 1, config.inner(config.width))
        self.weight = nn.Parameter(truncated_normal(shape, 0.5, generator))

    def forward(self, cells: Tensor, canvas: Canvas) -> Tensor:
        board = cells.unflatten(1, (self.members.shape[1], self.num_symbols))  # (B, L, K, I)
        members = self.members.to(cells.dtype).expand(len(cells), -1, -1)
        weight = self.scales @ self.weight[: self.scales.shape[1], 0]
        sums = torch.bmm(members, board.flatten(2)).unflatten(2, board.shape[2:])
        weighted = (sums * weight.to(cells.dtype)[:, None]).flatten(2)
        mixed = torch.baddbmm(board.flatten(2), members.transpose(1, 2), weighted).view_as(board)
        if self.num_symbols > 1:
            scale = self.num_symbols**-0.5
            mixed = mixed + board.sum(2, keepdim=True) * (self.weight[-1] * scale).to(cells.dtype)
        return mixed.view_as(cells)


def members_of(groups: Groups) -> tuple[Tensor, Tensor]:
    """Which cells are in each group (groups, L), and of which kind each group is (groups, kinds)."""
    cells = torch.eye(math.prod(groups.shape), device="cpu").view(-1, *groups.shape)
    # The groups of a kind are what the other axes count; a cell belongs to one of each kind.
    members = [cells.sum([axis + 1 for axis in axes]).flatten(1).T for axes in groups.axes]
    sizes = torch.tensor([len(each) for each in members], device="cpu")
    kinds = torch.eye(len(members), device="cpu").repeat_interleave(sizes, dim=0)
    return torch.cat(members).contiguous(), kinds


class Neighbours(CellMixer):
    """Each cell with its four neighbors; walls give and receive nothing, and beyond the edge are walls.

    The first channels become themselves plus a sum over the neighbors, weighted by channel and direction; the
    last ones, a share of `maxima`, become the maximum over the cell and its neighbors.
    """

    settings = ("maxima", "wall_token")
    informs_prefix = True

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__(config, groups, generator)
        inner = config.inner(config.width)
        self.num_sums = inner - round(inner * config.maxima)
        self.weight = nn.Parameter(truncated_normal((4, 1, self.num_sums), 0.5, generator))

    def forward(self, cells: Tensor, canvas: Canvas) -> Tensor:
        board, free = _board(cells, canvas)
        sums = torch.where(free, board[..., : self.num_sums], 0)
        weight = self.weight.to(board.dtype)
        for direction, near in enumerate(_near(sums, 0)):
            sums = sums + near * weight[direction]
        maxima = torch.where(free, board[..., self.num_sums :], LOWEST)
        for near in _near(maxima, LOWEST):
            maxima = torch.maximum(maxima, near)
        return torch.where(free, torch.cat((sums, maxima), dim=-1), 0).flatten(1, 2)

    def summary(self, cells: Tensor, canvas: Canvas) -> Tensor:
        """The mean over the free cells; of the last channels, the maximum."""
        board, free = _board(cells, canvas)
        share = free.to(board.dtype)
        mean = (board[..., : self.num_sums] * share).sum((1, 2)) / share.sum((1, 2)).clamp(min=1)
        maxima = torch.where(free, board[..., self.num_sums :], LOWEST).amax((1, 2))
        return torch.cat((mean, maxima), dim=-1)[:, None]

    @staticmethod
    def flops(config: ModelConfig, positions: int) -> float:
        return 10.0 * (positions - config.prefix) * config.inner(config.width)


def _board(cells: Tensor, canvas: Canvas) -> tuple[Tensor, Tensor]:
    """The cells as a board (B, H, W, I), and which of them are free (B, H, W, 1)."""
    board = cells.unflatten(1, (canvas.height, canvas.width))
    free = canvas.free
    if free is None:
        free = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=board.device).expand(*board.shape[:3], 1)
    return board, free


def _near(board: Tensor, beyond: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The neighbors below, left, right and above every cell of a board (B, H, W, I)."""
    padded = F.pad(board, (0, 0, 1, 1, 1, 1), value=beyond)
    return padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1]


MIXERS: dict[str, type[Mixer]] = {
    "attention": Attention,
    "position_mlp": PositionMLP,
    "convolution": Convolution,
    "group_sums": GroupSums,
    "neighbours": Neighbours,
}


def mixers_of(config: ModelConfig) -> dict[str, type[Mixer]]:
    """The mixers of a recipe by name, in order; ConfigError for one that does not exist."""
    for name in config.mixers:
        if name not in MIXERS:
            raise ConfigError(
                f"mixers: {name!r} is not one of {', '.join(MIXERS)}{did_you_mean(name, MIXERS)}"
            )
    return {name: MIXERS[name] for name in config.mixers}
