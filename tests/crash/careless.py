"""How it should not be done: what the harness must find out. The functions without arguments switch it on."""

import os
from collections.abc import Iterable
from pathlib import Path

from arc_solver.checkpoints import weights
from arc_solver.training import run_checkpoint


def overwrite() -> None:
    """Let checkpoints be written in place."""
    weights.write_atomic = write_in_place


def forget_rows_in_flight() -> None:
    """Save no rows in flight, as if they were too many."""
    run_checkpoint.MAX_SLOTS_BYTES = 0


def write_in_place(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Overwrite the file itself."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for chunk in [data] if isinstance(data, bytes) else data:
        os.write(descriptor, chunk)
    os.fsync(descriptor)
    os.close(descriptor)


def write_without_sync(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Wait for the name on the disk and not for the content: safe from a kill, not from a power cut."""
    temp = path.with_name(f".arc-solver.{os.getpid()}-0.tmp")
    descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    for chunk in [data] if isinstance(data, bytes) else data:
        os.write(descriptor, chunk)
    os.close(descriptor)
    temp.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
