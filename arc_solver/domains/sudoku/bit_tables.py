"""Bit tables of the Sudoku search, for sides 4, 6 and 9: the cells that permutations of boxes or columns use.

A band is one row of boxes; its cells are bits in reading order. The sides share arrays, one row each.
"""

import itertools

import numpy as np
import numpy.typing as npt

from augment.kernel import inner
from augment.sudoku import BOX_SHAPES

_DE_BRUIJN = 0x077CB531

# The lengths of tuples are part of their type, so that every side is compiled to machine code of its own.
Box = tuple[tuple[None, ...], tuple[None, ...]]


def box_of(side: int) -> Box:
    """The box shape of `side` (4, 6 or 9) as a type: `height` and `width` times None."""
    height, width = BOX_SHAPES[side]
    return (None,) * height, (None,) * width


def _permutation_table(size: int, cells: list[list[int]]) -> npt.NDArray[np.int32]:
    """(512,) for a size×size pattern (bit row*size + column): the union of `cells` over its permutations."""
    patterns = np.arange(512)
    table = np.zeros(512, np.int32)
    for order in itertools.permutations(range(size)):
        used = sum(1 << (row * size + column) for row, column in enumerate(order))
        table[(patterns & used) == used] |= sum(cells[row][column] for row, column in enumerate(order))
    return table


def _tables() -> tuple[npt.NDArray[np.int32], ...]:
    """SHRINK: the boxes of a row's cells; ROWS_KEPT: the cells of a band that some permutation of boxes uses;
    COLUMNS_KEPT: the same for the columns of a stack; OUTSIDE: a band without the peers of a cell."""
    shrink, rows_kept, columns_kept = np.zeros((3, 3, 512), np.int32)
    outside = np.zeros((3, 27), np.int32)
    for side, (height, width) in BOX_SHAPES.items():
        slot, line = (side - 4) // 2, (1 << width) - 1  # 0, 1, 2 for sides 4, 6, 9
        bits = (np.arange(1 << side)[:, None] >> np.arange(side)) & 1
        shrink[slot, : 1 << side] = (bits.reshape(-1, height, width).any(2) << np.arange(height)).sum(1)
        cells = [[line << (row * side + box * width) for box in range(height)] for row in range(height)]
        rows_kept[slot] = _permutation_table(height, cells)
        columns = [[1 << (band * side + column) for column in range(width)] for band in range(width)]
        columns_kept[slot] = _permutation_table(width, columns)
        cell = np.arange(height * side)
        row, box = cell // side, cell % side // width
        unseen = (row[:, None] != row) & (box[:, None] != box)
        outside[slot, : cell.size] = ((unseen | np.eye(cell.size, dtype=bool)) << cell).sum(1)
    return shrink, rows_kept, columns_kept, outside


def _positions() -> npt.NDArray[np.int32]:
    """(32,): the index of a bit, by the upper five of 32 bits of its product with the de Bruijn number."""
    table = np.zeros(32, np.int32)
    table[(((1 << np.arange(32)) * _DE_BRUIJN) & 0xFFFFFFFF) >> 27] = np.arange(32)
    return table


SHRINK, ROWS_KEPT, COLUMNS_KEPT, OUTSIDE = _tables()
_POSITION = _positions()


@inner
def lowest(mask: int) -> int:
    """The index of the lowest set bit of `mask` (not 0, under 2**32)."""
    return _POSITION[(((mask & -mask) * _DE_BRUIJN) & 0xFFFFFFFF) >> 27]


@inner
def count(mask: int) -> int:
    """The number of set bits of `mask` (under 2**32)."""
    mask -= (mask >> 1) & 0x55555555
    mask = (mask & 0x33333333) + ((mask >> 2) & 0x33333333)
    return ((((mask + (mask >> 4)) & 0x0F0F0F0F) * 0x01010101) & 0xFFFFFFFF) >> 24


@inner
def replicate(height: int, side: int) -> int:
    """The number that copies a row's cells into every row of a band when multiplied with them."""
    return 1 | (1 << side) | ((1 << (2 * side)) if height == 3 else 0)
