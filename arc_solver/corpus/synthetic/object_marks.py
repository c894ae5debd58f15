"""Rules that color objects, their boxes, insides and outlines by what the objects are like."""

from __future__ import annotations

from collections.abc import Callable

from arc_solver.corpus.synthetic.bitboards import (
    Frame,
    around,
    border,
    box,
    boxed,
    everywhere,
    frame_of,
    inner,
    outside,
    painted,
    repainted,
    where,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.objects import extreme, things_of
from arc_solver.corpus.synthetic.rows import Rows, color_table, recolored, transposed
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    apart,
    bar,
    bars,
    blob,
    blobs,
    chunk,
    chunks,
    dot,
    drawn,
    mixed,
    rectangle,
    rectangles,
    ring,
    some_blobs,
)


def dye_extreme(rows: Rows, setting: Setting) -> Rows | None:
    """Give the largest, or the smallest, object the task's color."""
    thing = extreme(rows, setting[0])
    return painted(rows, thing[1], setting[1]) if thing else None


def dye_ranks(rows: Rows, setting: Setting) -> Rows | None:
    """One color for the largest objects, one for the smallest, one for those between."""
    boards = [board for _, board in things_of(rows)]
    sizes = [board.bit_count() for board in boards]
    if not boards or min(sizes) == max(sizes):
        return None
    places = dict.fromkeys(sizes, 3) | {min(sizes): 2, max(sizes): 1}
    return repainted(rows, [(b, setting[places[size]]) for b, size in zip(boards, sizes, strict=True)])


def dye_sizes(rows: Rows, setting: Setting) -> Rows | None:
    """Objects of one to three cells get a color by their number of cells; larger ones stay."""
    sized = [(board, board.bit_count()) for _, board in things_of(rows)]
    return repainted(rows, [(board, setting[size]) for board, size in sized if size <= 3])


def _dyed_where(about: str, test: Callable[[int, Frame], bool]) -> Callable[[Rows, Setting], Rows]:
    """A rule that gives objects one color or another; the other may be missing, and they then stay."""

    def change(rows: Rows, setting: Setting) -> Rows:
        frame, passed, others = frame_of(rows), 0, 0
        for _, board in things_of(rows):
            if test(board, frame):
                passed |= board
            else:
                others |= board
        return repainted(rows, zip((passed, others), setting[1:], strict=False))

    change.__doc__ = f"Objects {about} get one color of the task, others its second one, or stay."
    return change


def _is_tall(board: int, frame: Frame) -> bool:
    top, left, bottom, right = box(board, frame)
    return bottom - top > right - left


dye_full = _dyed_where("that are filled rectangles", lambda board, frame: board == boxed(board, frame))
dye_closed = _dyed_where(
    "that enclose black cells", lambda board, frame: outside(board, frame) | board != everywhere(frame)
)
dye_at_edge = _dyed_where("on the edge of the grid", lambda board, frame: bool(board & border(frame)))
dye_tall = _dyed_where("higher than wide", _is_tall)
dye_even = _dyed_where("of an even number of cells", lambda board, _: board.bit_count() % 2 == 0)


def fill_boxes(rows: Rows, setting: Setting) -> Rows:
    """Black cells in the bounding box of an object get the task's color."""
    frame, board = frame_of(rows), 0
    for _, each in things_of(rows):
        board |= boxed(each, frame)
    return painted(rows, board & where(rows, 0), setting[1])


def outline_boxes(rows: Rows, setting: Setting) -> Rows:
    """Black cells around the bounding box of an object get the task's color."""
    frame, board = frame_of(rows), 0
    for _, each in things_of(rows):
        board |= around(boxed(each, frame), frame)
    return painted(rows, board & where(rows, 0), setting[1])


def hollow(rows: Rows, _: Setting) -> Rows:
    """Clear the inside of objects."""
    frame, board = frame_of(rows), 0
    for _color, each in things_of(rows):
        board |= inner(each, frame)
    return painted(rows, board, 0)


def dye_core(rows: Rows, setting: Setting) -> Rows:
    """The inside of objects, or else their outline, gets the task's color."""
    frame, board = frame_of(rows), 0
    for _, each in things_of(rows):
        core = inner(each, frame)
        board |= each & ~core if setting[0] else core
    return painted(rows, board, setting[1])


def dye_key(rows: Rows, _: Setting) -> Rows | None:
    """All ink gets the color of the first cell."""
    key = rows[0][0]
    return recolored(rows, color_table((), key)) if key else None


def dye_header(rows: Rows, setting: Setting) -> Rows | None:
    """Ink gets the color of the first cell of its row, or of its column."""
    lines = rows if not setting[0] else transposed(rows)
    if not any(line[0] for line in lines):
        return None
    lines = tuple([line.translate(color_table((), line[0])) if line[0] else line for line in lines])
    return lines if not setting[0] else transposed(lines)


def _of_one_color(*makers: Callable[[Draws, Frame], int]) -> Callable[[Draws, Room, Setting], Rows]:
    """A scene of objects of several kinds in one color, mostly."""

    def scene(draws: Draws, room: Room, _: Setting) -> Rows:
        def piece(source: Draws, whole: Frame) -> int:
            return source.pick(makers)(source, whole)

        colors = room.colors[:1] if draws.chance(0.8) else room.colors
        boards = apart(draws, Frame(room.height, room.width), draws.span(2, 6), piece)
        return drawn(draws, room._replace(colors=colors), boards)

    return scene


def keyed(draws: Draws, room: Room, _: Setting) -> Rows:
    """Objects, and a color in the first cell."""
    frame = Frame(room.height, room.width)
    rows = drawn(draws, room, apart(draws, frame, draws.span(1, 4), blob))
    corner = around(1 << frame.num_bits - 8, frame)
    rows = painted(rows, corner, 0)
    return (bytes([draws.pick(ALL_COLORS)]) + rows[0][1:], *rows[1:])


def headed(draws: Draws, room: Room, setting: Setting) -> Rows:
    """A column of colors, or a row, and noise of one color."""
    high, wide = (room.width, room.height) if setting[0] else (room.height, room.width)
    ink = bytes([room.colors[0]])
    lines = tuple(
        bytes([draws.pick(ALL_COLORS) if draws.chance(0.8) else 0])
        + b"".join([ink if draws.chance(0.5) else b"\0" for _ in range(wide - 1)])
        for _ in range(high)
    )
    return lines if not setting[0] else transposed(lines)


_SAME, _ADDS, _DYES = Trait.SAME, Trait.SAME | Trait.ADDS, Trait.SAME | Trait.DYES
_any_objects = _of_one_color(blob, rectangle, ring, bar)
_sized = _of_one_color(dot, bar, blob)
RULES = (
    Rule("dye-extreme", dye_extreme, mixed(some_blobs, _any_objects), _DYES, (0, 1), paints=1, least=5),
    Rule("dye-ranks", dye_ranks, _of_one_color(blob, rectangle), _DYES, paints=3, least=6),
    Rule("dye-sizes", dye_sizes, _sized, _DYES, paints=3, least=5),
    Rule("dye-full", dye_full, _of_one_color(blob, rectangle), _DYES, paints=2, least=5),
    Rule("dye-closed", dye_closed, _of_one_color(blob, ring, ring), _DYES, paints=2, least=6),
    Rule("dye-closed-only", dye_closed, _of_one_color(blob, ring, ring), _DYES, paints=1, least=6),
    Rule("dye-at-edge", dye_at_edge, _any_objects, _DYES, paints=1, least=5),
    Rule("dye-tall", dye_tall, _of_one_color(bar, rectangle), _DYES, paints=2, least=5),
    Rule("dye-even", dye_even, _sized, _DYES, paints=2, least=5),
    Rule("fill-boxes", fill_boxes, mixed(blobs, some_blobs), _ADDS, paints=1, least=4),
    Rule("outline-boxes", outline_boxes, mixed(blobs, rectangles, bars), _ADDS, paints=1, least=5),
    Rule("hollow", hollow, chunks, Trait.SAME | Trait.CLEARS, least=5),
    Rule("dye-core", dye_core, mixed(chunks, _of_one_color(chunk)), _DYES, (0, 1), paints=1, least=5),
    Rule("dye-key", dye_key, keyed, _DYES, least=4),
    Rule("dye-header", dye_header, headed, _DYES, (0, 1), least=3),
)
