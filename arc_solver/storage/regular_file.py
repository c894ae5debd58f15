"""Foreign files, read up to a limit: never an endless device or a pipe that blocks."""

import json
import stat
from pathlib import Path

from arc_solver.storage.text import DataError, shown

LFS_START = b"version https://git-lfs.github.com/spec/"
LFS_REMARK = "a git-lfs pointer, not the file itself; fetch the file with `git lfs pull`"
# Every value of a JSON text but the first comes after one of these.
_BEFORE_VALUES = (b",", b"[", b"{")


def check_regular(path: Path, max_bytes: int) -> int:
    """The size of a regular file of at most `max_bytes`; DataError for anything else, and for a git-lfs
    pointer in place of the file.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
            raise DataError(f"{shown(path)}: {kind}, expected a regular file")
        with path.open("rb") as stream:
            start = stream.read(len(LFS_START))
    except OSError as error:
        raise unreadable(path, error) from error
    if start == LFS_START:
        raise DataError(f"{shown(path)}: {LFS_REMARK}")
    if found.st_size > max_bytes:
        raise DataError(f"{shown(path)}: {found.st_size:,} bytes, expected at most {max_bytes:,}")
    return found.st_size


def read_regular(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file of at most `max_bytes`, or DataError."""
    check_regular(path, max_bytes)
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(data) > max_bytes:  # it grew, or the system does not report its size
        raise DataError(f"{shown(path)}: more than {max_bytes:,} bytes")
    return data


def read_json(path: Path, max_bytes: int, max_values: int) -> object:
    """The JSON value in a regular file of at most `max_values` values, or DataError."""
    data = read_regular(path, max_bytes)
    if most_values(data) > max_values:
        raise DataError(f"{shown(path)}: more than {max_values:,} values, which no such file needs")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown(path)}: not JSON: {shown(error)}") from error


def most_values(text: bytes) -> int:
    """An upper bound of the values in a JSON text, found without building any."""
    return 1 + sum(map(text.count, _BEFORE_VALUES))


def unreadable(path: Path, error: OSError) -> DataError:
    """The error for a file that the system cannot open or read."""
    return DataError(f"{shown(path)}: cannot be read: {error.strerror or shown(error)}")
