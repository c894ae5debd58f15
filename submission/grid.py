"""Grids as JSON has them: lists of lists of integers, checked strictly into a uint8 array."""

from typing import Any

import numpy as np
import numpy.typing as npt

from submission.messages import describe

Grid = npt.NDArray[np.uint8]
Content = tuple[int, int, bytes]
NUM_COLORS = 10
MAX_SIDE = 30
_INTEGERS = {int}


class GridError(ValueError):
    """The value is not a grid; the text names the row and the reason."""

    exit_code = 3


class EmptyGridError(GridError):
    """The value has no cells: no rows, or rows without columns."""


def blank_grid() -> Grid:
    """The answer where there is no guess: `[[0]]`."""
    return np.zeros((1, 1), dtype=np.uint8)


def check_grid(value: object) -> Grid:
    """A list of lists or an integer array as a C-contiguous (H, W) uint8 grid, else GridError.

    Cells are ints 0..9: true, 1.0, "1" and null are refused. Sides are 1..30.
    """
    if isinstance(value, np.ndarray):
        return _check_array(value)
    if not isinstance(value, list):
        raise GridError(f"{describe(value)}, expected a list of rows")
    if not value:
        raise EmptyGridError("no rows, expected 1 to 30")
    if len(value) > MAX_SIDE:
        raise GridError(f"{len(value)} rows, expected 1 to 30")
    grid = _quick(value)
    if grid is not None:
        return grid
    for number, row in enumerate(value):
        _check_row(number, row)
        if len(row) != len(value[0]):
            raise GridError(f"row {number}: length {len(row)}, expected {len(value[0])}")
    return np.array(value, dtype=np.uint8)


def content_of(grid: Grid) -> Content:
    """Sides and cells of a grid, as a key."""
    return grid.shape[0], grid.shape[1], grid.tobytes()


def grid_of(content: Content) -> Grid:
    """The inverse of `content_of`."""
    height, width, cells = content
    return np.frombuffer(cells, dtype=np.uint8).reshape(height, width).copy()


def same_grid(a: Grid, b: Grid) -> bool:
    """Whether two grids have the same sides and cells."""
    return a.shape == b.shape and bool((a == b).all())


def _quick(rows: list[object]) -> Grid | None:
    """The grid, if the rows are one beyond doubt; None leaves the verdict to the slow check."""
    width = len(rows[0]) if isinstance(rows[0], list) else 0
    if not 1 <= width <= MAX_SIDE:
        return None
    for row in rows:
        if not isinstance(row, list) or len(row) != width or set(map(type, row)) != _INTEGERS:
            return None
    try:
        grid = np.array(rows, dtype=np.int64)
    except OverflowError:
        return None
    return grid.astype(np.uint8) if grid.min() >= 0 and grid.max() < NUM_COLORS else None


def _check_row(number: int, row: object) -> None:
    if not isinstance(row, list):
        raise GridError(f"row {number}: {describe(row)}, expected a list of integers")
    if not row and number == 0:
        raise EmptyGridError("row 0: no cells, expected 1 to 30")
    if len(row) > MAX_SIDE:
        raise GridError(f"row {number}: length {len(row)}, expected 1 to 30")
    for column, cell in enumerate(row):
        if type(cell) is not int or not 0 <= cell < NUM_COLORS:
            raise GridError(f"row {number} column {column}: {describe(cell)}, expected an integer 0 to 9")


def _check_array(array: npt.NDArray[Any]) -> Grid:
    if array.ndim != 2:
        raise GridError(f"an array of shape {array.shape}, expected two axes")
    if not np.issubdtype(array.dtype, np.integer):
        raise GridError(f"an array of {array.dtype}, expected integers")
    if array.size == 0:
        raise EmptyGridError(f"an array of shape {array.shape}, expected sides of 1 to 30")
    if max(array.shape) > MAX_SIDE:
        raise GridError(f"an array of shape {array.shape}, expected sides of 1 to 30")
    if array.min() < 0 or array.max() >= NUM_COLORS:
        raise GridError(f"cells from {array.min()} to {array.max()}, expected 0 to 9")
    return np.ascontiguousarray(array, dtype=np.uint8)
