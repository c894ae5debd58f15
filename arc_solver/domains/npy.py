"""Integer arrays in npy files, memory-mapped; the header is matched by a pattern, never evaluated.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
"""

import math
import mmap
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.storage.regular_file import check_regular, unreadable
from arc_solver.storage.text import DataError, shown

MAX_BYTES = 2**34
PIECE_BYTES = 2**24  # a multiple of every item size
MAX_HEADER_BYTES = 4096  # numpy writes 118
_MAGIC = b"\x93NUMPY"
_FIELDS = (
    rb"'descr'\s*:\s*'(?P<kind>[^'\\]{1,16})'",
    rb"'fortran_order'\s*:\s*(?P<order>True|False)",
    rb"'shape'\s*:\s*\((?P<shape>[0-9, ]{0,64})\)",
)
_HEADER = re.compile(rb"\{\s*(?:(?:%b|%b|%b)\s*,?\s*){3}\}\s*" % _FIELDS)
_NUMBER = re.compile(r"[<>|=]?[fciub][0-9]{1,2}")


class _Plan(NamedTuple):
    """Type, shape and count of the numbers, where they begin, and whether the order is column-major."""

    kind: np.dtype[np.integer]
    shape: tuple[int, ...]
    total: int
    offset: int
    turned: bool


def map_integers(path: Path) -> npt.NDArray[np.integer]:
    """The array in the file, of one or more dimensions; DataError names the file and its fault."""
    plan = _plan(path)
    if not plan.total:
        return np.zeros(plan.shape, plan.kind)
    try:
        with path.open("rb") as stream:
            held = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise unreadable(path, error) from error
    flat: npt.NDArray[np.integer] = np.frombuffer(held, plan.kind, plan.total, plan.offset)
    return flat.reshape(plan.shape[::-1]).T if plan.turned else flat.reshape(plan.shape)


def bounds(path: Path) -> tuple[int, int] | None:
    """The lowest and the highest number of the array, None for an empty one; read in pieces, so that a sparse
    file does not fill the memory."""
    plan = _plan(path)
    lowest: list[int] = []
    highest: list[int] = []
    left = plan.total * plan.kind.itemsize
    try:
        with path.open("rb") as stream:
            stream.seek(plan.offset)
            while left > 0:
                piece = np.frombuffer(stream.read(min(left, PIECE_BYTES)), plan.kind)
                if not piece.size:
                    raise DataError(f"{shown(path)}: changed while it was read")
                lowest.append(int(piece.min()))
                highest.append(int(piece.max()))
                left -= piece.nbytes
    except OSError as error:
        raise unreadable(path, error) from error
    return (min(lowest), max(highest)) if lowest else None


def _plan(path: Path) -> _Plan:
    """What the header says, checked against the size of the file."""
    size = check_regular(path, MAX_BYTES)
    try:
        with path.open("rb") as stream:
            start = stream.read(12 + MAX_HEADER_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error
    header, offset = _header(start, path)
    kind, shape = _kind(header["kind"].decode("latin-1"), path), _shape(header["shape"], path)
    count = math.prod(shape)
    largest = math.prod(max(side, 1) for side in shape) * kind.itemsize
    if largest > MAX_BYTES or offset + count * kind.itemsize > size:
        raise DataError(f"{shown(path)}: {size:,} bytes, but its header says {shape} of {kind}")
    return _Plan(kind, shape, count, offset, turned=header["order"] == b"True")


def _header(start: bytes, path: Path) -> tuple[dict[str, bytes], int]:
    """The fields of the header as text, and the offset of the numbers."""
    version, width = start[6:7], 2 if start[6:7] == b"\x01" else 4
    if not start.startswith(_MAGIC) or version not in (b"\x01", b"\x02", b"\x03") or len(start) < 8 + width:
        raise DataError(f"{shown(path)}: not an npy array: it does not begin as one")
    length = int.from_bytes(start[8 : 8 + width], "little")
    text = start[8 + width : 8 + width + length]
    match = _HEADER.fullmatch(text) if len(text) == length else None
    found = {name: value for name, value in match.groupdict().items() if value is not None} if match else {}
    if len(found) < len(_FIELDS):
        raise DataError(f"{shown(path)}: not an npy array: its header is not that of plain numbers")
    return found, 8 + width + length


def _kind(text: str, path: Path) -> np.dtype[np.integer]:
    """The dtype of the numbers, which must be integers."""
    try:
        kind = np.dtype(text) if _NUMBER.fullmatch(text) else None
    except TypeError:
        kind = None
    if kind is None:
        raise DataError(f"{shown(path)}: not an npy array: of type {shown(text)}, expected integers")
    if kind.kind not in "iu":
        raise DataError(f"{shown(path)}: {kind}, expected integers")
    return kind


def _shape(text: bytes, path: Path) -> tuple[int, ...]:
    numbers = [side.strip() for side in text.split(b",")]
    if numbers[-1] == b"":  # "(3,)"
        numbers.pop()
    if not numbers or not all(number.isdigit() for number in numbers):
        raise DataError(f"{shown(path)}: not an npy array: no dimensions, expected one or more")
    return tuple(map(int, numbers))
