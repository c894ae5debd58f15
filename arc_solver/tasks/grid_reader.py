"""Grids out of JSON values; an error begins with the place."""

from dataclasses import dataclass

from arc_solver.storage.text import DataError, shown
from augment.grid import Grid, GridError, check_grid


@dataclass
class GridReader:
    """Reads grids; if `lenient`, a cell such as "3" or a row such as "012" is read as digits.

    `num_texts` counts the cells that were written as text.
    """

    lenient: bool = False
    num_texts: int = 0

    def read(self, value: object, place: str) -> Grid:
        """The value as a read-only Grid, or DataError that begins with `place`."""
        try:
            grid = check_grid(self._numbers(value) if self.lenient else value)
        except GridError as error:
            text = shown(error)
            if ": str, expected a list of colors" in text and not self.lenient:
                text += "; --lenient reads digits written as text"
            raise DataError(f"{place}{' ' if text.startswith('row ') else ': '}{text}") from error
        grid.flags.writeable = False
        return grid

    def _numbers(self, value: object) -> object:
        """The grid with its digits turned into numbers; everything else is left for the check to refuse."""
        if not isinstance(value, list):
            return value
        return [self._row(row) for row in value]

    def _row(self, row: object) -> object:
        if isinstance(row, str):
            row = list(row.replace(" ", "").replace(",", ""))
        return [self._number(cell) for cell in row] if isinstance(row, list) else row

    def _number(self, cell: object) -> object:
        if not (isinstance(cell, str) and len(cell) == 1 and cell in "0123456789"):
            return cell
        self.num_texts += 1
        return int(cell)
