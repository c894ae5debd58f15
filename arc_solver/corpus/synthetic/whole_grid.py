"""Rules that turn, repeat, enlarge and cut the whole grid."""

from __future__ import annotations

from itertools import groupby

from arc_solver.corpus.synthetic.bitboards import box, frame_of, ink
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import (
    DOWN,
    LEFT,
    RIGHT,
    TURN_BACK,
    TURN_LEFT,
    TURN_RIGHT,
    UP,
    Rows,
    away,
    beside,
    blank,
    crop,
    cut,
    enlarged,
    mirrored,
    towards,
    transposed,
    turned,
)
from arc_solver.corpus.synthetic.rule import Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    anything,
    blobs,
    mixed,
    mosaic,
    noise,
    one_blob,
    sparse,
    sprinkled,
)

DIRECTIONS = (LEFT, RIGHT, UP, DOWN)
STEPS = tuple(10 * direction + step for direction in DIRECTIONS for step in (1, 2, 3))


def turn(rows: Rows, setting: Setting) -> Rows:
    """Turn or mirror the grid."""
    return turned(rows, setting[0])


def roll(rows: Rows, setting: Setting) -> Rows | None:
    """Shift everything by some cells; what leaves the grid re-enters on the other side."""
    direction, step = divmod(setting[0], 10)
    ahead = towards(rows, direction)
    if step >= len(ahead[0]):
        return None
    return away(tuple([row[step:] + row[:step] for row in ahead]), direction)


def shift(rows: Rows, setting: Setting) -> Rows | None:
    """Shift everything by some cells; what leaves the grid is lost."""
    direction, step = divmod(setting[0], 10)
    ahead = towards(rows, direction)
    if step >= len(ahead[0]):
        return None
    return away(tuple([row[step:] + bytes(step) for row in ahead]), direction)


def mirror_beside(rows: Rows, setting: Setting) -> Rows:
    """Put the mirror image next to the grid, on one of its sides."""
    ahead = towards(rows, setting[0])
    return away(beside(mirrored(ahead), ahead), setting[0])


def mirror_four(rows: Rows, setting: Setting) -> Rows:
    """Mirror the grid into the three other quarters; the option says which quarter it keeps."""
    across = beside(rows, mirrored(rows)) if setting[0] & 1 else beside(mirrored(rows), rows)
    return across + across[::-1] if setting[0] & 2 else across[::-1] + across


def turn_four(rows: Rows, setting: Setting) -> Rows | None:
    """Put together four quarters, each turned by a right angle against its neighbor."""
    if len(rows) != len(rows[0]):
        return None
    first, second = (TURN_RIGHT, TURN_LEFT) if setting[0] else (TURN_LEFT, TURN_RIGHT)
    return beside(rows, turned(rows, first)) + beside(turned(rows, second), turned(rows, TURN_BACK))


def tile(rows: Rows, setting: Setting) -> Rows:
    """Repeat the grid down and across."""
    down, across = divmod(setting[0], 10)
    return tuple([row * across for row in rows]) * down


def tile_flipped(rows: Rows, setting: Setting) -> Rows:
    """Repeat the grid three times both ways, with the middle row of copies turned."""
    band = beside(beside(rows, rows), rows)
    other = turned(rows, setting[0])
    return band + beside(beside(other, other), other) + band


def enlarge(rows: Rows, setting: Setting) -> Rows:
    """Make every cell a block."""
    down, across = divmod(setting[0], 10)
    return enlarged(rows, down, across)


def shrink(rows: Rows, setting: Setting) -> Rows | None:
    """Make every block of equal cells one cell."""
    size = setting[0]
    if len(rows) % size or len(rows[0]) % size:
        return None
    small = tuple([row[::size] for row in rows[::size]])
    return small if enlarged(small, size, size) == rows else None


def fractal(rows: Rows, setting: Setting) -> Rows:
    """Put a copy of the grid wherever the grid has ink, or has none."""
    nothing = blank(len(rows), len(rows[0]))
    bands: list[bytes] = []
    for row in rows:
        parts = [rows if bool(value) != bool(setting[0]) else nothing for value in row]
        bands += [b"".join(lines) for lines in zip(*parts, strict=True)]
    return tuple(bands)


def crop_content(rows: Rows, _: Setting) -> Rows | None:
    """Cut out everything that is not black."""
    board = ink(rows)
    return crop(rows, box(board, frame_of(rows))) if board else None


def keep_part(rows: Rows, setting: Setting) -> Rows | None:
    """Keep a half or a quarter of the grid."""
    high, wide = len(rows) // 2, len(rows[0]) // 2
    if not high or not wide:
        return None
    vertical, horizontal = divmod(setting[0], 3)
    rows = (rows, rows[:high], rows[-high:])[vertical]
    return tuple([(row, row[:wide], row[-wide:])[horizontal] for row in rows])


def peel(rows: Rows, _: Setting) -> Rows | None:
    """Remove the outermost cells."""
    return tuple([row[1:-1] for row in rows[1:-1]]) if len(rows) > 2 and len(rows[0]) > 2 else None


def frame_grid(rows: Rows, setting: Setting) -> Rows:
    """Put a frame of one color around the grid."""
    side, line = bytes([setting[1]]), bytes([setting[1]]) * (len(rows[0]) + 2)
    return (line, *[side + row + side for row in rows], line)


def condense(rows: Rows, _: Setting) -> Rows:
    """Merge neighboring rows that are equal, and such columns."""
    once = tuple([row for row, _ in groupby(rows)])
    return transposed(tuple([row for row, _ in groupby(transposed(once))]))


def squeeze(rows: Rows, _: Setting) -> Rows | None:
    """Remove black rows and columns."""
    kept = tuple([row for row in rows if any(row)])
    kept = tuple([row for row in transposed(kept) if any(row)]) if kept else kept
    return transposed(kept) if kept else None


def stack_flipped(rows: Rows, setting: Setting) -> Rows:
    """Put the grid turned by 180 degrees below it, or its mirror image between two copies."""
    return rows + turned(rows, TURN_BACK) if setting[0] else rows + rows[::-1] + rows


def shrinkable(draws: Draws, room: Room, setting: Setting) -> Rows:
    """A small grid made of blocks."""
    size = setting[0]
    small = room._replace(height=max(1, room.height // size), width=max(1, room.width // size))
    return enlarged(sprinkled(draws, small, room.colors, draws.span(6, 16)), size, size)


def small_square(draws: Draws, room: Room, _: Setting) -> Rows:
    """Two by two or three by three cells, in one color or several."""
    side = 2 if draws.chance(0.15) else 3
    colors = room.colors if draws.chance(0.4) else room.colors[:1]
    return sprinkled(draws, Room(side, side, colors), colors, draws.span(5, 12))


def square(draws: Draws, room: Room, setting: Setting) -> Rows:
    """As many rows as columns."""
    return anything(draws, room._replace(width=room.height), setting)


def stretched(draws: Draws, room: Room, _: Setting) -> Rows:
    """A small mosaic whose rows and columns are repeated unequally often."""
    high, wide = draws.span(1, min(4, room.height)), draws.span(1, min(4, room.width))
    small = sprinkled(draws, Room(high, wide, room.colors), room.colors, 16)
    tall = sorted([*range(high), *[draws.below(high) for _ in range(room.height - high)]])
    across = bytes(sorted([*range(wide), *[draws.below(wide) for _ in range(room.width - wide)]]))
    flat = b"".join([bytes([small[row][place] for place in across]) for row in tall])
    return cut(flat, room.width)


def _largest_digit(option: int) -> int:
    return max(divmod(option, 10))


def _twice(_: int) -> int:
    return 2


def _thrice(_: int) -> int:
    return 3


TILINGS = (12, 21, 22, 13, 31, 33, 23, 32)
RULES = (
    Rule("turn", turn, anything, Trait.COUNTS, tuple(range(1, 8))),
    Rule("roll", roll, anything, Trait.SAME | Trait.COUNTS, STEPS),
    Rule("shift", shift, anything, Trait.SAME, STEPS),
    Rule("mirror-beside", mirror_beside, anything, Trait.LARGER, DIRECTIONS, grow=_twice, least=2),
    Rule("mirror-four", mirror_four, anything, Trait.LARGER, (0, 1, 2, 3), grow=_twice, least=2),
    Rule("turn-four", turn_four, square, Trait.LARGER, (0, 1), grow=_twice, least=2),
    Rule("tile", tile, anything, Trait.LARGER, TILINGS, grow=_largest_digit, least=2),
    Rule("tile-flipped", tile_flipped, anything, Trait.LARGER, (2, 4, 5), grow=_thrice, least=2),
    Rule("stack-flipped", stack_flipped, anything, Trait.LARGER, (0, 1), grow=_thrice, least=2),
    Rule("enlarge", enlarge, anything, Trait.LARGER, TILINGS, grow=_largest_digit, least=2),
    Rule("shrink", shrink, shrinkable, Trait.SMALLER, (2, 3), least=4),
    Rule("fractal", fractal, small_square, Trait.LARGER, (0, 1), grow=_thrice, least=2),
    Rule("crop-content", crop_content, mixed(one_blob, one_blob, sparse), Trait.SMALLER),
    Rule("keep-part", keep_part, mixed(mosaic, noise, noise), Trait.SMALLER, tuple(range(1, 9)), least=4),
    Rule("peel", peel, mixed(mosaic, noise, noise), Trait.SMALLER),
    Rule("frame-grid", frame_grid, anything, Trait.LARGER, paints=1),
    Rule("condense", condense, stretched, Trait.SMALLER),
    Rule("squeeze", squeeze, mixed(sparse, blobs), Trait.SMALLER),
)
