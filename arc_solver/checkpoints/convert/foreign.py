"""A foreign torch file opened in a process of its own, which hands back plain tensors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from arc_solver.checkpoints.convert import opener
from arc_solver.checkpoints.convert.errors import ConvertError

MAX_BYTES = 8 << 30
TIMEOUT_SECONDS = 900


def extract(source: Path, plain: Path) -> None:
    """Write the tensors of the torch file `source` to `plain` (safetensors), or raise ConvertError."""
    try:
        size = source.stat().st_size
    except OSError as error:
        raise ConvertError(f"{source}: {error.strerror or error}") from error
    if not source.is_file():
        raise ConvertError(f"{source}: not a file; give the checkpoint itself")
    if size > MAX_BYTES:
        raise ConvertError(f"{source}: {size} bytes, over the limit of {MAX_BYTES}")
    # Isolated: no folder of the caller is on the child's path, and it imports torch and safetensors alone.
    command = [sys.executable, "-I", opener.__file__, str(source.resolve()), str(plain), str(MAX_BYTES)]
    try:
        done = subprocess.run(  # noqa: S603 - this Python and a script of ours; the file is an argument
            command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConvertError(f"{source}: not opened within {TIMEOUT_SECONDS} s; is it a checkpoint?") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ConvertError(
            f"{source}: the process that opened it died (exit {done.returncode}); is it a checkpoint?"
        )
    if answer.get("error") or done.returncode:
        raise ConvertError(
            f"{source}: {answer.get('error') or f'opening it failed (exit {done.returncode})'}"
        )
