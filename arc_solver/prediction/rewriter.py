"""A file that is rewritten when there is news, but not too often."""

from __future__ import annotations

import time
from collections.abc import Callable

from arc_solver.storage.files import StorageError

# The pause between two writes: at least so many seconds, and so many times the last write took.
PAUSE_SECONDS, PAUSE_FACTOR = 1.0, 20.0


class Rewriter:
    """Calls `write`, which replaces the whole file atomically, at the right moments."""

    def __init__(self, write: Callable[[], None], say: Callable[[str], None] = lambda _: None) -> None:
        self.stale = True
        self._write, self._say = write, say
        self._next = 0.0

    def write(self) -> None:
        """Write the file now."""
        self._write()
        self.stale = False

    def refresh(self) -> None:
        """Write news, unless the last write was just now; a failure is reported, and tried again later."""
        started = time.monotonic()
        if not self.stale or started < self._next:
            return
        try:
            self.write()
        except StorageError as error:
            self._say(f"warning: {error}; the file keeps what it has")
        ended = time.monotonic()
        self._next = ended + max(PAUSE_SECONDS, PAUSE_FACTOR * (ended - started))

    def close(self) -> None:
        """Write what is new since the last write; StorageError if it cannot be written."""
        if self.stale:
            self.write()
