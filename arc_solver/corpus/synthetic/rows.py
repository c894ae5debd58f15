"""Grids as tuples of rows of bytes: whole-row operations of the interpreter are fast on small grids."""

from __future__ import annotations

from functools import lru_cache

Rows = tuple[bytes, ...]
"""A grid: rows of equal length of colors 0..9."""

LEFT, RIGHT, UP, DOWN = range(4)
IDENTITY, TURN_RIGHT, TURN_BACK, TURN_LEFT, MIRROR, FLIP, TRANSPOSE, ANTITRANSPOSE = range(8)


def transposed(rows: Rows) -> Rows:
    """Rows become columns."""
    flat, width = b"".join(rows), len(rows[0])
    return tuple([flat[start::width] for start in range(width)])


def mirrored(rows: Rows) -> Rows:
    """Left and right exchanged."""
    return tuple([row[::-1] for row in rows])


def turned(rows: Rows, symmetry: int) -> Rows:
    """The grid under one of the eight symmetries."""
    if symmetry in (TURN_RIGHT, TURN_LEFT, TRANSPOSE, ANTITRANSPOSE):
        rows = transposed(rows)
    if symmetry in (TURN_RIGHT, TURN_BACK, MIRROR, ANTITRANSPOSE):
        rows = mirrored(rows)
    return rows[::-1] if symmetry in (TURN_LEFT, TURN_BACK, FLIP, ANTITRANSPOSE) else rows


def towards(rows: Rows, direction: int) -> Rows:
    """The grid turned so that `direction` points to the left."""
    if direction == LEFT:
        return rows
    if direction == RIGHT:
        return mirrored(rows)
    return transposed(rows if direction == UP else rows[::-1])


def away(rows: Rows, direction: int) -> Rows:
    """The inverse of `towards`."""
    if direction == LEFT:
        return rows
    if direction == RIGHT:
        return mirrored(rows)
    return transposed(rows) if direction == UP else transposed(rows)[::-1]


def blank(height: int, width: int) -> Rows:
    """A black grid."""
    return (bytes(width),) * height


def cut(flat: bytes, width: int) -> Rows:
    """The rows of cells in reading order."""
    return tuple([flat[start : start + width] for start in range(0, len(flat), width)])


def crop(rows: Rows, box: tuple[int, int, int, int]) -> Rows:
    """The part from (top, left) to (bottom, right), both included."""
    top, left, bottom, right = box
    return tuple([row[left : right + 1] for row in rows[top : bottom + 1]])


def beside(left: Rows, right: Rows) -> Rows:
    """Two grids of one height next to each other."""
    return tuple([a + b for a, b in zip(left, right, strict=True)])


def enlarged(rows: Rows, down: int, across: int) -> Rows:
    """Every cell as a block of `down` × `across` cells."""
    wide = [b"".join([_BYTES[value] * across for value in row]) for row in rows]
    return tuple([row for row in wide for _ in range(down)])


def overlaid(top: Rows, bottom: Rows) -> Rows:
    """`top` where it has ink, else `bottom`; both of one shape."""
    above, below = b"".join(top), b"".join(bottom)
    mask = int.from_bytes(above.translate(INKED), "big")
    merged = int.from_bytes(above, "big") | (int.from_bytes(below, "big") & ~mask)
    return cut(merged.to_bytes(len(above), "big"), len(top[0]))


def laid(rows: Rows, part: Rows, top: int, left: int) -> Rows:
    """The grid with `part` laid below its ink, with its first cell at (top, left)."""
    found = list(rows)
    for number, line in enumerate(part, top):
        row, end = found[number], left + len(line)
        found[number] = (
            row[:left] + bytes([a or b for a, b in zip(row[left:end], line, strict=True)]) + row[end:]
        )
    return tuple(found)


def recolored(rows: Rows, table: bytes) -> Rows:
    """Every color replaced by its entry of a table of 256 bytes."""
    return tuple([row.translate(table) for row in rows])


def colors_of(rows: Rows) -> list[int]:
    """The colors but black that occur, in order."""
    return [color for color in sorted(set(b"".join(rows))) if color]


@lru_cache(maxsize=4096)
def color_table(changes: tuple[tuple[int, int], ...], default: int | None = None) -> bytes:
    """A table from old colors to new ones; all others but black become `default`, or stay."""
    table = bytearray(range(256))
    if default is not None:
        table[1:10] = bytes([default]) * 9
    for old, new in changes:
        table[old] = new
    return bytes(table)


INKED = bytes([0] + [255] * 9 + [0] * 246)
_BYTES = tuple(bytes([value]) for value in range(256))
