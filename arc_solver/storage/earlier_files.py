"""Files of an earlier run, restored if the run that replaces them fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from arc_solver.storage.files import write_atomic


@contextmanager
def earlier_files(*paths: Path | None, unless: Callable[[], bool]) -> Iterator[None]:
    """Restore the content of these files if the block fails, `unless` that returns True by then.

    A file that did not exist before stays as the block left it; one that did not change is not touched.
    """
    before = {path: path.read_bytes() for path in paths if path and path.is_file()}
    try:
        yield
    except BaseException:
        if not unless():
            for path, content in before.items():
                if not path.is_file() or path.read_bytes() != content:
                    write_atomic(path, content)
        raise
