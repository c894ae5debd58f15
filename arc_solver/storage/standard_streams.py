"""Standard output and error that cannot fail: a lost line costs a line, not the work behind it."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import Any, TextIO

# How long to wait for a stalled reader, such as a paused terminal, before lines are dropped.
PATIENCE_SECONDS = 1.0
PIECE = 4096  # a pipe with room takes this much at once without blocking
STREAMS = ("stdin", "stdout", "stderr")


class LossyOutput(io.FileIO):
    """A descriptor whose writes never raise; `lost` is the first error, None if nothing was lost.

    With `patience` (seconds), output to a reader that takes nothing for that long is dropped.
    """

    def __init__(self, descriptor: int, patience: float | None = None) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.lost: OSError | None = None
        self._patience, self._waits = patience, True

    def write(self, data: Any, /) -> int:
        """Write what can be written; returns the whole length in any case."""
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while view:
                self._wait()
                view = view[super().write(view[:PIECE]) or 0 :]
        except (OSError, ValueError) as error:
            self.lost = self.lost or (
                error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))
            )
        return size

    def _wait(self) -> None:
        """Return once the descriptor takes something; TimeoutError if that exceeds the patience."""
        waits = self._patience is None or self._waits
        limit = self._patience if waits else 0.0
        _, ready, _ = select.select([], [self.fileno()], [], limit)
        self._waits = bool(ready)
        if not ready:
            raise TimeoutError(errno.ETIMEDOUT, "its reader stands still")


def guard_streams() -> None:
    """Protect the standard streams of this process from whatever happens at their other end.

    Closed descriptors are opened on /dev/null, so that no file of ours gets one of them. A stream that has
    replaced Python's own is left alone.
    """
    for number, name in enumerate(STREAMS):
        _open_if_closed(number)
        stream: TextIO | None = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):
            continue
        if name == "stdin":
            sys.stdin = stream or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as we live
        else:
            setattr(sys, name, _lossy(number, stream))


def lost_output() -> OSError | None:
    """The first error in writing to standard output; None if everything was written."""
    sys.stdout.flush()
    raw = getattr(sys.stdout, "buffer", None)
    return raw.lost if isinstance(raw, LossyOutput) else None


def _lossy(number: int, stream: TextIO | None) -> TextIO:
    """A text stream on the descriptor, in the encoding of `stream`, that accepts every character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    raw = LossyOutput(number, PATIENCE_SECONDS if STREAMS[number] == "stderr" else None)
    return io.TextIOWrapper(
        raw,  # unbuffered
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=True,
    )


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number, inheritable=True)
            os.close(opened)
        else:
            os.set_inheritable(number, True)
