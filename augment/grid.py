"""The grid, a task's input or output, checked once where it enters."""

from collections.abc import Sequence
from itertools import chain
from typing import cast

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.uint8]
"""Colors 0..9 as uint8, shape (H, W), sides 1..30, C-contiguous."""

NUM_COLORS = 10
MAX_SIDE = 30


class GridError(ValueError):
    """The value is not a grid; the text names the row and cell at fault, counted from 0."""

    exit_code = 3


def check_grid(value: object) -> Grid:
    """A list of rows of ints, or a 2-D integer array, as a Grid; an array that already is one is not copied.

    GridError for anything else: ragged, oversized or empty, or with a cell that is not an int 0..9.
    """
    if isinstance(value, np.ndarray):
        return _check_array(value)
    if not isinstance(value, list | tuple):
        raise GridError(f"{type(value).__name__}, expected a list of rows")
    _check_side(len(value), "rows")
    cells = _plain_cells(value)
    if cells is not None:
        return np.frombuffer(cells, np.uint8).reshape(len(value), -1)
    for number, row in enumerate(value):
        if not isinstance(row, list | tuple):
            raise GridError(f"row {number}: {type(row).__name__}, expected a list of colors")
        if number == 0:
            _check_side(len(row), "columns")
        elif len(row) != len(value[0]):
            raise GridError(f"row {number}: length {len(row)}, expected {len(value[0])}")
        _check_row(number, row)
    return np.array(value, dtype=np.uint8)


def _plain_cells(rows: Sequence[object]) -> bytes | None:
    """The cells, if the rows plainly are a grid, many times faster than cell by cell; None otherwise.

    Types are compared exactly: True is an int to Python, but not a color to us.
    """
    if set(map(type, rows)) != {list}:
        return None
    lists = cast(Sequence[list[int]], rows)
    widths = set(map(len, lists))
    if len(widths) > 1 or not 1 <= min(widths) <= MAX_SIDE or set(map(type, chain(*lists))) != {int}:
        return None
    try:
        cells = bytes(chain(*lists))
    except ValueError:
        return None
    return cells if max(cells) < NUM_COLORS else None


def _check_array(value: npt.NDArray[np.generic]) -> Grid:
    if value.ndim != 2:
        raise GridError(f"an array of {value.ndim} dimensions, expected rows and columns")
    if value.dtype.kind not in "iu":
        raise GridError(f"an array of {value.dtype}, expected integers")
    _check_side(value.shape[0], "rows")
    _check_side(value.shape[1], "columns")
    wrong = np.argwhere((value < 0) | (value >= NUM_COLORS))  # type: ignore[operator]
    if len(wrong):
        row, column = wrong[0].tolist()
        raise GridError(f"row {row} column {column}: {value[row, column]}, expected a color 0..9")
    return np.ascontiguousarray(value, dtype=np.uint8)


def _check_side(length: int, name: str) -> None:
    if not 1 <= length <= MAX_SIDE:
        raise GridError(f"{length} {name}, expected 1 to {MAX_SIDE}")


def _check_row(number: int, row: Sequence[object]) -> None:
    """Types are compared exactly: True is an int to Python, but not a color to us."""
    for column, cell in enumerate(row):
        if type(cell) is not int or not 0 <= cell < NUM_COLORS:
            raise GridError(f"row {number} column {column}: {_shown(cell)}, expected a color 0..9")


def _shown(cell: object) -> str:
    """A cell in a few characters; Python refuses to print integers of thousands of digits."""
    if isinstance(cell, int) and cell.bit_length() > 64:
        return f"an integer of {cell.bit_length()} bits"
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:37]}..."
