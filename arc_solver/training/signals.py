"""SIGINT and SIGTERM during a run: what is under way is finished and saved, what changes nothing is left."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


class Interrupted(RuntimeError):
    """A signal ended the run after its checkpoint was written."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = 128 + number


class EvaluationStopped(Exception):
    """A signal came while nothing was changed that would have to be finished."""


class Caught(list[int]):
    """The signals that came; within `at_once` the first one raises EvaluationStopped."""

    def __init__(self) -> None:
        super().__init__()
        self.raises = False

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """A block that changes nothing and may be left in the middle."""
        self.raises = True
        try:
            if self:
                raise EvaluationStopped
            yield
        finally:
            self.raises = False


@contextlib.contextmanager
def stop_signals() -> Iterator[Caught]:
    """Collect SIGINT and SIGTERM in a list so that the step can be finished; a second one ends at once.

    Outside the main thread, where handlers cannot be set, the list stays empty.
    """
    caught = Caught()

    def handle(number: int, _: object) -> None:
        if caught:
            raise SystemExit(128 + number)
        caught.append(number)
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
