"""Output files, checked to be writable and locked before any existing file is touched."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from arc_solver.storage.files import TEMP_PREFIX, TEMP_SUFFIX, named, sign, take_lock, target_of

# Outputs may lie on a file system without locks.
_NO_LOCKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS)


@contextmanager
def own_outputs(*outputs: Path | None) -> Iterator[None]:
    """Own these files, existing or not, during the block; None among them is skipped.

    FolderInUse at once if another process owns one of them, StorageError if one cannot be written. The locks
    are the kernel's and end with the process; their small files are removed after the block, or by the next
    sweep.
    """
    with ExitStack() as stack:
        for output in outputs:
            if output is not None:
                stack.enter_context(_owned(output))
        yield


@contextmanager
def _owned(output: Path) -> Iterator[None]:
    descriptor = None
    with named(output):
        target = target_of(output)
        made = [folder for folder in target.parents if not folder.exists()]
        digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
        lock = target.with_name(f"{TEMP_PREFIX}{digest}{TEMP_SUFFIX}")  # short, whatever the target's name
        try:
            descriptor = take_lock(lock, f"{output} is being written", "wait for it or choose another path")
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
    try:
        if descriptor is not None:
            sign(lock, descriptor)
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
            for folder in made:
                folder.rmdir()  # where nothing was written
        if descriptor is not None:
            os.close(descriptor)
