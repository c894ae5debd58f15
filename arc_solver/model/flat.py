"""Rows of several canvases as one matrix: all cells first, then all prefixes.

This makes one product of those of all canvases, lays cells out for convolutions, and separates cells and
prefixes without copies. Shapes: B rows of a canvas, P prefix positions, S = P + height · width, D width, N
positions of all rows, d width of a head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Segment(NamedTuple):
    """B rows of one canvas; `turns` (S, d / 2) are the complex rotations of queries and keys."""

    rows: int
    height: int
    width: int
    turns: Tensor | None = None

    @property
    def cells(self) -> int:
        """The number of cells of all rows."""
        return self.rows * self.height * self.width


class Layout(NamedTuple):
    """The rows of the matrix that belong to each canvas."""

    prefix: int
    segments: tuple[Segment, ...]
    rounded: bool  # the large products round their factors to bfloat16

    @property
    def num_cells(self) -> int:
        """The rows of the matrix that are cells; prefixes follow."""
        return sum(segment.cells for segment in self.segments)

    def spans(self) -> Iterator[tuple[Segment, slice, slice]]:
        """Every segment with the rows of its cells and of its prefixes."""
        cells, few = 0, self.num_cells
        for segment in self.segments:
            more = segment.rows * self.prefix
            yield segment, slice(cells, cells + segment.cells), slice(few, few + more)
            cells, few = cells + segment.cells, few + more


def join(parts: Sequence[Tensor], prefix: int) -> Tensor:
    """The matrix (N, D) of canvases (B, S, D)."""
    width = parts[0].shape[2]
    cells = [part[:, prefix:].reshape(-1, width) for part in parts]
    return torch.cat(cells + [part[:, :prefix].reshape(-1, width) for part in parts])


def split(h: Tensor, layout: Layout) -> list[Tensor]:
    """The canvases (B, S, D) of a matrix (N, D)."""
    return [
        torch.cat([h[of].view(segment.rows, -1, h.shape[1]) for of in (few, cells)], dim=1)
        if layout.prefix
        else h[cells].view(segment.rows, -1, h.shape[1])
        for segment, cells, few in layout.spans()
    ]


def turns_of(rotary: tuple[Tensor, Tensor] | None) -> Tensor | None:
    """Cosines and sines (S, d), whose halves are the same, as complex numbers (S, d / 2)."""
    if rotary is None:
        return None
    cosine, sine = (table[:, : table.shape[1] // 2] for table in rotary)
    return torch.complex(cosine, sine)
