"""What a run will write, seen to be writable and owned before anything that is there is touched."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from arc_solver.storage.files import TEMP_PREFIX, TEMP_SUFFIX, named, sign, take_lock, target_of

# A file system that knows no locks takes outputs all the same.
_NO_LOCKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS)


@contextmanager
def own_outputs(*outputs: Path | None) -> Iterator[None]:
    """Own these files, there or not, for the length of the block; None among them is passed over.

    FolderInUse at once where another process owns one of them, StorageError where one cannot be written. The
    locks are the kernel's and end with the process; their small files are gone after the block, or are
    removed by the next sweep.
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
        lock = target.with_name(f"{TEMP_PREFIX}{digest}{TEMP_SUFFIX}")  # as short as any name may have to be
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
