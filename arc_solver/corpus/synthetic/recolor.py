"""Rules that change colors and leave cells where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, color_table, colors_of, recolored
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Example, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import anything, blobs, mixed, mosaic, noise, sprinkled, with_colors


def replace(rows: Rows, setting: Setting) -> Rows:
    """Replace one color by another."""
    return recolored(rows, color_table(((setting[1], setting[2]),)))


def swap(rows: Rows, setting: Setting) -> Rows | None:
    """Exchange two colors that both occur."""
    flat = b"".join(rows)
    if setting[1] not in flat or setting[2] not in flat:
        return None
    return recolored(rows, color_table(((setting[1], setting[2]), (setting[2], setting[1]))))


def translate(rows: Rows, setting: Setting) -> Rows:
    """Replace every color by its partner in a table of the task."""
    return recolored(rows, color_table(tuple(enumerate(setting))))


def whitewash(rows: Rows, setting: Setting) -> Rows:
    """Give everything one color."""
    return recolored(rows, color_table((), setting[1]))


def keep_color(rows: Rows, setting: Setting) -> Rows:
    """Clear all colors but one."""
    return recolored(rows, color_table(((setting[1], setting[1]),), 0))


def erase_color(rows: Rows, setting: Setting) -> Rows:
    """Clear one color."""
    return recolored(rows, color_table(((setting[1], 0),)))


def negative(rows: Rows, _: Setting) -> Rows | None:
    """Exchange black and the only other color."""
    colors = colors_of(rows)
    return recolored(rows, color_table(((0, colors[0]), (colors[0], 0)))) if len(colors) == 1 else None


def two_color_swap(rows: Rows, _: Setting) -> Rows | None:
    """Exchange the two colors of the grid, whichever they are."""
    colors = colors_of(rows)
    return swap(rows, (0, *colors)) if len(colors) == 2 else None


def fill_black(rows: Rows, setting: Setting) -> Rows:
    """Give black cells a color."""
    return recolored(rows, color_table(((0, setting[1]),)))


def ranked(rows: Rows) -> list[int] | None:
    """The colors from the commonest to the rarest; None where two are equally common."""
    flat = b"".join(rows)
    counts = sorted([(flat.count(color), color) for color in colors_of(rows)], reverse=True)
    if any(a[0] == b[0] for a, b in pairwise(counts)):
        return None
    return [color for _, color in counts]


def flood_ranked(rows: Rows, setting: Setting) -> Rows | None:
    """Fill the grid with its commonest or rarest color."""
    colors = ranked(rows)
    if not colors or len(colors) < 2:
        return None
    return (bytes([colors[setting[0]]]) * len(rows[0]),) * len(rows)


def keep_ranked(rows: Rows, setting: Setting) -> Rows | None:
    """Keep only the commonest or the rarest color."""
    colors = ranked(rows)
    return keep_color(rows, (0, colors[setting[0]])) if colors and len(colors) > 1 else None


def erase_ranked(rows: Rows, setting: Setting) -> Rows | None:
    """Clear the commonest or the rarest color."""
    colors = ranked(rows)
    return erase_color(rows, (0, colors[setting[0]])) if colors and len(colors) > 1 else None


def mark_ranked(rows: Rows, setting: Setting) -> Rows | None:
    """Give the commonest or the rarest color another one."""
    colors = ranked(rows)
    return replace(rows, (0, colors[setting[0]], setting[1])) if colors and len(colors) > 1 else None


def wash_ranked(rows: Rows, setting: Setting) -> Rows | None:
    """Give everything the commonest or the rarest color."""
    colors = ranked(rows)
    return whitewash(rows, (0, colors[setting[0]])) if colors and len(colors) > 1 else None


def _stripes(rows: Rows, option: int, table: bytes) -> Rows:
    """Cells of every second column, row or diagonal through a table."""
    start, kind = option & 1, option >> 1
    if kind == 1:
        return tuple(
            [row if number % 2 != start else row.translate(table) for number, row in enumerate(rows)]
        )
    found = []
    for number, row in enumerate(rows):
        first = start if kind == 0 else (start + number) % 2
        cells = bytearray(row)
        cells[first::2] = row[first::2].translate(table)
        found.append(bytes(cells))
    return tuple(found)


def dye_stripes(rows: Rows, setting: Setting) -> Rows:
    """Give ink in every second row, column or diagonal another color."""
    return _stripes(rows, setting[0], color_table((), setting[1]))


def fill_stripes(rows: Rows, setting: Setting) -> Rows:
    """Give black cells in every second row, column or diagonal a color."""
    return _stripes(rows, setting[0], color_table(((0, setting[1]),)))


def clear_stripes(rows: Rows, setting: Setting) -> Rows:
    """Clear every second row, column or diagonal."""
    return _stripes(rows, setting[0], color_table((), 0))


def uniform_rows(rows: Rows, setting: Setting) -> Rows:
    """Paint the rows that have a single color, and clear the others."""
    full, empty = bytes([setting[1]]) * len(rows[0]), bytes(len(rows[0]))
    return tuple([full if row[0] and row.count(row[0]) == len(row) else empty for row in rows])


def random_table(draws: Draws) -> Setting:
    """A table that permutes three to six colors in a cycle, or changes at least two of them."""
    num = draws.span(3, 6)
    colors = draws.some(ALL_COLORS, num)
    partners = [*colors[1:], colors[0]] if draws.chance(0.5) else draws.some(ALL_COLORS, num)
    while sum(new != old for old, new in zip(colors, partners, strict=True)) < 2:
        partners = draws.some(ALL_COLORS, num)
    table = list(range(10))
    for old, new in zip(colors, partners, strict=True):
        table[old] = new
    return tuple(table)


def fitting_tables(pairs: Sequence[Example]) -> Iterator[Setting]:
    """The table that the demonstrations show, with several guesses for the other colors."""
    table: dict[int, int] = {}
    for question, answer in pairs:
        if len(question) != len(answer) or len(question[0]) != len(answer[0]):
            return
        for old, new in set(zip(b"".join(question), b"".join(answer), strict=True)):
            if table.setdefault(old, new) != new:
                return
    if table.get(0, 0):
        return
    for default in (None, 1, 2):
        yield tuple(0 if not old else table.get(old, default or old) for old in range(10))


def table_scene(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Noise in colors of which most have another partner."""
    changed = [old for old in ALL_COLORS if setting[old] != old]
    colors = tuple(draws.some(changed, draws.span(2, len(changed))))
    if draws.chance(0.3):
        colors += room.colors[:1]
    return sprinkled(draws, room, colors, draws.span(6, 16))


def one_color(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Noise or objects of one color."""
    return mixed(noise, noise, blobs)(draws, room._replace(colors=room.colors[:1]), setting)


def two_colors(draws: Draws, room: Room, _: Setting) -> Rows:
    """Cells of two colors."""
    first, second = draws.some(ALL_COLORS, 2)
    return sprinkled(draws, room, (first, second), draws.pick((8, 12, 16)))


def uneven(draws: Draws, room: Room, _: Setting) -> Rows:
    """Cells in colors that are not equally common."""
    colors = tuple(draws.some(ALL_COLORS, draws.span(2, 4)))
    weighted = tuple([color for place, color in enumerate(colors, 1) for _ in range(place)])
    return sprinkled(draws, room, weighted, draws.pick((8, 16, 16)))


def plain_rows(draws: Draws, room: Room, _: Setting) -> Rows:
    """Some rows of one color among rows of several."""
    colors = tuple(draws.some(ALL_COLORS, draws.span(2, 4)))
    rows = sprinkled(draws, room, colors, 16)
    return tuple([bytes([row[0]]) * len(row) if draws.chance(0.4) else row for row in rows])


_RANKS = (0, -1)
_SAME, _DYES, _CLEARS, _ADDS = (
    Trait.SAME,
    Trait.SAME | Trait.DYES,
    Trait.SAME | Trait.CLEARS,
    Trait.SAME | Trait.ADDS,
)
_busy = mixed(noise, noise, mosaic, blobs)
RULES = (
    Rule("replace", replace, with_colors(_busy, 1, 1), _DYES, reads=1, paints=1, takes=True),
    Rule("swap", swap, with_colors(_busy, 1, 2), _DYES, reads=2, takes=True),
    Rule("translate", translate, table_scene, _DYES, draw=random_table, fits=fitting_tables),
    Rule("whitewash", whitewash, anything, _DYES, paints=1),
    Rule("keep-color", keep_color, with_colors(_busy, 1, 1), _CLEARS, reads=1),
    Rule("erase-color", erase_color, with_colors(_busy, 1, 1), _CLEARS, reads=1, takes=True),
    Rule("negative", negative, one_color, _SAME),
    Rule("two-color-swap", two_color_swap, two_colors, _DYES),
    Rule("fill-black", fill_black, anything, _ADDS, paints=1),
    Rule("flood-ranked", flood_ranked, uneven, _SAME, _RANKS),
    Rule("keep-ranked", keep_ranked, uneven, _CLEARS, _RANKS),
    Rule("erase-ranked", erase_ranked, uneven, _CLEARS, _RANKS),
    Rule("mark-ranked", mark_ranked, uneven, _DYES, _RANKS, paints=1),
    Rule("wash-ranked", wash_ranked, uneven, _DYES, _RANKS),
    Rule("dye-stripes", dye_stripes, anything, _DYES, range(6), paints=1),
    Rule("fill-stripes", fill_stripes, anything, _ADDS, range(6), paints=1),
    Rule("clear-stripes", clear_stripes, anything, _CLEARS, range(6)),
    Rule("uniform-rows", uniform_rows, plain_rows, _SAME, paints=1),
)
