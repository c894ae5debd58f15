"""SIGINT and SIGTERM during a run: the current step is finished and saved, an evaluation is aborted."""

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
def stop_signals() -> Iterator[Caught]:
    """Collect SIGINT and SIGTERM in a list, so that the step can be finished; a second one exits at once.

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
