"""Rules that fill regions of black cells: enclosed ones, seeded ones, empty lines."""

from __future__ import annotations

from arc_solver.corpus.synthetic.bitboards import (
    Frame,
    block,
    box,
    column,
    everywhere,
    flooded,
    frame_of,
    ink,
    outside,
    painted,
    pieces,
    repainted,
    row_at,
    where,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, blank, colors_of, transposed
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    apart,
    blob,
    blobs,
    drawn,
    mixed,
    noise,
    ring,
    rings,
    sparse,
    sprinkled,
)


def _holes(rows: Rows, frame: Frame) -> int:
    walls = ink(rows)
    return everywhere(frame) & ~walls & ~outside(walls, frame)


def fill_holes(rows: Rows, setting: Setting) -> Rows:
    """Black cells that ink encloses get the task's color."""
    return painted(rows, _holes(rows, frame_of(rows)), setting[1])


def fill_own(rows: Rows, _: Setting) -> Rows:
    """Black cells that ink of one color encloses get its color."""
    frame, black = frame_of(rows), where(rows, 0)
    return repainted(rows, [(black & ~outside(where(rows, c), frame), c) for c in colors_of(rows)])


def fill_outside(rows: Rows, setting: Setting) -> Rows | None:
    """Black cells connected to the edge of the grid get the task's color; some are not."""
    frame = frame_of(rows)
    if not _holes(rows, frame):
        return None
    return painted(rows, outside(ink(rows), frame), setting[1])


def fill_both(rows: Rows, setting: Setting) -> Rows | None:
    """Black cells that ink encloses get one color, those connected to the edge another one."""
    frame = frame_of(rows)
    holes = _holes(rows, frame)
    if not holes:
        return None
    return repainted(rows, ((holes, setting[1]), (outside(ink(rows), frame), setting[2])))


def fill_hole_sizes(rows: Rows, setting: Setting) -> Rows:
    """Enclosed regions of one cell get one color, larger ones another."""
    frame = frame_of(rows)
    holes = pieces(_holes(rows, frame), frame.step)
    return repainted(rows, [(hole, setting[1 if hole.bit_count() == 1 else 2]) for hole in holes])


def fill_square_holes(rows: Rows, setting: Setting) -> Rows:
    """Enclosed regions that are full squares get the task's color."""
    frame, board = frame_of(rows), 0
    for hole in pieces(_holes(rows, frame), frame.step):
        top, left, bottom, right = box(hole, frame)
        if bottom - top == right - left and hole == block(frame, top, left, bottom, right):
            board |= hole
    return painted(rows, board, setting[1])


def fill_seeded(rows: Rows, setting: Setting) -> Rows | None:
    """Regions between walls of one color fill with the color of the cell that lies in them."""
    frame, parts = frame_of(rows), []
    free = everywhere(frame) & ~where(rows, setting[1])
    seeds = [(color, where(rows, color)) for color in colors_of(rows) if color != setting[1]]
    if not seeds or not where(rows, setting[1]):
        return None
    taken = 0
    for color, board in seeds:
        region = flooded(board, free, frame.step)
        if region & taken:
            return None
        taken |= region
        parts.append((region, color))
    return repainted(rows, parts)


def fill_lines(rows: Rows, setting: Setting) -> Rows:
    """Rows without ink, columns without, or both, get the task's color."""
    frame, board = frame_of(rows), 0
    if setting[0] != 1:
        for number, row in enumerate(rows):
            if not any(row):
                board |= row_at(frame, number)
    if setting[0]:
        for number, line in enumerate(transposed(rows)):
            if not any(line):
                board |= column(frame, number)
    return painted(rows, board, setting[1])


def fill_largest_region(rows: Rows, setting: Setting) -> Rows | None:
    """The largest, or smallest, connected region of black cells gets the task's color."""
    regions = sorted((region.bit_count(), region) for region in pieces(where(rows, 0), frame_of(rows).step))
    if setting[0]:
        regions = regions[::-1]
    if len(regions) < 2 or regions[-1][0] == regions[-2][0]:
        return None
    return painted(rows, regions[-1][1], setting[1])


def mark_squares(rows: Rows, setting: Setting) -> Rows:
    """Black blocks of two by two cells get the task's color."""
    step, black = frame_of(rows).step, where(rows, 0)
    first = black & black << 8
    corner = first & first << step
    wide = corner | corner >> 8
    return painted(rows, wide | wide >> step, setting[1])


def crowded(rows: Rows, setting: Setting) -> Rows:
    """Black cells with ink on both sides, left and right or above and below, get the task's color."""
    frame = frame_of(rows)
    board, step = ink(rows), frame.step
    between = (board << 8 & board >> 8) | (board << step & board >> step)
    return painted(rows, between & everywhere(frame) & ~board, setting[1])


def framed(draws: Draws, room: Room, _: Setting) -> Rows:
    """Hollow rectangles, some of them open or with cells inside, and other objects."""
    frame = Frame(room.height, room.width)

    def piece(source: Draws, whole: Frame) -> int:
        return ring(source, whole) if source.chance(0.75) else blob(source, whole)

    return drawn(draws, room, apart(draws, frame, draws.span(1, 4), piece))


def loops(draws: Draws, room: Room, _: Setting) -> Rows:
    """Noise dense enough to enclose cells."""
    return sprinkled(draws, room, room.colors, draws.span(8, 11))


def walled_seeds(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Straight walls across the grid, and one cell in most of the regions between them."""
    frame = Frame(room.height, room.width)
    walls = 0
    for _ in range(draws.span(1, 2)):
        if draws.chance(0.5):
            walls |= row_at(frame, draws.span(1, room.height - 2))
        else:
            walls |= column(frame, draws.span(1, room.width - 2))
    rows = painted(blank(*frame), walls, setting[1])
    colors = [color for color in ALL_COLORS if color != setting[1]]
    draws_left = draws.some(colors, len(colors))
    for region in pieces(everywhere(frame) & ~walls, frame.step):
        if draws.chance(0.75) and draws_left:
            spots = [bit for bit in range(0, frame.num_bits, 8) if region >> bit & 1]
            rows = painted(rows, 1 << draws.pick(spots), draws_left.pop())
    return rows


def walls_only(draws: Draws, room: Room, _: Setting) -> Rows:
    """Two or three straight walls across the grid."""
    frame = Frame(room.height, room.width)
    walls = row_at(frame, draws.span(1, room.height - 2)) | column(frame, draws.span(1, room.width - 2))
    if draws.chance(0.4):
        walls |= row_at(frame, draws.span(1, room.height - 2))
    return painted(blank(*frame), walls, room.colors[0])


_ADDS = Trait.SAME | Trait.ADDS
_rings = mixed(rings, framed, framed)
RULES = (
    Rule("fill-holes", fill_holes, mixed(rings, framed, loops), _ADDS, paints=1, least=5),
    Rule("fill-own", fill_own, _rings, _ADDS, least=5),
    Rule("fill-outside", fill_outside, mixed(rings, framed, loops), _ADDS, paints=1, least=5),
    Rule("fill-both", fill_both, mixed(rings, framed), _ADDS, paints=2, least=5),
    Rule("fill-hole-sizes", fill_hole_sizes, mixed(loops, framed), _ADDS, paints=2, least=6),
    Rule("fill-square-holes", fill_square_holes, mixed(loops, framed, rings), _ADDS, paints=1, least=6),
    Rule("fill-seeded", fill_seeded, walled_seeds, _ADDS, reads=1, least=5),
    Rule("fill-lines", fill_lines, mixed(sparse, blobs), _ADDS, (0, 1, 2), paints=1, least=4),
    Rule(
        "fill-largest-region", fill_largest_region, mixed(walls_only, rings), _ADDS, (0, 1), paints=1, least=5
    ),
    Rule("mark-squares", mark_squares, mixed(noise, loops), _ADDS, paints=1, least=4),
    Rule("crowded", crowded, mixed(sparse, noise), _ADDS, paints=1, least=3),
)
