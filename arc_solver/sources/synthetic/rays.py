"""Rules that draw lines from, between and around dots."""

from __future__ import annotations

from arc_solver.sources.synthetic.boards import (
    Frame,
    around,
    block,
    border,
    box,
    cell,
    cells,
    column,
    everywhere,
    frame_of,
    ink,
    painted,
    row_at,
    sides_of,
    where,
)
from arc_solver.sources.synthetic.draws import Draws
from arc_solver.sources.synthetic.rows import Rows, away, blank, colors_of, cut, towards, transposed
from arc_solver.sources.synthetic.rule import Room, Rule, Setting, Trait
from arc_solver.sources.synthetic.scenes import apart, dot, dots, drawn, mixed, sparse

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
    """A dot fills its row, or its column, with its color; two colors in one row are not said."""
    lines = transposed(rows) if setting[0] else rows
    found = []
    for row in lines:
        colors = set(row) - {0}
        if len(colors) > 1:
            return None
        found.append(bytes([colors.pop()]) * len(row) if colors else row)
    return transposed(tuple(found)) if setting[0] else tuple(found)


def cross(rows: Rows, setting: Setting) -> Rows:
    """Every dot fills its row and its column; the option says which lies on top."""
    frame, found = frame_of(rows), rows
    spots = [(rows[r][c], r, c) for r, c in cells(ink(rows), frame)]
    for upright in (setting[0] == 0, setting[0] != 0):
        for color, r, c in spots:
            found = painted(found, column(frame, c) if upright else row_at(frame, r), color)
    return found


def paint_cross(rows: Rows, setting: Setting) -> Rows:
    """Black cells in the row or column of a dot get the task's color."""
    frame, board = frame_of(rows), 0
    dots_there = ink(rows)
    for r, c in cells(dots_there, frame):
        board |= column(frame, c) | row_at(frame, r)
    return painted(rows, board & ~dots_there, setting[1])


def diagonals(rows: Rows, setting: Setting) -> Rows:
    """Every dot sends diagonal lines of its color over black cells, all four or along one diagonal."""
    frame, found = frame_of(rows), rows
    free = everywhere(frame) & ~ink(rows)
    ways = (_DIAGONALS, _DIAGONALS[::3], _DIAGONALS[1:3])[setting[0]]
    for r, c in cells(ink(rows), frame):
        board = 0
        for down, right in ways:
            at, place = r + down, c + right
            while 0 <= at < frame.height and 0 <= place < frame.width:
                board |= cell(frame, at, place)
                at, place = at + down, place + right
        found = painted(found, board & free, rows[r][c])
    return found


def connect(rows: Rows, setting: Setting) -> Rows:
    """Black cells between two dots of one color in a row or column get that color, or the task's."""
    ways, found = setting[0], rows
    if ways != 1:
        found = _joined(found, 0)
    if ways:
        across = _joined(transposed(rows), 0)
        found = _under(transposed(across), found)
    return found


def paint_connection(rows: Rows, setting: Setting) -> Rows:
    """Black cells between two dots of one color in a row or column get the task's color."""
    ways, found = setting[0], rows
    if ways != 1:
        found = _joined(found, setting[1])
    if ways:
        found = _under(transposed(_joined(transposed(rows), setting[1])), found)
    return found


def _joined(rows: Rows, paint: int) -> Rows:
    """Rows with the gaps between equal neighbours filled."""
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


def halo(rows: Rows, setting: Setting) -> Rows:
    """Black cells next to ink get the task's color, corners counted or not."""
    frame, board = frame_of(rows), ink(rows)
    return painted(rows, around(board, frame) if setting[0] else sides_of(board, frame), setting[1])


def corner_dots(rows: Rows, setting: Setting) -> Rows:
    """Black cells that touch ink by a corner alone get the task's color."""
    frame, board = frame_of(rows), ink(rows)
    return painted(rows, around(board, frame) & ~sides_of(board, frame), setting[1])


def bloom(rows: Rows, setting: Setting) -> Rows:
    """Around dots of one color, the cells at sides, at corners or all get the task's color."""
    frame, dots_there = frame_of(rows), where(rows, setting[1])
    sides = sides_of(dots_there, frame)
    board = sides if setting[0] == 0 else around(dots_there, frame) & ~(sides if setting[0] == 1 else 0)
    return painted(rows, board & ~ink(rows), setting[2])


def grow(rows: Rows, setting: Setting) -> Rows:
    """Every dot grows over the black cells next to it, corners counted or not."""
    frame, found, taken = frame_of(rows), rows, ink(rows)
    for color in colors_of(rows):
        board = where(rows, color)
        found = painted(
            found, (around(board, frame) if setting[0] else sides_of(board, frame)) & ~taken, color
        )
    return found


def edge(rows: Rows, setting: Setting) -> Rows:
    """The cells on the edge of the grid get the task's color."""
    return painted(rows, border(frame_of(rows)), setting[1])


def corners(rows: Rows, setting: Setting) -> Rows | None:
    """Dots of one color are corners of a rectangle, whose outline or inside is drawn."""
    frame, board = frame_of(rows), ink(rows)
    colors = colors_of(rows)
    if len(colors) != 1 or board.bit_count() not in (2, 4):
        return None
    top, left, bottom, right = box(board, frame)
    filled = block(frame, top, left, bottom, right)
    core = (
        block(frame, top + 1, left + 1, bottom - 1, right - 1) if bottom - top > 1 and right - left > 1 else 0
    )
    if not core:
        return None
    return painted(rows, core if setting[0] else filled & ~core & ~board, setting[1])


def concentric(rows: Rows, _: Setting) -> Rows | None:
    """One dot becomes the middle of rings of its color, every second one, out to the edge."""
    frame, board = frame_of(rows), ink(rows)
    if board.bit_count() != 1:
        return None
    color, found = colors_of(rows)[0], rows
    reach, step = board, 0
    while reach != everywhere(frame):
        ringed = around(reach, frame)
        step += 1
        if step % 2 == 0:
            found = painted(found, ringed, color)
        reach |= ringed
    return found


def stairs(rows: Rows, _: Setting) -> Rows | None:
    """One row of ink becomes a stair: every next row is longer by one cell."""
    if len(rows) != 1 or not rows[0][0]:
        return None
    row = rows[0]
    length = len(row.rstrip(b"\0"))
    if row.count(row[0]) != length or length == len(row):
        return None
    lengths = range(length, len(row) + 1)
    return tuple([row[:1] * long + bytes(len(row) - long) for long in lengths])


def few_dots(draws: Draws, room: Room, _: Setting) -> Rows:
    """Dots that share neither row nor column, each of its own color."""
    num = draws.span(1, min(3, room.height, room.width))
    places = zip(draws.some(range(room.height), num), draws.some(range(room.width), num), strict=True)
    flat = bytearray(room.height * room.width)
    for r, c in places:
        flat[r * room.width + c] = draws.pick(room.colors)
    return cut(bytes(flat), room.width)


def dots_with(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Dots, some of the color that the rule reads."""
    boards = apart(draws, Frame(room.height, room.width), draws.span(1, 5), dot)
    return drawn(draws, room._replace(colors=(setting[1], setting[1], *room.colors)), boards)


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


def rectangle_corners(draws: Draws, room: Room, _: Setting) -> Rows:
    """The four corners of a rectangle, sometimes two opposite ones."""
    frame = Frame(room.height, room.width)
    high, wide = draws.span(3, room.height), draws.span(3, room.width)
    top, left = draws.below(room.height - high + 1), draws.below(room.width - wide + 1)
    board = cell(frame, top, left) | cell(frame, top + high - 1, left + wide - 1)
    board |= cell(frame, top + high - 1, left) | cell(frame, top, left + wide - 1)
    return painted(blank(*frame), board, room.colors[0])


def one_dot(draws: Draws, room: Room, _: Setting) -> Rows:
    """One dot."""
    return drawn(draws, room, [dot(draws, Frame(room.height, room.width))])


def row_start(draws: Draws, room: Room, _: Setting) -> Rows:
    """One row that starts with ink."""
    wide = max(room.width, 3)
    length = draws.span(1, wide - 1)
    return (bytes([draws.pick(room.colors)]) * length + bytes(wide - length),)


_SAME, _ADDS = Trait.SAME, Trait.SAME | Trait.ADDS
_dots = mixed(dots, few_dots)
RULES = (
    Rule("ray", ray, mixed(dots, few_dots, sparse), _ADDS, range(4)),
    Rule("paint-ray", paint_ray, mixed(dots, few_dots, sparse), _ADDS, range(4), paints=1),
    Rule("beam", beam, few_dots, _ADDS, (0, 1)),
    Rule("cross", cross, few_dots, _ADDS, (0, 1)),
    Rule("paint-cross", paint_cross, _dots, _ADDS, paints=1),
    Rule("diagonals", diagonals, few_dots, _ADDS, (0, 1, 2)),
    Rule("connect", connect, facing_dots, _ADDS, (0, 1, 2), least=4),
    Rule("paint-connection", paint_connection, facing_dots, _ADDS, (0, 1, 2), paints=1, least=4),
    Rule("halo", halo, dots, _ADDS, (0, 1), paints=1),
    Rule("corner-dots", corner_dots, dots, _ADDS, paints=1),
    Rule("bloom", bloom, dots_with, _ADDS, (0, 1, 2), reads=1, paints=1),
    Rule("grow", grow, dots, _ADDS, (0, 1), least=5),
    Rule("edge", edge, mixed(sparse, dots), _SAME, paints=1),
    Rule("corners", corners, rectangle_corners, _ADDS, (0, 1), paints=1, least=4),
    Rule("concentric", concentric, one_dot, _ADDS, least=5),
    Rule("stairs", stairs, row_start, Trait.LARGER),
)
