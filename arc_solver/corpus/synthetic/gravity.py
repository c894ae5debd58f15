"""Rules that move ink: falling cells, sliding objects, sorted rows."""

from __future__ import annotations

from arc_solver.corpus.synthetic.bitboards import (
    Frame,
    box,
    column,
    frame_of,
    painted,
    pieces,
    repainted,
    row_at,
    where,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, away, blank, colors_of, towards, transposed
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    apart,
    bars,
    blob,
    blobs,
    drawn,
    mixed,
    noise,
    one_blob,
    rectangle,
    some_blobs,
    sparse,
    sprinkled,
)

DIRECTIONS = range(4)
_BLACK = b"\0"


def fall(rows: Rows, setting: Setting) -> Rows:
    """Every cell falls to one side of the grid."""
    width, direction = len(rows[0] if setting[0] < 2 else rows), setting[0]
    ahead = towards(rows, direction)
    return away(tuple([row.replace(_BLACK, b"").ljust(width, _BLACK) for row in ahead]), direction)


def fall_on_walls(rows: Rows, setting: Setting) -> Rows:
    """Cells of all colors but one fall until they meet a cell of that color, or the edge."""
    wall = bytes([setting[1]])
    found = []
    for row in towards(rows, setting[0]):
        parts = row.split(wall)
        found.append(wall.join([part.replace(_BLACK, b"").ljust(len(part), _BLACK) for part in parts]))
    return away(tuple(found), setting[0])


def press(rows: Rows, setting: Setting) -> Rows | None:
    """Everything moves to one side as a rigid body."""
    ahead = towards(rows, setting[0])
    gaps = [len(row) - len(row.lstrip(_BLACK)) for row in ahead]
    gap = min(gaps)
    if gap == len(ahead[0]):
        return None
    return away(tuple([row[gap:] + bytes(gap) for row in ahead]), setting[0])


def slide(rows: Rows, setting: Setting) -> Rows | None:
    """Objects slide to one side until they meet another one, or the edge."""
    ahead = towards(rows, setting[0])
    frame = frame_of(ahead)
    # From the left, so that what is in front has already come to rest.
    bodies = sorted(
        ((color, body) for color in colors_of(ahead) for body in pieces(where(ahead, color), frame.step)),
        key=lambda each: box(each[1], frame)[1],
    )
    parts, taken, edge = [], 0, column(frame, 0)
    for color, body in bodies:
        if body & taken:
            return None  # something came to rest within an object that should have moved first
        while not body & edge and not (body << 8) & taken:
            body <<= 8
        parts.append((body, color))
        taken |= body
    return away(repainted(blank(*frame), parts), setting[0])


def sort_rows(rows: Rows, setting: Setting) -> Rows:
    """Sort the rows, or columns, by how much ink they hold."""
    across, falling = divmod(setting[0], 2)
    lines = transposed(rows) if across else rows
    ordered = tuple(sorted(lines, key=lambda row: row.count(_BLACK), reverse=not falling))
    return transposed(ordered) if across else ordered


def sort_cells(rows: Rows, setting: Setting) -> Rows:
    """Sort the cells of every row, or column, by how common their color is in it, black last."""
    ahead = towards(rows, setting[0])
    found = []
    for row in ahead:
        cells = sorted(row, key=lambda value: (value == 0, -row.count(value), value))
        found.append(bytes(cells))
    return away(tuple(found), setting[0])


def reverse_ink(rows: Rows, setting: Setting) -> Rows:
    """Reverse the order of the ink in every row, or column, on the same cells."""
    lines = transposed(rows) if setting[0] else rows
    found = []
    for row in lines:
        cells = list(row.replace(_BLACK, b""))
        found.append(bytes([cells.pop() if value else 0 for value in row]))
    return transposed(tuple(found)) if setting[0] else tuple(found)


def pull_to_wall(rows: Rows, _: Setting) -> Rows | None:
    """Objects slide toward the only line across the grid until they touch it."""
    lines = [number for number, row in enumerate(rows) if row[0] and row.count(row[0]) == len(row)]
    if len(lines) != 1:
        return None
    wall = lines[0]
    above, below = rows[:wall], rows[wall + 1 :]
    if not above or not below:
        return None
    upper, lower = slide(above, (3,)), slide(below, (2,))
    return None if upper is None or lower is None else (*upper, rows[wall], *lower)


def walled(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Noise with some cells of the wall's color."""
    return sprinkled(
        draws, room, (setting[1], *[c for c in room.colors if c != setting[1]]), draws.span(4, 9)
    )


def uneven_rows(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Bars of unequal length that start on one side, in random order."""
    across = setting[0] // 2
    high, wide = (room.width, room.height) if across else (room.height, room.width)
    lengths = (
        draws.some(range(wide + 1), high)
        if high <= wide + 1
        else [draws.below(wide + 1) for _ in range(high)]
    )
    lines = tuple([bytes([draws.pick(room.colors)]) * length + bytes(wide - length) for length in lengths])
    return transposed(lines) if across else lines


def rich_noise(draws: Draws, room: Room, _: Setting) -> Rows:
    """Cells of three to five colors."""
    return sprinkled(draws, room, tuple(draws.some(ALL_COLORS, draws.span(3, 5))), draws.span(5, 16))


def objects_and_wall(draws: Draws, room: Room, _: Setting) -> Rows:
    """A line across the grid and objects on both sides."""
    frame = Frame(room.height, room.width)
    wall = draws.span(1, room.height - 2)
    line = row_at(frame, wall)

    def beyond(source: Draws, whole: Frame) -> int:
        board = blob(source, whole, 1, 3) if source.chance(0.6) else rectangle(source, whole, 1, 2)
        return 0 if board & line else board

    colors = draws.some(ALL_COLORS, 3)
    rows = drawn(
        draws, room._replace(colors=tuple(colors[1:])), [b for b in apart(draws, frame, 4, beyond) if b]
    )
    return painted(rows, line, colors[0])


def falling(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Objects, bars or few cells."""
    return mixed(noise, sparse, bars, blobs)(draws, room, setting)


_MOVES = Trait.SAME | Trait.COUNTS
RULES = (
    Rule("fall", fall, falling, _MOVES, DIRECTIONS),
    Rule("fall-on-walls", fall_on_walls, walled, _MOVES, DIRECTIONS, reads=1),
    Rule("press", press, mixed(one_blob, blobs, sparse), _MOVES, DIRECTIONS),
    Rule("slide", slide, some_blobs, _MOVES, DIRECTIONS),
    Rule("sort-rows", sort_rows, uneven_rows, _MOVES, range(4)),
    Rule("sort-cells", sort_cells, rich_noise, _MOVES, DIRECTIONS),
    Rule("reverse-ink", reverse_ink, rich_noise, _MOVES | Trait.DYES, (0, 1)),
    Rule("pull-to-wall", pull_to_wall, objects_and_wall, _MOVES, least=5),
)
