"""The bytes of a file or standard input, unzipped if gzip, of which the head can be read in advance."""

import gzip
import io
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from arc_solver.storage.text import STDIN, DataError, label_of, shown

HEAD_BYTES = 2**16
_GZIP_MAGIC = b"\x1f\x8b"
# The first bytes of files that hold no text, and what to say of them.
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"\xfd7zXZ": "an xz file; unpack it first",
    b"BZh": "a bzip2 file; unpack it first",
    b"version https://git-lfs": "a git-lfs pointer, not the file itself; fetch the file with `git lfs pull`",
}
_HEAD = max(map(len, _NO_TEXT))
# A gzip file may unpack to FREE_BYTES (more than the limit for JSON, which is reported first), or to
# MAX_RATIO times its own size.
FREE_BYTES, MAX_RATIO = 2**26 + 2**20, 100
# Sources that cannot be opened twice (standard input, a pipe) whose head was read: the stream and that head.
_begun: dict[str, tuple[BinaryIO, bytes]] = {}


@contextmanager
def open_source(source: Path | str) -> Iterator[BinaryIO]:
    """The unzipped bytes of a file, or of standard input for "-", which stays open.

    DataError if it cannot be opened, or for any error while it is read.
    """
    label = label_of(source)
    try:
        with ExitStack() as stack:
            stream, head = _stream_of(source, stack)
            head += stream.read(_HEAD - len(head)) if len(head) < _HEAD else b""
            whole = _Joined(head, stream)
            if head.startswith(_GZIP_MAGIC):
                yield cast(BinaryIO, io.BufferedReader(stack.enter_context(_Unzipped(whole, label))))
            elif foreign := next((text for start, text in _NO_TEXT.items() if head.startswith(start)), None):
                raise DataError(f"{label}: {foreign}")
            else:
                yield cast(BinaryIO, io.BufferedReader(whole))
    except DataError:
        raise
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{label}: damaged gzip file: {shown(error)}") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = (
            (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        )
        raise DataError(f"{label}: cannot be read: {shown(reason)}") from error


def read_head(source: Path | str) -> bytes:
    """The first HEAD_BYTES of a source, unzipped; empty if it cannot be read."""
    name = str(source)
    try:
        with ExitStack() as stack:
            stream, head = _stream_of(source, stack)
            head += stream.read(HEAD_BYTES - len(head))
            if not _can_be_read_again(name):
                _begun[name] = stream, head
                stack.pop_all()
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES) if head.startswith(_GZIP_MAGIC) else head
    except (OSError, ValueError, zlib.error):
        return b""


def exists(source: Path | str) -> bool:
    """Whether a file or folder has this name."""
    try:
        return Path(source).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _stream_of(source: Path | str, stack: ExitStack) -> tuple[BinaryIO, bytes]:
    """The stream of a source, and what was read of it before."""
    name = str(source)
    stream, head = _begun.pop(name, (None, b""))
    if name == STDIN:
        return sys.stdin.buffer, head if stream is sys.stdin.buffer else b""
    return stack.enter_context(stream or _opened(Path(source))), head


def _opened(path: Path) -> BinaryIO:
    """The bytes of `path`; DataError for a named pipe, since opening it blocks until somebody writes.

    The pipe that a shell puts in place of `<(command)` has no name, and is read.
    """
    if stat.S_ISFIFO(path.stat().st_mode) and path.resolve().exists():
        raise DataError(f"{label_of(path)}: a named pipe, expected a file; hand it over as standard input")
    return path.open("rb")


def _can_be_read_again(name: str) -> bool:
    return name != STDIN and stat.S_ISREG(Path(name).stat().st_mode)


class _Joined(io.RawIOBase):
    """What was read in advance, then the rest of the stream, which stays open."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream
        self.num_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        data = self._head[: len(buffer)] if self._head else self._stream.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        self.num_read += len(data)
        return len(data)


class _Unzipped(io.RawIOBase):
    """The content of a gzip stream; DataError once it is out of all proportion to the stream."""

    def __init__(self, packed: _Joined, label: str) -> None:
        self._packed, self._label = packed, label
        self._content = gzip.GzipFile(fileobj=io.BufferedReader(packed))
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        data = self._content.read(len(buffer))
        self._size += len(data)
        if self._size > FREE_BYTES and self._size > MAX_RATIO * self._packed.num_read:
            raise DataError(f"{self._label}: unpacks to over {MAX_RATIO} times its size; is it damaged?")
        buffer[: len(data)] = data
        return len(data)
