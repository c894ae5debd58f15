"""Rules that pick, cut out and move single objects: connected cells of one color, corners counted."""

from __future__ import annotations

from functools import lru_cache

from arc_solver.corpus.synthetic.bitboards import (
    Frame,
    around,
    border,
    box,
    boxed,
    cell,
    frame_of,
    ink,
    inner,
    painted,
    pieces,
    repainted,
    where,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import (
    FLIP,
    MIRROR,
    TURN_BACK,
    Rows,
    blank,
    colors_of,
    crop,
    laid,
    turned,
)
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    apart,
    blob,
    blobs,
    dot,
    drawn,
    mixed,
    rectangle,
    rectangles,
    ring,
    some_blobs,
    with_colors,
)

Thing = tuple[int, int]
"""A color and a board."""


@lru_cache(maxsize=128)  # many rules in a row ask about one grid
def things_of(rows: Rows) -> tuple[Thing, ...]:
    """All objects of a grid, by color."""
    step = frame_of(rows).step
    return tuple(
        [(color, board) for color in colors_of(rows) for board in pieces(where(rows, color), step, True)]
    )


def extreme(rows: Rows, smallest: int) -> Thing | None:
    """The largest or smallest of at least two objects; None where there is a tie."""
    sized = sorted((board.bit_count(), color, board) for color, board in things_of(rows))
    if smallest:
        sized = sized[::-1]
    if len(sized) < 2 or sized[-1][0] == sized[-2][0]:
        return None
    return sized[-1][1:]


def _without(rows: Rows, board: int) -> Rows:
    return painted(rows, board, 0)


def crop_extreme(rows: Rows, setting: Setting) -> Rows | None:
    """Cut out the largest, or the smallest, object."""
    thing = extreme(rows, setting[0])
    return crop(rows, box(thing[1], frame_of(rows))) if thing else None


def keep_extreme(rows: Rows, setting: Setting) -> Rows | None:
    """Clear all objects but the largest, or the smallest."""
    thing = extreme(rows, setting[0])
    return painted(blank(*frame_of(rows)), thing[1], thing[0]) if thing else None


def erase_extreme(rows: Rows, setting: Setting) -> Rows | None:
    """Clear the largest, or the smallest, object."""
    thing = extreme(rows, setting[0])
    return _without(rows, thing[1]) if thing else None


def denoise(rows: Rows, _: Setting) -> Rows:
    """Clear single cells."""
    noise = 0
    for _color, board in things_of(rows):
        if board.bit_count() == 1:
            noise |= board
    return _without(rows, noise)


def turn_things(rows: Rows, setting: Setting) -> Rows | None:
    """Mirror every object in its place, unless one would then cover another."""
    frame = frame_of(rows)
    found = nothing = blank(*frame)
    for color, board in things_of(rows):
        spot = box(board, frame)
        alone = crop(painted(nothing, board, color), spot)
        found = laid(found, turned(alone, setting[0]), spot[0], spot[1])
    return found if ink(found).bit_count() == ink(rows).bit_count() else None


def crop_odd(rows: Rows, _: Setting) -> Rows | None:
    """Cut out the one object whose color no other object has."""
    things = things_of(rows)
    colors = [color for color, _ in things]
    odd = [(color, board) for color, board in things if colors.count(color) == 1]
    if len(odd) != 1 or len(things) < 3:
        return None
    return crop(rows, box(odd[0][1], frame_of(rows)))


def crop_color(rows: Rows, setting: Setting) -> Rows | None:
    """Cut out the smallest rectangle that holds all cells of one color."""
    board = where(rows, setting[1])
    return crop(rows, box(board, frame_of(rows))) if board else None


def crop_inside(rows: Rows, _: Setting) -> Rows | None:
    """Cut out what the only hollow rectangle encloses."""
    frame = frame_of(rows)
    rings = [b for _, b in things_of(rows) if b == boxed(b, frame) & ~inner(boxed(b, frame), frame)]
    rings = [b for b in rings if b != boxed(b, frame)]
    if len(rings) != 1:
        return None
    top, left, bottom, right = box(rings[0], frame)
    return crop(rows, (top + 1, left + 1, bottom - 1, right - 1))


def stamp(rows: Rows, setting: Setting) -> Rows | None:
    """The only object of several cells is drawn around every single cell of one color."""
    frame = frame_of(rows)
    things = things_of(rows)
    large = [(color, board) for color, board in things if board.bit_count() > 1]
    marks = [board for color, board in things if color == setting[1] and board.bit_count() == 1]
    if len(large) != 1 or not marks:
        return None
    color, board = large[0]
    top, left, bottom, right = box(board, frame)
    if bottom - top != 2 or right - left != 2:
        return None
    middle, parts = cell(frame, top + 1, left + 1), []
    for mark in marks:
        if mark & border(frame):
            return None
        away = mark.bit_length() - middle.bit_length()
        parts.append((board << away if away > 0 else board >> -away, color))
    return repainted(rows, parts)


def odd_colored(draws: Draws, room: Room, _: Setting) -> Rows:
    """Objects of one color and one of another."""
    first, second = draws.some(ALL_COLORS, 2)
    boards = apart(draws, Frame(room.height, room.width), draws.span(3, 5), blob)
    rows = drawn(draws, room._replace(colors=(first,)), boards)
    return painted(rows, boards[-1], second)


def one_ring(draws: Draws, room: Room, _: Setting) -> Rows:
    """A hollow rectangle with some cells inside and some outside."""
    frame = Frame(room.height, room.width)
    wall = ring(draws, frame)
    rows = drawn(draws, room, apart(draws, frame, draws.span(2, 6), dot))
    free = [color for color in ALL_COLORS if color not in room.colors]
    return painted(rows, wall, draws.pick(free))


def pattern_and_marks(draws: Draws, room: Room, setting: Setting) -> Rows:
    """An object of three by three cells and single cells of the color that the rule reads."""
    frame = Frame(room.height, room.width)
    mark, color = setting[1], draws.pick([c for c in ALL_COLORS if c != setting[1]])

    large, marks = blob(draws, frame, 3, 3), 0
    for board in apart(draws, frame, 3, dot):
        marks |= board
    core = boxed(large, frame)
    return repainted(blank(*frame), ((marks & ~core & ~around(core, frame), mark), (large, color)))


def with_noise(draws: Draws, room: Room, _: Setting) -> Rows:
    """Objects and single cells."""
    frame = Frame(room.height, room.width)

    def either(source: Draws, whole: Frame) -> int:
        return dot(source, whole) if source.chance(0.5) else rectangle(source, whole, 2, 4)

    return drawn(draws, room, apart(draws, frame, draws.span(3, 7), either))


_SAME, _CLEARS = Trait.SAME, Trait.SAME | Trait.CLEARS
_SIZES = (0, 1)
_objects = mixed(some_blobs, some_blobs, rectangles)
RULES = (
    Rule("crop-extreme", crop_extreme, _objects, Trait.SMALLER, _SIZES, least=5),
    Rule("keep-extreme", keep_extreme, _objects, _CLEARS, _SIZES, least=5),
    Rule("erase-extreme", erase_extreme, _objects, _CLEARS, _SIZES, least=5),
    Rule("denoise", denoise, with_noise, _CLEARS, least=5),
    Rule(
        "turn-things",
        turn_things,
        mixed(blobs, some_blobs),
        _SAME | Trait.COUNTS,
        (TURN_BACK, MIRROR, FLIP),
        least=5,
    ),
    Rule("crop-odd", crop_odd, odd_colored, Trait.SMALLER, least=6),
    Rule("crop-color", crop_color, with_colors(_objects, 1, 1), Trait.SMALLER, reads=1, least=4),
    Rule("crop-inside", crop_inside, one_ring, Trait.SMALLER, least=6),
    Rule("stamp", stamp, pattern_and_marks, _SAME, reads=1, least=7),
)
