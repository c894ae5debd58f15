"""Put into a process before it starts: it dies, or a system call of the writer fails, at a chosen place."""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arc_solver.storage.files import TEMP_PREFIX, TEMP_SUFFIX
from tests.crash.journal import Journal

# What the writer, the lock and the removal of old checkpoints ask of the system.
CALLS = ("open", "write", "pwrite", "ftruncate", "fsync", "replace", "unlink", "close", "mkdir")
WRITERS = ("/arc_solver/storage/files.py", "/training/run_checkpoint.py", "/crash/careless.py")
REPORT_SECONDS = 0.05  # so that the log grows in a run of a second
DEPTH = 4  # frames between the caller and the system call: pathlib is one


def watch(journal: Journal, on_save: Callable[[], object]) -> None:
    """Keep the journal of a training run that this process is about to start."""
    from arc_solver.training import loop, run

    loop.REPORT_SECONDS = REPORT_SECONDS
    train_step, sweep_stale = loop.train_step, run.sweep_stale

    def stepped(state: Any, *arguments: Any, **options: Any) -> Any:
        measures = train_step(state, *arguments, **options)
        journal["steps"] = state.step
        return measures

    def swept(folder: Path) -> int:
        num = sweep_stale(folder)
        journal["swept"] = 1 + len(list(folder.glob(f"{TEMP_PREFIX}*{TEMP_SUFFIX}")))
        return num

    def saving(save: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            journal["saves"] += 1
            journal["saving"] = 1
            on_save()
            started = time.monotonic()
            result = save(*arguments, **options)
            journal["save_microseconds"] += round((time.monotonic() - started) * 1e6)
            journal["saving"] = 0
            return result

        return wrapped

    loop.train_step, run.sweep_stale = stepped, swept
    run.save_state, run.save_weights = saving(run.save_state), saving(run.save_weights)


def announce(journal: Journal) -> None:
    """Say in the journal when the command line begins its work; its signal handlers are set by then."""
    from arc_solver import cli

    app = cli.app

    def announced(**options: Any) -> Any:
        journal["started"] = time.monotonic_ns()
        return app(**options)

    cli.app = announced  # type: ignore[assignment]


def is_writer() -> bool:
    """Whether the system call comes from the writer of artefacts."""
    frame = sys._getframe(2)
    for _ in range(DEPTH):
        if frame is None:
            return False
        if frame.f_code.co_filename.endswith(WRITERS):
            return True
        frame = frame.f_back
    return False


def fail_at(journal: Journal, at: int, do: str, names: tuple[str, ...], *, only_saves: bool) -> None:
    """Let the `at`-th of the named calls of the writer fail; every such call is counted in the journal.

    `do` is "kill", an errno's name, or one of these after "half-": a write first does half of its work.
    """
    half, action = do.startswith("half-"), do.removeprefix("half-")

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not is_writer() or (only_saves and not journal["saving"]):
                return real(*arguments, **options)
            journal["calls"] += 1
            if journal["calls"] != at:
                return real(*arguments, **options)
            if half and name in ("write", "pwrite"):
                descriptor, data, *rest = arguments
                real(descriptor, data[: len(data) // 2], *rest)
            if action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "close":
                real(*arguments)  # as the kernel does: the descriptor is gone all the same
            code = getattr(errno, action)
            raise OSError(code, os.strerror(code))

        return call

    for name in names:
        setattr(os, name, counted(name, getattr(os, name)))


def kill_after(save: int, seconds: float) -> Callable[[], None]:
    """Let a second process kill this one so many seconds after its save number `save` began.

    Returns what has to be called at the beginning of every save.
    """
    victim = os.getpid()
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        return lambda: os.write(writing, b".")
    os.close(writing)
    for _ in range(save):
        if not os.read(reading, 1):
            os._exit(0)  # the victim has ended by itself
    time.sleep(seconds)
    if os.getppid() == victim:
        os.kill(victim, signal.SIGKILL)
    os._exit(0)
