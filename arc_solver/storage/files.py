"""The only writer of artifacts: a file is old or new, never a mixture; one process per output folder."""

import errno
import fcntl
import hashlib
import itertools
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMP_PREFIX = ".arc-solver."
TEMP_SUFFIX = ".tmp"
LOCK_NAME = ".arc-solver.lock"
_HELD = (errno.EWOULDBLOCK, errno.EACCES)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FOLDER_SYNC_UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP)
_temp_numbers = itertools.count()


class StorageError(OSError):
    """A file could not be written; the text names the file, and for a full disk the bytes needed."""

    exit_code = 1


class FolderInUse(RuntimeError):
    """Another process uses the folder; the text names its pid."""

    exit_code = 1


def write_atomic(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write `data` to `path` so that a reader, or a crash, sees the old file or the new one, nothing else.

    Missing folders are made and symbolic links followed. StorageError leaves the old file intact and no
    temporary file behind, and so does an exception of the iterable, which is passed on.
    """
    path = Path(path)
    chunks: Iterable[bytes] = (data,) if isinstance(data, bytes) else data
    needed = 0
    with named(path):
        target = target_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temp, descriptor = _open_temp(target.parent)
    try:
        try:
            for chunk in chunks:
                needed += memoryview(chunk).nbytes
                with named(path, needed):
                    _write_all(descriptor, chunk)
            with named(path, needed):
                os.fsync(descriptor)
                temp.replace(target)  # while still locked, or a sweep could remove it
        finally:
            with named(path, needed):
                os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            temp.unlink()  # after a replace nothing of that name is left
        raise
    with named(path, needed):
        _sync_folder(target.parent)


def target_of(path: Path) -> Path:
    """The file that `path` resolves to, existing or not; StorageError if something else is in its place."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise StorageError(f"cannot write {path}: it is not a regular file; choose another path")
    return target


def append_line(path: Path, line: bytes) -> None:
    """Append one line to a log in a single write, after ending a line that a crash cut short.

    A log is not an artifact: it may end in half a line, which its readers skip.
    """
    with named(path, len(line) + 1):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            _write_all(descriptor, line + b"\n")
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file; one that is already gone is not an error."""
    with named(path, verb="remove"):
        Path(path).unlink(missing_ok=True)


def sweep_stale(folder: Path) -> int:
    """Remove the temporary files that dead processes left in `folder`; returns how many."""
    num_removed = 0
    for temp in Path(folder).glob(f"{TEMP_PREFIX}*{TEMP_SUFFIX}"):
        with suppress(OSError):
            descriptor = os.open(temp, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                # A live writer holds the lock; a pid alone is misleading after a reboot or in a container.
                if _try_lock(descriptor):
                    temp.unlink()
                    num_removed += 1
            finally:
                os.close(descriptor)
    return num_removed


def sweep_beside(*targets: Path | None) -> None:
    """Sweep the folders that these files will be written to; links are followed, as the writer does."""
    for folder in {Path(os.path.realpath(target)).parent for target in targets if target is not None}:
        sweep_stale(folder)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Own `folder` (made if missing) during the block; FolderInUse at once if another process does.

    The lock is the kernel's (flock) and ends with the process, however that ends; the small lock file stays.
    A folder made for a block that failed before it wrote anything is removed again.
    """
    folder = Path(folder)
    made = not folder.exists()
    try:
        advice = "wait for it or choose another folder"
        descriptor = take_lock(folder / LOCK_NAME, f"{folder} is in use", advice)
    except OSError as error:
        raise StorageError(f"cannot use {folder} as an output folder: {error.strerror}") from error
    try:
        sign(folder / LOCK_NAME, descriptor)
        yield
        made = False
    finally:
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            if made and [path.name for path in folder.iterdir()] == [LOCK_NAME]:
                (folder / LOCK_NAME).unlink()
                folder.rmdir()
        with suppress(OSError):  # the lock is released all the same
            os.close(descriptor)


def take_lock(lock: Path, fact: str, advice: str) -> int:
    """The descriptor of the file `lock`, made with its folder if missing, and locked.

    FolderInUse, beginning with `fact`, if another process holds it; OSError if it cannot be made.
    """
    was_swept = False
    while True:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if _try_lock(descriptor):
                if os.fstat(descriptor).st_nlink:
                    return descriptor
                # Its owner has just removed the file: a lock on it keeps nobody out.
            else:
                owner = _owner(descriptor)
                if owner is not None or was_swept:
                    raise FolderInUse(f"{fact} by {owner or 'another process'}; {advice}")
                was_swept = True  # a sweep holds a lock for a moment
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def sign(lock: Path, descriptor: int) -> None:
    """Write our pid into a lock file that we hold."""
    owner = f"{os.getpid()}\n".encode()
    with named(lock, len(owner)):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, owner, 0)


def sha256_file(path: Path) -> str:
    """The SHA-256 of the file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _open_temp(folder: Path) -> tuple[Path, int]:
    """A new locked temporary file in `folder`: its path and its descriptor."""
    while True:
        temp = folder / f"{TEMP_PREFIX}{os.getpid()}-{next(_temp_numbers)}{TEMP_SUFFIX}"
        try:
            descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        # A sweep between the two calls may have locked or removed the file: start over with a new one.
        if _is_mine(descriptor):
            return temp, descriptor
        os.close(descriptor)


def _is_mine(descriptor: int) -> bool:
    """Whether the new temporary file is locked and still exists; True if the file system has no locks."""
    try:
        return _try_lock(descriptor) and os.fstat(descriptor).st_nlink > 0
    except OSError:
        return True


def _write_all(descriptor: int, chunk: bytes) -> None:
    """Write the whole chunk, however small the pieces that the system accepts."""
    view = memoryview(chunk).cast("B")
    while view:
        view = view[os.write(descriptor, view) :]


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, unless the file system cannot sync folders."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _FOLDER_SYNC_UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def named(path: Path, needed: int = 0, verb: str = "write") -> Iterator[None]:
    """Turn the system's error into a StorageError that names `path`, of which `needed` bytes are written."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in _FULL:
            folder = next(parent for parent in path.resolve().parents if parent.is_dir())
            available = shutil.disk_usage(folder).free
            reason = f"the disk is full: {needed} bytes needed, {available} available in {folder}"
        raise StorageError(f"cannot {verb} {path}: {reason}") from error


def _owner(descriptor: int) -> str | None:
    """Who holds the lock, None if unknown; waits a moment for an owner that has not yet signed."""
    for _ in range(50):
        text = os.pread(descriptor, 32, 0).strip()
        if text.isdigit() and _is_alive(int(text)):
            return f"process {int(text)}"
        time.sleep(0.01)
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
