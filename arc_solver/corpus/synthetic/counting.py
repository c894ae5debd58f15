"""Rules whose output shows a count, a frequency or a size."""

from __future__ import annotations

from arc_solver.corpus.synthetic.bitboards import Frame, frame_of
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.objects import extreme, things_of
from arc_solver.corpus.synthetic.recolor import ranked, uneven
from arc_solver.corpus.synthetic.rows import Rows, colors_of, cut, enlarged, transposed
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    apart,
    blob,
    dot,
    drawn,
    mixed,
    rectangle,
    some_blobs,
    sprinkled,
    with_colors,
)

_MAX_LENGTH = 10


def tally(rows: Rows, setting: Setting) -> Rows | None:
    """Draw a line as long as the number of cells of one color."""
    num = b"".join(rows).count(setting[1])
    return _line(bytes([setting[1]]) * num, setting[0]) if 0 < num <= _MAX_LENGTH else None


def tally_things(rows: Rows, setting: Setting) -> Rows | None:
    """Draw a line of the task's color as long as the number of objects."""
    num = len(things_of(rows))
    return _line(bytes([setting[1]]) * num, setting[0]) if 0 < num <= _MAX_LENGTH else None


def square_of_things(rows: Rows, setting: Setting) -> Rows | None:
    """Draw a diagonal in a square whose side is the number of objects."""
    num = len(things_of(rows))
    if not 0 < num <= _MAX_LENGTH or (num, num) == frame_of(rows):
        return None
    flat = bytearray(num * num)
    flat[:: num + 1] = bytes([setting[1]]) * num
    return cut(bytes(flat), num)


def gauge(rows: Rows, _: Setting) -> Rows | None:
    """Fill as many of three by three cells, in reading order, as there are objects."""
    things = things_of(rows)
    colors = {color for color, _ in things}
    if len(colors) != 1 or len(things) > 9 or frame_of(rows) == (3, 3):
        return None
    flat = bytes([colors.pop()]) * len(things)
    return cut(flat.ljust(9, b"\0"), 3)


def list_colors(rows: Rows, setting: Setting) -> Rows | None:
    """List the colors from the commonest to the rarest, as a column or a row."""
    colors = ranked(rows)
    return _line(bytes(colors), setting[0]) if colors else None


def histogram(rows: Rows, setting: Setting) -> Rows | None:
    """Draw a bar for every color, as long as it has cells, the longest first."""
    colors = ranked(rows)
    if not colors:
        return None
    flat = b"".join(rows)
    counts = [flat.count(color) for color in colors]
    shape = (counts[0], len(colors)) if setting[0] else (len(colors), counts[0])
    if counts[0] > _MAX_LENGTH or shape == frame_of(rows):
        return None
    bars = tuple([bytes([c]) * n + bytes(counts[0] - n) for c, n in zip(colors, counts, strict=True)])
    return transposed(bars) if setting[0] else bars


def name_ranked(rows: Rows, setting: Setting) -> Rows | None:
    """One cell of the commonest, or the rarest, color."""
    colors = ranked(rows)
    return (bytes([colors[setting[0]]]),) if colors and len(colors) > 1 else None


def name_extreme(rows: Rows, setting: Setting) -> Rows | None:
    """One cell of the color of the largest, or smallest, object."""
    thing = extreme(rows, setting[0])
    return (bytes([thing[0]]),) if thing else None


def enlarge_by_colors(rows: Rows, _: Setting) -> Rows | None:
    """Every cell becomes a square whose side is the number of colors."""
    num = len(colors_of(rows))
    return enlarged(rows, num, num) if 1 < num < 5 and num * max(frame_of(rows)) <= 30 else None


def enlarge_by_ink(rows: Rows, _: Setting) -> Rows | None:
    """Every cell becomes a square whose side is the number of cells with ink."""
    num = sum(len(row) - row.count(0) for row in rows)
    return enlarged(rows, num, num) if 1 < num < 6 and num * max(frame_of(rows)) <= 30 else None


def tile_by_colors(rows: Rows, _: Setting) -> Rows | None:
    """The grid is repeated both ways as often as it has colors."""
    num = len(colors_of(rows))
    return (
        tuple([row * num for row in rows]) * num if 1 < num < 5 and num * max(frame_of(rows)) <= 30 else None
    )


def _line(cells: bytes, upright: int) -> Rows:
    return tuple([cells[at : at + 1] for at in range(len(cells))]) if upright else (cells,)


def few_cells(draws: Draws, room: Room, _: Setting) -> Rows:
    """Up to seven cells that do not touch, of the room's colors."""
    return drawn(draws, room, apart(draws, Frame(room.height, room.width), draws.span(1, 7), dot))


def things_of_one_color(draws: Draws, room: Room, _: Setting) -> Rows:
    """Up to six small objects of one color."""
    frame = Frame(room.height, room.width)
    piece = draws.pick((dot, lambda d, f: rectangle(d, f, 1, 2), lambda d, f: blob(d, f, 1, 3)))
    return drawn(draws, room._replace(colors=room.colors[:1]), apart(draws, frame, draws.span(1, 6), piece))


def uneven_few(draws: Draws, room: Room, _: Setting) -> Rows:
    """Few cells in colors that are not equally common."""
    colors = draws.some(ALL_COLORS, draws.span(2, 4))
    flat = bytearray(room.height * room.width)
    places = draws.some(range(len(flat)), len(flat))
    for rank, color in enumerate(colors, 1):
        for _place in range(draws.span(rank, 2 * rank)):
            if places:
                flat[places.pop()] = color
    return cut(bytes(flat), room.width)


def tiny(draws: Draws, room: Room, _: Setting) -> Rows:
    """Two or three cells a side in two or three colors."""
    side = draws.span(2, 3)
    colors = tuple(draws.some(ALL_COLORS, draws.span(2, 3)))
    return sprinkled(draws, Room(side, side, colors), colors, draws.pick((8, 16)))


_SMALLER, _LARGER = Trait.SMALLER, Trait.LARGER
_WAYS = (0, 1)
RULES = (
    Rule("tally", tally, with_colors(few_cells, 1, 1), Trait.LINE, _WAYS, reads=1, least=4),
    Rule(
        "tally-things",
        tally_things,
        mixed(things_of_one_color, some_blobs),
        Trait.LINE,
        _WAYS,
        paints=1,
        pure=True,
        least=4,
    ),
    Rule(
        "square-of-things", square_of_things, things_of_one_color, Trait.OTHER, paints=1, pure=True, least=5
    ),
    Rule("gauge", gauge, things_of_one_color, Trait.OTHER, least=4),
    Rule("list-colors", list_colors, uneven, Trait.LINE, _WAYS, least=3),
    Rule("histogram", histogram, uneven_few, Trait.OTHER, _WAYS, least=4),
    Rule("name-ranked", name_ranked, uneven, _SMALLER | Trait.LINE, (0, -1), least=3),
    Rule("name-extreme", name_extreme, some_blobs, _SMALLER | Trait.LINE, _WAYS, least=5),
    Rule("enlarge-by-colors", enlarge_by_colors, tiny, _LARGER, least=2, grow=lambda _: 3),
    Rule("enlarge-by-ink", enlarge_by_ink, tiny, _LARGER, least=2, grow=lambda _: 3),
    Rule("tile-by-colors", tile_by_colors, tiny, _LARGER, least=2, grow=lambda _: 3),
)
