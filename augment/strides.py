"""How to read a stored grid under a symmetry without copying it: a start and two strides."""

from typing import Any, NamedTuple

import numpy as np

from augment.dihedral import SWAPS_SIDES
from augment.kernel import inner
from augment.packed import GridArrays

# A symmetry may begin at the last row, may begin at the last column, and may swap going down and across.
_FROM_BOTTOM = np.array([0, 0, 1, 1, 0, 1, 0, 1], dtype=np.bool_)
_FROM_RIGHT = np.array([0, 1, 1, 0, 1, 0, 0, 1], dtype=np.bool_)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)


class Walk(NamedTuple):
    """Cell (r, c) of the result, height x width, is stored at start + r * row_step + c * column_step.

    All are uint64, and negative steps wrap around: kernels are a third faster if no index can be negative.
    """

    start: np.uint64
    row_step: np.uint64
    column_step: np.uint64
    height: np.uint64
    width: np.uint64


@inner
def walk_dihedral(
    dihedral: int | np.integer[Any], start: np.uint64, height: np.uint64, width: np.uint64, stride: np.uint64
) -> Walk:
    """The walk over a height x width grid that begins at `start`, rows `stride` apart, under a symmetry.

    There are no branches: with random symmetries a misprediction costs more than computing both sides.
    """
    bottom, right, swaps = _FROM_BOTTOM[dihedral], _FROM_RIGHT[dihedral], SWAPS_SIDES[dihedral]
    start += ((height - _ONE) * stride if bottom else _ZERO) + (width - _ONE if right else _ZERO)
    down = _ZERO - stride if bottom else stride
    across = _ZERO - _ONE if right else _ONE
    return Walk(
        start,
        across if swaps else down,
        down if swaps else across,
        width if swaps else height,
        height if swaps else width,
    )


@inner
def walk_grid(grids: GridArrays, number: int | np.integer[Any], dihedral: int | np.integer[Any]) -> Walk:
    """The walk over packed grid `number` under a symmetry."""
    width = np.uint64(grids.widths[number])
    start, height = np.uint64(grids.offsets[number]), np.uint64(grids.heights[number])
    return walk_dihedral(dihedral, start, height, width, width)
