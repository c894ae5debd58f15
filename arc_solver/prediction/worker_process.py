"""One worker process: its request, its messages, and its certain end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from arc_solver.prediction.messages import Message, MessageReader, framed

READ_BYTES = 1 << 18


@dataclass(frozen=True)
class Job:
    """The work of one worker. `request(items, seconds)` makes its request, for unfinished items and the
    seconds within which it should have reported everything (None: no limit)."""

    items: tuple[str, ...]
    request: Callable[[Sequence[str], float | None], Message]


@dataclass(frozen=True)
class Conditions:
    """How workers are run. Instants are of the monotonic clock, durations in seconds.

    Worker k gets `environments[k]`, a worker that replaces it the next one.
    """

    command: tuple[str, ...]
    environments: tuple[Mapping[str, str], ...]
    kill_at: float | None = None  # no worker lives longer
    stop_at: float | None = None  # when a worker should have reported everything
    silence: float = 300.0  # a worker without a sign of life for this long hangs
    say: Callable[[str], None] = field(default=lambda _: None)


class Worker:
    """One running worker: its process, the rest of its request, and what it has reported."""

    def __init__(
        self,
        job: Job,
        number: int,
        attempt: int,
        conditions: Conditions,
        items: tuple[str, ...],
        share: float = 1.0,
    ) -> None:
        """`share`: of the time that is left, as other pieces of the job are still waiting."""
        self.number, self.items = number, items
        self.finished: set[str] = set()
        self.done = False
        self.complaint = ""
        self.reader = MessageReader()
        self.heard = time.monotonic()
        left = None if conditions.stop_at is None else share * max(0.0, conditions.stop_at - self.heard)
        self.outbox = memoryview(framed(job.request(items, left)))
        choices = conditions.environments
        self.process = subprocess.Popen(  # noqa: S603 - the command is the caller's own
            conditions.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env={**os.environ, **choices[(number + attempt) % len(choices)]},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        for pipe in (self.stdin, self.stdout):
            os.set_blocking(pipe.fileno(), False)

    def write(self) -> bool:
        """Write as much of the request as the pipe takes; False once all is written, or nobody reads."""
        try:
            self.outbox = self.outbox[os.write(self.stdin.fileno(), self.outbox) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(self.outbox)

    def read(self) -> bytes | None:
        """What has arrived: None for nothing yet, empty at the end of the pipe."""
        try:
            data = os.read(self.stdout.fileno(), READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        self.heard = time.monotonic()
        return data

    def kill(self) -> None:
        """Kill the worker and everything that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def reap(self, seconds: float) -> None:
        """Wait for the end, but no longer: a process blocked in the kernel must not make us late."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def ending(self) -> str:
        """How the process ended, in its own words if it reported an error."""
        if self.complaint:
            return self.complaint
        code = self.process.returncode
        if code is None:
            return "stopped answering"
        if code < 0:
            names = {member.value: member.name for member in signal.Signals}
            return f"was ended by {names.get(-code, f'signal {-code}')}"
        return f"ended with exit code {code} before it was done"
