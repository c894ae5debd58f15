"""Rules that complete and repair symmetric grids, and rules about rings."""

from __future__ import annotations

from arc_solver.corpus.synthetic.bitboards import (
    Frame,
    around,
    box,
    everywhere,
    frame_of,
    inner,
    painted,
    repainted,
    where,
)
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.objects import things_of
from arc_solver.corpus.synthetic.patterns import holed
from arc_solver.corpus.synthetic.rows import (
    FLIP,
    MIRROR,
    TRANSPOSE,
    TURN_BACK,
    Rows,
    blank,
    crop,
    laid,
    mirrored,
    overlaid,
    turned,
)
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.scenes import (
    apart,
    blob,
    dot,
    drawn,
    mixed,
    noise,
    one_blob,
    rectangle,
    some_blobs,
    sparse,
    sprinkled,
)


def complete(rows: Rows, setting: Setting) -> Rows | None:
    """Black cells get the color that lies in their mirror image."""
    if setting[0] == TRANSPOSE and len(rows) != len(rows[0]):
        return None
    return overlaid(rows, turned(rows, setting[0]))


def complete_four(rows: Rows, _: Setting) -> Rows:
    """Black cells get the color of their mirror image left and right, then above and below."""
    half = overlaid(rows, mirrored(rows))
    return overlaid(half, half[::-1])


def complete_things(rows: Rows, setting: Setting) -> Rows:
    """Every object is completed so that it equals its mirror image in its bounding box."""
    frame, found = frame_of(rows), rows
    for color, board in things_of(rows):
        spot = box(board, frame)
        alone = turned(crop(painted(blank(*frame), board, color), spot), setting[0])
        found = laid(found, alone, spot[0], spot[1])
    return found


def crop_repair(rows: Rows, setting: Setting) -> Rows | None:
    """Cut out what the one-colored patch hides in a pattern that equals its mirror image."""
    frame = frame_of(rows)
    patch = where(rows, setting[1])
    if not patch:
        return None
    top, left, bottom, right = box(patch, frame)
    inside = crop(turned(rows, setting[0]), (top, left, bottom, right))
    return None if any(setting[1] in row for row in inside) else inside


def repair(rows: Rows, setting: Setting) -> Rows | None:
    """The cells of one color get the colors of their mirror image; nothing is black."""
    table = bytes(0 if value == setting[1] else value for value in range(256))
    if any(0 in row for row in rows):
        return None
    cleared = tuple([row.translate(table) for row in rows])
    return overlaid(cleared, turned(cleared, setting[0])) if cleared != rows else None


def invert_rings(rows: Rows, _: Setting) -> Rows | None:
    """The rings of a grid, each of one color, in the opposite order."""
    if rows[0].count(rows[0][0]) != len(rows[0]):
        return None
    frame = frame_of(rows)
    rest, layers = everywhere(frame), []
    while rest:
        core = inner(rest, frame)
        layers.append(rest & ~core)
        rest = core
    flat = b"".join(rows)
    colors = [flat[min(at, frame.height - 1 - at) * frame.width + at] for at in range(len(layers))]
    if repainted(rows, zip(layers, colors, strict=True)) != rows:
        return None
    return repainted(rows, zip(layers, colors[::-1], strict=True))


def nest(rows: Rows, setting: Setting) -> Rows | None:
    """Rings in the task's two colors, in turn, around the only object, out to the edge."""
    frame = frame_of(rows)
    things = things_of(rows)
    if len(things) != 1:
        return None
    reach = things[0][1]
    parts: list[tuple[int, int]] = []
    while reach != everywhere(frame):
        ringed = around(reach, frame)
        parts.append((ringed, setting[1 + len(parts) % 2]))
        reach |= ringed
    return repainted(rows, parts) if len(parts) > 1 else None


def one_sided(draws: Draws, room: Room, setting: Setting) -> Rows:
    """Ink, most of it on one side of the grid."""
    shape = room._replace(width=room.height) if setting[0] == TRANSPOSE else room
    rows = draws.pick((noise, sparse, one_blob))(draws, shape, setting)
    if draws.chance(0.5) and setting[0] != TRANSPOSE:
        half = (shape.width + 1) // 2
        return tuple([row[:half].ljust(shape.width, b"\0") for row in rows])
    return rows


def symmetric(draws: Draws, room: Room, symmetry: int) -> Rows:
    """A mosaic that is like its mirror image."""
    wide = room.height if symmetry == TRANSPOSE else room.width
    colors = tuple(draws.some(ALL_COLORS, draws.span(2, 5)))
    rows = sprinkled(draws, Room(room.height, wide, colors), colors, 16)
    if symmetry == TRANSPOSE:
        return tuple(bytes([rows[min(y, x)][max(y, x)] for x in range(wide)]) for y in range(room.height))
    if symmetry == MIRROR:
        return tuple([row[: wide // 2] + row[: (wide + 1) // 2][::-1] for row in rows])
    upper = rows[: (room.height + 1) // 2]
    lower = turned(upper, symmetry)[room.height % 2 :]
    return upper + lower


def holed_symmetric(draws: Draws, room: Room, setting: Setting) -> Rows:
    """The same with black patches."""
    return holed(draws, symmetric(draws, room, setting[0]), draws.span(1, 2))


def patched(draws: Draws, room: Room, setting: Setting) -> Rows:
    """The same with one patch of the color that the rule reads, which is nowhere else."""
    rows = symmetric(draws, room, setting[0])
    free = [color for color in ALL_COLORS if color != setting[1] and color not in b"".join(rows)]
    if free:
        rows = tuple([row.replace(bytes([setting[1]]), bytes([free[0]])) for row in rows])
    return holed(draws, rows, 1, setting[1])


def ringed(draws: Draws, room: Room, _: Setting) -> Rows:
    """Rings of one color each, from the edge inwards."""
    frame = Frame(room.height, room.width)
    rest, rows = everywhere(frame), blank(*frame)
    colors = draws.some(ALL_COLORS, draws.span(2, 4))
    while rest:
        rows = painted(rows, rest, draws.pick(colors))
        rest = inner(rest, frame)
    return rows


def lone_core(draws: Draws, room: Room, _: Setting) -> Rows:
    """One dot or small rectangle."""
    frame = Frame(room.height, room.width)
    return drawn(draws, room, [dot(draws, frame) if draws.chance(0.6) else rectangle(draws, frame, 1, 2)])


_ADDS = Trait.SAME | Trait.ADDS
_MIRRORS = (MIRROR, FLIP, TURN_BACK)
_objects = mixed(some_blobs, lambda d, r, s: drawn(d, r, apart(d, Frame(r.height, r.width), 2, blob)))
RULES = (
    Rule("complete", complete, mixed(one_sided, holed_symmetric), _ADDS, (*_MIRRORS, TRANSPOSE), least=4),
    Rule("complete-four", complete_four, mixed(sparse, one_blob), _ADDS, least=4),
    Rule("complete-things", complete_things, _objects, _ADDS, _MIRRORS, least=5),
    Rule("crop-repair", crop_repair, patched, Trait.SMALLER, _MIRRORS, reads=1, least=5),
    Rule("repair", repair, patched, Trait.SAME, (*_MIRRORS, TRANSPOSE), reads=1, takes=True, least=5),
    Rule("invert-rings", invert_rings, ringed, Trait.SAME, least=4),
    Rule("nest", nest, lone_core, _ADDS, paints=2, least=5),
)
