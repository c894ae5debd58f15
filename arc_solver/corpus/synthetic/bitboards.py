"""Sets of cells as one integer: flood fill, neighbors and boxes in a few operations on all cells at once.

A board of a grid of H × W has W + 1 bytes per row, 1 for a cell of the set; the spare byte stays 0 and keeps
rows apart. The first cell is the highest byte: one to the right is a shift by 8, one down by 8 · (W + 1).
A byte per cell makes shifts slower than a bit, but conversions between grid and board much faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from arc_solver.corpus.synthetic.rows import Rows

_INK = bytes([0] + [1] * 9 + [0] * 246)
_COLORS = tuple(bytes(int(value == color) for value in range(256)) for color in range(10))


class Frame(NamedTuple):
    """The shape of the grid of a board."""

    height: int
    width: int

    @property
    def step(self) -> int:
        """The shift by one row."""
        return 8 * self.width + 8

    @property
    def num_bits(self) -> int:
        """The bits of a board."""
        return 8 * (self.height * (self.width + 1) - 1)


def frame_of(rows: Rows) -> Frame:
    """The frame of a grid."""
    return Frame(len(rows), len(rows[0]))


def ink(rows: Rows) -> int:
    """The cells that are not black."""
    return int.from_bytes(b"\0".join(rows).translate(_INK), "big")


def where(rows: Rows, color: int) -> int:
    """The cells of a color."""
    return int.from_bytes(b"\xff".join(rows).translate(_COLORS[color]), "big")  # the color may be black


def painted(rows: Rows, board: int, color: int) -> Rows:
    """The grid with the cells of `board` in `color`."""
    return repainted(rows, ((board, color),)) if board else rows


def repainted(rows: Rows, parts: Iterable[tuple[int, int]]) -> Rows:
    """The grid with one board after the other in its color."""
    flat = b"\0".join(rows)
    size, width = len(flat), len(rows[0])
    value = int.from_bytes(flat, "big")
    for board, color in parts:
        value = value & ~(255 * board) | color * board
    cells = value.to_bytes(size, "big")
    return tuple([cells[start : start + width] for start in range(0, size, width + 1)])


@lru_cache(maxsize=1024)
def everywhere(frame: Frame) -> int:
    """All cells."""
    return int.from_bytes(b"\0".join([b"\1" * frame.width] * frame.height), "big")


@lru_cache(maxsize=1024)
def border(frame: Frame) -> int:
    """The cells on the edge of the grid."""
    return everywhere(frame) & ~inner(everywhere(frame), frame)


@lru_cache(maxsize=4096)
def column(frame: Frame, number: int) -> int:
    """The cells of a column."""
    return block(frame, 0, number, frame.height - 1, number)


@lru_cache(maxsize=4096)
def row_at(frame: Frame, number: int) -> int:
    """The cells of a row."""
    return block(frame, number, 0, number, frame.width - 1)


def cell(frame: Frame, row: int, place: int) -> int:
    """One cell."""
    height, width = frame
    return 1 << 8 * ((height - 1 - row) * (width + 1) + width - 1 - place)


@lru_cache(maxsize=65536)
def block(frame: Frame, top: int, left: int, bottom: int, right: int) -> int:
    """A filled rectangle, its sides included."""
    line = int.from_bytes(b"\1" * (right - left + 1), "big") << 8 * (frame.width - 1 - right)
    return sum(line << ((frame.height - 1 - row) * frame.step) for row in range(top, bottom + 1))


def sides_of(board: int, frame: Frame) -> int:
    """The cells outside the board that share a side with one of its cells."""
    step = frame.step
    return (board << 8 | board >> 8 | board << step | board >> step) & everywhere(frame) & ~board


def around(board: int, frame: Frame) -> int:
    """The cells outside the board that share a side or corner with one of its cells."""
    step = frame.step
    wide = board | board << 8 | board >> 8
    return (wide | wide << step | wide >> step) & everywhere(frame) & ~board


def inner(board: int, frame: Frame) -> int:
    """The cells all of whose eight neighbors are in the board."""
    step = frame.step
    wide = board & board << 8 & board >> 8
    return wide & wide << step & wide >> step


def flooded(seed: int, mask: int, step: int) -> int:
    """The cells of `mask` that can be reached from `seed` by sides."""
    while True:
        grown = (seed | seed << 8 | seed >> 8 | seed << step | seed >> step) & mask
        if grown == seed:
            return seed
        seed = grown


def flooded_widely(seed: int, mask: int, step: int) -> int:
    """The cells of `mask` that can be reached from `seed` by sides and corners."""
    while True:
        wide = seed | seed << 8 | seed >> 8
        grown = (wide | wide << step | wide >> step) & mask
        if grown == seed:
            return seed
        seed = grown


def pieces(mask: int, step: int, corners: bool = False) -> list[int]:
    """The connected parts of a board, the one with the last cell first."""
    flood = flooded_widely if corners else flooded
    found = []
    while mask:
        piece = flood(mask & -mask, mask, step)
        found.append(piece)
        mask ^= piece
    return found


def box(board: int, frame: Frame) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a board that is not empty."""
    step, num = frame.step, frame.num_bits
    top = (num - board.bit_length()) // step
    bottom = (num - (board & -board).bit_length()) // step
    line, rest = 0, board >> ((frame.height - 1 - bottom) * step)
    while rest:
        line |= rest
        rest >>= step
    line &= (1 << step - 8) - 1
    first, last = (line.bit_length() - 1) // 8, ((line & -line).bit_length() - 1) // 8
    return top, frame.width - 1 - first, bottom, frame.width - 1 - last


def boxed(board: int, frame: Frame) -> int:
    """The filled box of a board that is not empty."""
    return block(frame, *box(board, frame))


def outside(walls: int, frame: Frame) -> int:
    """The cells that are not walls and connected with the edge of the grid by sides."""
    free = everywhere(frame) & ~walls
    return flooded(free & border(frame), free, frame.step)


def cells(board: int, frame: Frame) -> Iterator[tuple[int, int]]:
    """Row and column of every cell, the last first."""
    num, wide = frame.num_bits, frame.width + 1
    while board:
        low = board & -board
        yield divmod((num - low.bit_length()) // 8, wide)
        board ^= low
