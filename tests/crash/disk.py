"""A disk of a given size for one process, where the system lets it mount one."""

import ctypes
import json
import os
import tempfile
from pathlib import Path

from tests.crash.forkserver import command
from tests.crash.scene import defects

NEW_MOUNTS = 0x20000  # CLONE_NEWNS of unshare(2): what is mounted from here on is seen by this process alone
PRIVATE = 0x4000 | 0x40000  # MS_REC | MS_PRIVATE of mount(2)


def mounted(folder: str, size: int) -> bool:
    """Whether a file system of so many bytes now lies at `folder`, for this process alone."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "unshare") or library.unshare(NEW_MOUNTS):
        return False
    if library.mount(b"none", b"/", None, PRIVATE, None):
        return False
    return not library.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={size}".encode())


def train_on_little(argv: list[str], size: int, answer: str) -> None:
    """Train on a small disk; what was left is told in the file `answer`, since the disk ends with us."""
    folder = tempfile.mkdtemp()
    if not mounted(folder, size):
        Path(answer).write_text(json.dumps({"refused": True}))
        return
    os.chdir(folder)
    code, run = command(argv), Path("run")
    found = defects(run) + [path.name for path in run.iterdir() if path.name.endswith(".tmp")]
    checkpoints = len(list(run.glob("checkpoint-*")))
    told = {"refused": False, "code": code, "defects": found, "checkpoints": checkpoints}
    Path(answer).write_text(json.dumps(told))
