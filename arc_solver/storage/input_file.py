"""Opening what a user names: a file, a device or what a shell hands over; no pipe that may stay silent."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from arc_solver.storage.text import DataError, label_of


def open_input(path: Path | str) -> BinaryIO:
    """The bytes of `path`, to be read by a reader with a cap; OSError where it cannot be opened.

    DataError for a pipe with a name, whose opening waits until somebody writes. What a shell puts in the
    place of `<(command)` has none, and is read.
    """
    path = Path(path)
    if stat.S_ISFIFO(path.stat().st_mode) and path.resolve().exists():
        raise DataError(f"{label_of(path)}: a named pipe, expected a file; hand it over as standard input")
    return path.open("rb")
