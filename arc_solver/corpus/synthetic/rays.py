"""Rules that draw lines from dots and between them."""

from __future__ import annotations

from arc_solver.corpus.synthetic.bitboards import (
    cell,
    cells,
    column,
    everywhere,
    frame_of,
    ink,
    painted,
    repainted,
    row_at,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, away, cut, towards, transposed
from arc_solver.corpus.synthetic.rule import Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import dots, mixed, sparse

MAX_DOTS = 8
_DIAGONALS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def ray(rows: Rows, setting: Setting) -> Rows:
    """Every dot sends a line of its color to one side, until something is in the way."""
    found = []
    for row in towards(rows, setting[0]):
        cells_of_row, color = bytearray(row), 0
        for place in range(len(row) - 1, -1, -1):
            color = row[place] or color
            cells_of_row[place] = color
        found.append(bytes(cells_of_row))
    return away(tuple(found), setting[0])


def paint_ray(rows: Rows, setting: Setting) -> Rows:
    """Every dot sends a line of the task's color to one side, over black cells."""
    found = []
    for row in towards(rows, setting[0]):
        end = len(row.rstrip(b"\0"))
        found.append(row[:end].replace(b"\0", bytes([setting[1]])) + row[end:])
    return away(tuple(found), setting[0])


def beam(rows: Rows, setting: Setting) -> Rows | None:
    """A dot fills its row, or its column, with its color."""
    lines = transposed(rows) if setting[0] else rows
    found = []
    for row in lines:
        colors = set(row) - {0}
        if len(colors) > 1:
            return None
        found.append(bytes([colors.pop()]) * len(row) if colors else row)
    return transposed(tuple(found)) if setting[0] else tuple(found)


def cross(rows: Rows, setting: Setting) -> Rows | None:
    """Every one of a few dots fills its row and its column; the option says which lies on top."""
    frame, board = frame_of(rows), ink(rows)
    if board.bit_count() > MAX_DOTS:
        return None
    spots = [(rows[r][c], r, c) for r, c in cells(board, frame)]
    across = [(row_at(frame, r), color) for color, r, _ in spots]
    upright = [(column(frame, c), color) for color, _, c in spots]
    return repainted(rows, across + upright if setting[0] else upright + across)


def paint_cross(rows: Rows, setting: Setting) -> Rows:
    """Black cells in the row or column of a dot get the task's color."""
    frame, board = frame_of(rows), 0
    dots_there = ink(rows)
    for r, c in cells(dots_there, frame):
        board |= column(frame, c) | row_at(frame, r)
    return painted(rows, board & ~dots_there, setting[1])


def diagonals(rows: Rows, setting: Setting) -> Rows | None:
    """Every one of a few dots sends lines of its color over black cells along both diagonals, or one."""
    frame, board, parts = frame_of(rows), ink(rows), []
    if board.bit_count() > MAX_DOTS:
        return None
    free = everywhere(frame) & ~board
    ways = (_DIAGONALS, _DIAGONALS[::3], _DIAGONALS[1:3])[setting[0]]
    for r, c in cells(ink(rows), frame):
        board = 0
        for down, right in ways:
            at, place = r + down, c + right
            while 0 <= at < frame.height and 0 <= place < frame.width:
                board |= cell(frame, at, place)
                at, place = at + down, place + right
        parts.append((board & free, rows[r][c]))
    return repainted(rows, parts)


def connect(rows: Rows, setting: Setting) -> Rows:
    """Black cells between two dots of one color in a row, a column or both get that color."""
    return _connected(rows, setting[0], 0)


def paint_connection(rows: Rows, setting: Setting) -> Rows:
    """Black cells between two dots of one color in a row or column get the task's color."""
    return _connected(rows, setting[0], setting[1])


def _connected(rows: Rows, ways: int, paint: int) -> Rows:
    """Gaps in rows (0), columns (1) or both (2) filled with `paint`, or with the color of the dots for 0."""
    found = rows if ways == 1 else _joined(rows, paint)
    return _under(transposed(_joined(transposed(rows), paint)), found) if ways else found


def _joined(rows: Rows, paint: int) -> Rows:
    """Rows with the gaps between equal neighbors filled."""
    found = []
    for row in rows:
        cells_of_row, last = bytearray(row), -1
        for place, value in enumerate(row):
            if value:
                if last >= 0 and row[last] == value:
                    for gap in range(last + 1, place):
                        cells_of_row[gap] = paint or value
                last = place
        found.append(bytes(cells_of_row))
    return tuple(found)


def _under(rows: Rows, top: Rows) -> Rows:
    return tuple([bytes([a or b for a, b in zip(x, y, strict=True)]) for x, y in zip(top, rows, strict=True)])


def few_dots(draws: Draws, room: Room, _: Setting) -> Rows:
    """Dots that share neither row nor column, each of its own color."""
    num = draws.span(1, min(3, room.height, room.width))
    places = zip(draws.some(range(room.height), num), draws.some(range(room.width), num), strict=True)
    flat = bytearray(room.height * room.width)
    for r, c in places:
        flat[r * room.width + c] = draws.pick(room.colors)
    return cut(bytes(flat), room.width)


def facing_dots(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Some pairs of dots of one color in one row or column, and others alone."""
    flat = bytearray(room.height * room.width)
    for _ in range(draws.span(1, 4)):
        color, r, c = draws.pick(room.colors), draws.below(room.height), draws.below(room.width)
        flat[r * room.width + c] = color
        if draws.chance(0.7):
            upright = draws.chance(0.5) if setting[0] == 2 else setting[0] == 1
            other = (
                draws.below(room.height) * room.width + c
                if upright
                else r * room.width + draws.below(room.width)
            )
            flat[other] = color
    return cut(bytes(flat), room.width)


_ADDS = Trait.SAME | Trait.ADDS
_dots = mixed(dots, few_dots)
RULES = (
    Rule("ray", ray, mixed(dots, few_dots, sparse), _ADDS, range(4)),
    Rule("paint-ray", paint_ray, mixed(dots, few_dots, sparse), _ADDS, range(4), paints=1),
    Rule("beam", beam, few_dots, _ADDS, (0, 1)),
    Rule("cross", cross, few_dots, Trait.SAME, (0, 1)),
    Rule("paint-cross", paint_cross, _dots, _ADDS, paints=1),
    Rule("diagonals", diagonals, few_dots, _ADDS, (0, 1, 2)),
    Rule("connect", connect, facing_dots, _ADDS, (0, 1, 2), least=4),
    Rule("paint-connection", paint_connection, facing_dots, _ADDS, (0, 1, 2), paints=1, least=4),
)
