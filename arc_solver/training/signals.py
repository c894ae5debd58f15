"""SIGINT and SIGTERM during a run: the current step is finished and saved, an evaluation is aborted."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Interrupted(RuntimeError):
    """A signal ended the run after its checkpoint was written; `text` says where and what was saved."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(f"{WORDS[signal.Signals(number)]} {text}")
        self.exit_code = 128 + number


class EvaluationStopped(Exception):
    """A signal came during work that changes nothing and can be aborted."""


class Caught(list[int]):
    """The signals received; within `at_once` the first one raises EvaluationStopped."""

    def __init__(self) -> None:
        super().__init__()
        self.raises = False

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """For a block that changes nothing and may be aborted."""
        self.raises = True
        try:
            if self:
                raise EvaluationStopped
            yield
        finally:
            self.raises = False


@contextlib.contextmanager
def stop_signals(*, quiet: bool = True) -> Iterator[Caught]:
    """Collect SIGINT and SIGTERM in a list, so that the step can be finished; a second one exits at once.

    Unless `quiet`, the first one says on standard error what happens now. Outside the main thread, where
    handlers cannot be set, the list stays empty.
    """
    caught = Caught()

    def handle(number: int, _: object) -> None:
        if caught:
            raise SystemExit(128 + number)
        caught.append(number)
        if not quiet:
            _tell(number)
        if caught.raises:
            raise EvaluationStopped

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        yield caught
        return
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(number: int) -> None:
    """Say what the first signal does; written past the stream, which the signal may have interrupted."""
    again = "Ctrl-C again" if number == signal.SIGINT else "a second signal"
    text = f"{WORDS[signal.Signals(number)]}: finishing this step and saving; {again} stops at once\n"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        descriptor = sys.stderr.fileno()
        # A reader that stands still must not keep the run from saving.
        if select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, (("\n" if os.isatty(descriptor) else "") + text).encode())
