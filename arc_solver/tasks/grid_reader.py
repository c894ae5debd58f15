"""Grids out of JSON values, with the place of what is wrong in front of the reason."""

from dataclasses import dataclass

import numpy as np
import orjson

from arc_solver.storage.text import DataError, shown
from augment.grid import MAX_SIDE, Grid, GridError, check_grid

_COLOR_OF_DIGIT = bytes.maketrans(b"0123456789", bytes(range(10)))


@dataclass
class GridReader:
    """Reads grids; where `lenient`, a cell such as "3" is taken for 3 and counted in `num_texts`."""

    lenient: bool = False
    num_texts: int = 0

    def read(self, value: object, place: str) -> Grid:
        """The value as a read-only Grid, or DataError that begins with `place`."""
        grid = _quick(value)
        if grid is not None:
            return grid
        try:
            grid = check_grid(self._numbers(value) if self.lenient else value)
        except GridError as error:
            text = shown(error)
            raise DataError(f"{place}{' ' if text.startswith('row ') else ': '}{text}") from error
        grid.flags.writeable = False
        return grid

    def _numbers(self, value: object) -> object:
        """The grid with its digits turned into numbers; everything else is left for the check to judge."""
        if not isinstance(value, list):
            return value
        return [[self._number(cell) for cell in row] if isinstance(row, list) else row for row in value]

    def _number(self, cell: object) -> object:
        if not (isinstance(cell, str) and len(cell) == 1 and cell in "0123456789"):
            return cell
        self.num_texts += 1
        return int(cell)


def _quick(value: object) -> Grid | None:
    """A value that is plainly a grid, several times sooner than cell by cell; None where that is not plain.

    Written as JSON such a value is one character a cell, one opening bracket a row, and commas. Of all that a
    cell could be only a digit is one character long, and only a list is less, which shows in the brackets.
    """
    if not isinstance(value, list) or not value or set(map(type, value)) != {list}:
        return None
    height, width = len(value), len(value[0])
    if height > MAX_SIDE or not 1 <= width <= MAX_SIDE or any(len(row) != width for row in value):
        return None
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return None
    digits = text.translate(None, b"[],")
    if len(digits) != height * width or text.count(b"[") != height + 1:
        return None
    return np.frombuffer(digits.translate(_COLOR_OF_DIGIT), np.uint8).reshape(height, width)
