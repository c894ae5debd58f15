"""A foreign torch file, opened in a process of its own that returns plain tensors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors
from safetensors.torch import load_file
from torch import Tensor

from arc_solver.checkpoints.convert import opener
from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.storage.regular_file import check_regular
from arc_solver.storage.text import DataError, shown

MAX_BYTES = 8 << 30
# Time limits of the child: to start on a busy machine, and to read from a slow disk.
START_SECONDS, BYTES_PER_SECOND = 180, 10_000_000


def extract(source: Path) -> dict[str, Tensor]:
    """The tensors of the torch or safetensors file `source` under plain names, or ConvertError.

    The child returns them in an unnamed file, so that nothing is left behind however this ends.
    """
    try:
        size = check_regular(source, MAX_BYTES)
    except DataError as error:
        raise ConvertError(str(error)) from error
    with tempfile.TemporaryFile() as plain:
        place = f"/dev/fd/{plain.fileno()}"
        command = [sys.executable, "-I", opener.__file__, str(source.resolve()), place, str(MAX_BYTES)]
        _run(command, source, plain.fileno(), START_SECONDS + size / BYTES_PER_SECOND)
        try:
            return load_file(place)
        except (safetensors.SafetensorError, OSError) as error:
            raise ConvertError(f"{shown(source)}: its tensors cannot be read: {shown(error)}") from error


def _run(command: list[str], source: Path, plain: int, seconds: float) -> None:
    """Run the child; ConvertError with the reason that it gives, or if it dies."""
    # Isolated: the caller's folders are not on the child's path, and it imports only torch and safetensors.
    # It ends when its input pipe does, whose other end only this process holds.
    reading, held = os.pipe()
    try:
        done = subprocess.run(  # noqa: S603 - this Python and a script of ours; the file is an argument
            command, stdin=reading, capture_output=True, pass_fds=(plain,), timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConvertError(
            f"{shown(source)}: not opened within {seconds:.0f} s; is it a checkpoint?"
        ) from error
    finally:
        os.close(reading)
        os.close(held)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ConvertError(
            f"{shown(source)}: the process that opened it died (exit {done.returncode}); is it a checkpoint?"
        )
    if answer.get("error") or done.returncode:
        reason = answer.get("error") or f"opening it failed (exit {done.returncode})"
        raise ConvertError(f"{shown(source)}: {reason}")
