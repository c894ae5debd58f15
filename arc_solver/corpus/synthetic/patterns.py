"""Rules that continue and repair regular patterns."""

from __future__ import annotations

from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, away, blank, cut, towards
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import sprinkled

_PERIODS = tuple((down, total - down) for total in range(2, 9) for down in range(1, total))


def go_on(rows: Rows, setting: Setting) -> Rows | None:
    """The block of ink at one side is repeated to the other side."""
    ahead = towards(rows, setting[0])
    wide = len(ahead[0])
    length = max(len(row.rstrip(b"\0")) for row in ahead)
    if not 0 < length < wide:
        return None
    return away(tuple([(row[:length] * (wide // length + 1))[:wide] for row in ahead]), setting[0])


def go_on_each(rows: Rows, setting: Setting) -> Rows:
    """Every row, or column, repeats the ink it starts with to the other side."""
    ahead = towards(rows, setting[0])
    wide = len(ahead[0])
    found = []
    for row in ahead:
        start = row.rstrip(b"\0")
        found.append((start * (wide // len(start) + 1))[:wide] if start else row)
    return away(tuple(found), setting[0])


def go_back(rows: Rows, setting: Setting) -> Rows | None:
    """The block of ink at one side appears mirrored at the other side."""
    ahead = towards(rows, setting[0])
    wide = len(ahead[0])
    length = max(len(row.rstrip(b"\0")) for row in ahead)
    if not 0 < 2 * length <= wide:
        return None
    return away(tuple([row[: wide - length] + row[:length][::-1] for row in ahead]), setting[0])


def go_on_diagonally(rows: Rows, setting: Setting) -> Rows | None:
    """Every cell gets the color of its diagonal, whose colors repeat; the option is their number."""
    size = setting[0]
    known: dict[int, int] = {}
    for number, row in enumerate(rows):
        for place, color in enumerate(row):
            if color and known.setdefault((number + place) % size, color) != color:
                return None
    if len(known) != size:
        return None
    cycle = bytes([known[at] for at in range(size)]) * (len(rows[0]) // size + 2)
    return tuple([cycle[number % size :][: len(rows[0])] for number in range(len(rows))])


def mend_tiling(rows: Rows, _: Setting) -> Rows | None:
    """Black cells of a repeating pattern get the color that the pattern requires."""
    high, wide = len(rows), len(rows[0])
    for down, across in _PERIODS:
        if down > high // 2 + 1 or across > wide // 2 + 1:
            continue
        known: dict[tuple[int, int], int] = {}
        fits = all(
            known.setdefault((y % down, x % across), color) == color
            for y, row in enumerate(rows)
            for x, color in enumerate(row)
            if color
        )
        if fits and len(known) == down * across:
            return tuple([bytes([known[y % down, x % across] for x in range(wide)]) for y in range(high)])
    return None


def bounce(rows: Rows, _: Setting) -> Rows | None:
    """A dot in the bottom row runs upward along diagonals and bounces off the sides."""
    row = rows[-1]
    place = len(row) - len(row.lstrip(b"\0"))
    if any(any(other) for other in rows[:-1]) or row.count(0) != len(row) - 1 or len(row) < 2 or place:
        return None
    found, at, way = [], 0, 1
    for _number in rows:
        found.append(bytes(at) + row[:1] + bytes(len(row) - at - 1))
        if not 0 <= at + way < len(row):
            way = -way
        at += way
    return tuple(found[::-1])


def block_at_side(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Noise in some columns at the side that the option names, the rest black."""
    high, wide = (room.height, room.width) if setting[0] < 2 else (room.width, room.height)
    length = draws.span(1, max(1, min(4, wide // 2)))
    dense = sprinkled(draws, room._replace(height=high, width=length), room.colors, draws.span(8, 16))
    return away(tuple([row + bytes(wide - length) for row in dense]), setting[0])


def starts_at_side(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Rows, or columns, of which most start with a few cells of several colors."""
    high, wide = (room.height, room.width) if setting[0] < 2 else (room.width, room.height)
    found = []
    for _ in range(high):
        length = draws.span(1, max(1, min(3, wide // 2))) if draws.chance(0.7) else 0
        found.append(bytes([draws.pick(ALL_COLORS) for _ in range(length)]) + bytes(wide - length))
    return away(tuple(found), setting[0])


def diagonal_seeds(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Some cells of a pattern of diagonals, in a corner or anywhere."""
    size = setting[0]
    cycle = bytes(draws.some(ALL_COLORS, size)) * (room.width + room.height)
    rows = tuple([cycle[number:][: room.width] for number in range(room.height)])
    if draws.chance(0.5):
        limit = draws.span(size, max(size, min(room.height, room.width)))
        return tuple([row[: max(0, limit - n)].ljust(room.width, b"\0") for n, row in enumerate(rows)])
    chances = draws.octets(room.width * room.height)
    flat = b"".join(rows)
    return cut(bytes([c if chance < 90 else 0 for c, chance in zip(flat, chances, strict=True)]), room.width)


def holed_tiling(draws: Draws, room: Room, _: Setting) -> Rows:
    """A small block repeated over the grid, with one or two black rectangles in it."""
    down, across = draws.span(1, 3), draws.span(1, 3)
    part = sprinkled(draws, Room(down, across, ()), tuple(draws.some(ALL_COLORS, draws.span(2, 4))), 16)
    rows = [(row * room.width)[: room.width] for row in part * room.height][: room.height]
    return holed(draws, tuple(rows), draws.span(1, 2))


def holed(draws: Draws, rows: Rows, num: int, color: int = 0) -> Rows:
    """The grid with `num` rectangles of one color laid over it."""
    found = list(rows)
    wide = len(rows[0])
    for _ in range(num):
        high, length = draws.span(1, min(4, len(rows) - 1)), draws.span(1, min(4, wide - 1))
        top, left = draws.below(len(rows) - high + 1), draws.below(wide - length + 1)
        for at in range(top, top + high):
            found[at] = found[at][:left] + bytes([color]) * length + found[at][left + length :]
    return tuple(found)


def corner_dot(draws: Draws, room: Room, _: Setting) -> Rows:
    """One dot at the lower left, in a grid of few columns."""
    wide = min(room.width, draws.span(2, 5))
    return (*blank(room.height - 1, wide), bytes([draws.pick(room.colors)]) + bytes(wide - 1))


_ADDS = Trait.SAME | Trait.ADDS
RULES = (
    Rule("go-on", go_on, block_at_side, _ADDS, range(4), least=4),
    Rule("go-on-each", go_on_each, starts_at_side, _ADDS, range(4), least=4),
    Rule("go-back", go_back, block_at_side, _ADDS, range(4), least=4),
    Rule("go-on-diagonally", go_on_diagonally, diagonal_seeds, _ADDS, (2, 3, 4), least=4),
    Rule("mend-tiling", mend_tiling, holed_tiling, _ADDS, least=5),
    Rule("bounce", bounce, corner_dot, _ADDS, least=4),
)
