"""Rules that compare, join and choose parts of a grid: halves, thirds, quarters, blocks."""

from __future__ import annotations

from collections.abc import Callable

from arc_solver.corpus.synthetic.bitboards import everywhere, frame_of, ink, painted
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, beside, blank, cut, overlaid, transposed
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import sprinkled

LAYOUTS = (0, 1, 2, 3)
"""Side by side or (from 2) above each other, without or (odd) with a line between."""


def halves(rows: Rows, layout: int) -> tuple[Rows, Rows] | None:
    """The two halves; None if the grid does not divide so, or lacks the line of one color between."""
    lines = transposed(rows) if layout < 2 else rows
    num = len(lines)
    middle = num // 2
    if num % 2 != layout % 2 or not middle:
        return None
    if layout % 2:
        line = lines[middle]
        if not line[0] or line.count(line[0]) != len(line):
            return None
    first, second = lines[:middle], lines[num - middle :]
    return (transposed(first), transposed(second)) if layout < 2 else (first, second)


def _logic(about: str, join: Callable[[int, int], int]) -> Callable[[Rows, Setting], Rows | None]:
    """A rule that paints the cells that `join` makes of the ink of both halves."""

    def change(rows: Rows, setting: Setting) -> Rows | None:
        parts = halves(rows, setting[0])
        if parts is None:
            return None
        frame = frame_of(parts[0])
        board = join(ink(parts[0]), ink(parts[1])) & everywhere(frame)
        return painted(blank(*frame), board, setting[1])

    change.__doc__ = about
    return change


both = _logic("Cells that have ink in both halves get the task's color.", lambda a, b: a & b)
either = _logic("Cells that have ink in at least one half get the task's color.", lambda a, b: a | b)
one_alone = _logic("Cells that have ink in just one half get the task's color.", lambda a, b: a ^ b)
neither = _logic("Cells that have ink in no half get the task's color.", lambda a, b: ~(a | b))
first_alone = _logic("Cells that have ink in the first half alone get the task's color.", lambda a, b: a & ~b)
not_both = _logic("Cells that lack ink in one half or both get the task's color.", lambda a, b: ~(a & b))


def overlay(rows: Rows, setting: Setting) -> Rows | None:
    """Lay one half over the other; the option says which."""
    layout, second_above = divmod(setting[0], 2)
    parts = halves(rows, layout)
    if parts is None:
        return None
    return overlaid(parts[1], parts[0]) if second_above else overlaid(*parts)


def fuller_half(rows: Rows, setting: Setting) -> Rows | None:
    """Keep the half with more ink, or the one with less."""
    layout, lesser = divmod(setting[0], 2)
    parts = halves(rows, layout)
    if parts is None:
        return None
    first, second = (ink(part).bit_count() for part in parts)
    return None if first == second else parts[int((first < second) != bool(lesser))]


def odd_third(rows: Rows, _: Setting) -> Rows | None:
    """Keep the one of three parts, side by side or stacked, that differs from the other two."""
    for lines, back in ((rows, False), (transposed(rows), True)):
        size = len(lines) // 3
        if len(lines) % 3 or not size:
            continue
        parts = [lines[:size], lines[size : 2 * size], lines[2 * size :]]
        odd = [part for part in parts if parts.count(part) == 1]
        if len(odd) == 1:
            return transposed(odd[0]) if back else odd[0]
    return None


def overlay_quarters(rows: Rows, setting: Setting) -> Rows | None:
    """Lay the four quarters over each other in reading order, or in reverse."""
    if len(rows) % 2 or len(rows[0]) % 2:
        return None
    high, wide = len(rows) // 2, len(rows[0]) // 2
    quarters = [tuple(row[x : x + wide] for row in rows[y : y + high]) for y in (0, high) for x in (0, wide)]
    if setting[0]:
        quarters.reverse()
    found = quarters[0]
    for quarter in quarters[1:]:
        found = overlaid(found, quarter)
    return found


def shrink_blocks(rows: Rows, setting: Setting) -> Rows | None:
    """Every block of two by two or three by three becomes one cell in the color of its ink."""
    size = setting[0]
    if len(rows) % size or len(rows[0]) % size or len(rows) == size:
        return None
    cells = []
    for y in range(0, len(rows), size):
        for x in range(0, len(rows[0]), size):
            colors = set(b"".join([row[x : x + size] for row in rows[y : y + size]])) - {0}
            if len(colors) > 1:
                return None
            cells.append(colors.pop() if colors else 0)
    return cut(bytes(cells), len(rows[0]) // size)


def join_halves(rows: Rows, setting: Setting) -> Rows | None:
    """Add the ink of the second half to the first; clear the second half and the line."""
    parts = halves(rows, setting[0])
    if parts is None:
        return None
    merged = overlaid(*parts)
    rest = len(rows[0]) - len(merged[0]) if setting[0] < 2 else len(rows) - len(merged)
    if setting[0] < 2:
        return beside(merged, blank(len(rows), rest))
    return merged + blank(rest, len(rows[0]))


def copy_half(rows: Rows, setting: Setting) -> Rows | None:
    """Copy the half with ink into the black one."""
    parts = halves(rows, setting[0])
    if parts is None or any(any(row) for row in parts[1]) or not any(any(row) for row in parts[0]):
        return None
    lines = transposed(rows) if setting[0] < 2 else rows
    middle = len(lines) // 2
    copied = lines[:middle] + lines[middle : len(lines) - middle] + lines[:middle]
    return transposed(copied) if setting[0] < 2 else copied


def two_panels(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Noise in two panels, each of its own color, with the line that the option asks for."""
    return _paneled(draws, room, setting[0], dense=draws.span(5, 11))


def two_panels_of(draws: Draws, room: Room, setting: Setting) -> Rows:
    """The same for options that hold a second choice."""
    return _paneled(draws, room, setting[0] // 2, dense=draws.span(4, 10))


def half_empty(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Noise in the first panel alone."""
    return _paneled(draws, room, setting[0], dense=draws.span(4, 10), second=0)


def _paneled(draws: Draws, room: Room, layout: int, dense: int, second: int | None = None) -> Rows:
    high, wide = (room.width, room.height) if layout < 2 else (room.height, room.width)
    high = max(1, (high - layout % 2) // 2)
    one, other, line = draws.some(ALL_COLORS, 3)
    if room.colors[0] not in (one, other, line):
        one = room.colors[0]
    part = Room(high, wide, ())
    first = sprinkled(draws, part, (one,), dense)
    rest = sprinkled(draws, part, (other,), dense if second is None else second)
    rows = first + (bytes([line]) * wide,) * (layout % 2) + rest
    return transposed(rows) if layout < 2 else rows


def three_panels(draws: Draws, room: Room, _: Setting) -> Rows:
    """Two equal parts and a third one that is different."""
    part = Room(max(1, room.height // 3), min(room.width, 4), room.colors)
    same, odd = (sprinkled(draws, part, room.colors, 8) for _ in range(2))
    parts = [same, same]
    parts.insert(draws.below(3), odd)
    rows = parts[0] + parts[1] + parts[2]
    return transposed(rows) if draws.chance(0.5) else rows


def four_panels(draws: Draws, room: Room, _: Setting) -> Rows:
    """Noise in four quarters, each of its own color."""
    part = Room(max(1, room.height // 2), max(1, room.width // 2), ())
    a, b, c, d = (sprinkled(draws, part, (color,), 6) for color in draws.some(ALL_COLORS, 4))
    return beside(a, b) + beside(c, d)


def blocks(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Blocks with ink of one color each, or none."""
    size = setting[0]
    small = Room(max(1, room.height // size), max(1, room.width // size), room.colors)
    plan = sprinkled(draws, small, room.colors, 8)
    large = b"".join([b"".join([row[x : x + 1] * size for x in range(len(row))]) * size for row in plan])
    noise = draws.octets(len(large))
    flat = bytes([color if chance < 140 else 0 for color, chance in zip(large, noise, strict=True)])
    return cut(flat, small.width * size)


_PAIRS = tuple(range(8))
_SMALLER = Trait.SMALLER
RULES = (
    Rule("both", both, two_panels, _SMALLER, LAYOUTS, paints=1, pure=True, least=3),
    Rule("either", either, two_panels, _SMALLER, LAYOUTS, paints=1, pure=True, least=3),
    Rule("one-alone", one_alone, two_panels, _SMALLER, LAYOUTS, paints=1, pure=True, least=3),
    Rule("neither", neither, two_panels, _SMALLER, LAYOUTS, paints=1, pure=True, least=3),
    Rule("first-alone", first_alone, two_panels, _SMALLER, LAYOUTS, paints=1, pure=True, least=3),
    Rule("not-both", not_both, two_panels, _SMALLER, LAYOUTS, paints=1, pure=True, least=3),
    Rule("overlay", overlay, two_panels_of, _SMALLER, _PAIRS, least=3),
    Rule("fuller-half", fuller_half, two_panels_of, _SMALLER, _PAIRS, least=3),
    Rule("odd-third", odd_third, three_panels, _SMALLER, least=3),
    Rule("overlay-quarters", overlay_quarters, four_panels, _SMALLER, (0, 1), least=4),
    Rule("shrink-blocks", shrink_blocks, blocks, _SMALLER, (2, 3), least=6),
    Rule("join-halves", join_halves, two_panels, Trait.SAME, LAYOUTS, least=4),
    Rule("copy-half", copy_half, half_empty, Trait.SAME | Trait.ADDS, LAYOUTS, least=4),
)
