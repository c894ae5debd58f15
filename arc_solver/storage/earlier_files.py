"""Files of an earlier run, put back where the one that replaces them comes to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from arc_solver.storage.files import write_atomic


@contextmanager
def earlier_files(*paths: Path, unless: Callable[[], bool]) -> Iterator[None]:
    """Put back what these files hold now if the block fails, `unless` it says that it achieved something.

    A file that is not there before stays as the block left it.
    """
    before = {path: path.read_bytes() for path in paths if path.is_file()}
    try:
        yield
    except BaseException:
        if not unless():
            for path, content in before.items():
                write_atomic(path, content)
        raise
