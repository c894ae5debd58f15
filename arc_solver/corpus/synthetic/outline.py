"""Rules that draw around dots, between corners and along the edge."""

from __future__ import annotations

from arc_solver.corpus.synthetic.bitboards import (
    Frame,
    around,
    block,
    border,
    box,
    cell,
    everywhere,
    frame_of,
    ink,
    painted,
    repainted,
    sides_of,
    where,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, blank, colors_of
from arc_solver.corpus.synthetic.rule import Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import apart, dot, dots, drawn, mixed, sparse


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
    frame, taken = frame_of(rows), ink(rows)
    spread = around if setting[0] else sides_of
    return repainted(rows, [(spread(where(rows, c), frame) & ~taken, c) for c in colors_of(rows)])


def edge(rows: Rows, setting: Setting) -> Rows:
    """The cells on the edge of the grid get the task's color."""
    return painted(rows, border(frame_of(rows)), setting[1])


def corners(rows: Rows, setting: Setting) -> Rows | None:
    """Dots of one color are corners of a rectangle, whose outline or inside is drawn."""
    frame, board = frame_of(rows), ink(rows)
    if len(colors_of(rows)) != 1 or board.bit_count() != 4:
        return None
    top, left, bottom, right = box(board, frame)
    if bottom - top < 2 or right - left < 2:
        return None
    ends = cell(frame, top, left) | cell(frame, top, right) | cell(frame, bottom, left)
    if board != ends | cell(frame, bottom, right):
        return None
    core = block(frame, top + 1, left + 1, bottom - 1, right - 1)
    if setting[0]:
        return painted(rows, core, setting[1])
    return painted(rows, block(frame, top, left, bottom, right) & ~core & ~board, setting[1])


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
    """One row of ink becomes a staircase: each next row is one cell longer."""
    if len(rows) != 1 or not rows[0][0]:
        return None
    row = rows[0]
    length = len(row.rstrip(b"\0"))
    if row.count(row[0]) != length or length == len(row):
        return None
    lengths = range(length, len(row) + 1)
    return tuple([row[:1] * long + bytes(len(row) - long) for long in lengths])


def dots_with(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Dots, some of the color that the rule reads."""
    boards = apart(draws, Frame(room.height, room.width), draws.span(1, 5), dot)
    return drawn(draws, room._replace(colors=(setting[1], setting[1], *room.colors)), boards)


def rectangle_corners(draws: Draws, room: Room, _: Setting) -> Rows:
    """The four corners of a rectangle."""
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
RULES = (
    Rule("halo", halo, dots, _ADDS, (0, 1), paints=1),
    Rule("corner-dots", corner_dots, dots, _ADDS, paints=1),
    Rule("bloom", bloom, dots_with, _ADDS, (0, 1, 2), reads=1, paints=1),
    Rule("grow", grow, dots, _ADDS, (0, 1), least=5),
    Rule("edge", edge, mixed(sparse, dots), _SAME, paints=1),
    Rule("corners", corners, rectangle_corners, _ADDS, (0, 1), paints=1, least=4),
    Rule("concentric", concentric, one_dot, _ADDS, least=5),
    Rule("stairs", stairs, row_start, Trait.LARGER),
)
