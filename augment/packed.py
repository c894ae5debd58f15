"""All grids of a data set in one flat array, where kernels find each by its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from augment.grid import Grid


class GridArrays(NamedTuple):
    """The arrays of PackedGrids, for kernels."""

    cells: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    heights: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PackedGrids:
    """n grids: grid i is cells[offsets[i]:][:heights[i] * widths[i]] in reading order."""

    cells: npt.NDArray[np.uint8]  # (total,)
    offsets: npt.NDArray[np.int64]  # (n,)
    heights: npt.NDArray[np.int64]  # (n,)
    widths: npt.NDArray[np.int64]  # (n,)

    @staticmethod
    def from_grids(grids: Sequence[Grid]) -> "PackedGrids":
        heights = np.array([grid.shape[0] for grid in grids], dtype=np.int64)
        widths = np.array([grid.shape[1] for grid in grids], dtype=np.int64)
        ends = np.cumsum(heights * widths)
        cells = np.concatenate([np.empty(0, dtype=np.uint8), *(grid.ravel() for grid in grids)])
        return PackedGrids(cells, ends - heights * widths, heights, widths)

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> Grid:
        """Grid `index`, a view into the packed cells."""
        height, width = int(self.heights[index]), int(self.widths[index])
        start = int(self.offsets[index])
        return self.cells[start : start + height * width].reshape(height, width)

    @property
    def arrays(self) -> GridArrays:
        return GridArrays(self.cells, self.offsets, self.heights, self.widths)
