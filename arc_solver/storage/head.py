"""The first bytes of a source, for who must tell what it is before it is read; reading it stays possible."""

from __future__ import annotations

import contextlib
import io
import sys
import zlib
from pathlib import Path

from arc_solver.storage.line_reader import MAX_BYTES
from arc_solver.storage.text import STDIN

HEAD_BYTES = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_FORMAT = 31  # of zlib: with the header and trailer of gzip


def head_of(source: str | Path) -> bytes:
    """Up to HEAD_BYTES of a file or, for "-", of standard input, unpacked where it is gzipped.

    Empty for what is no regular file or cannot be read: its reader says why.
    """
    data = b""
    with contextlib.suppress(OSError, ValueError):
        data = _stdin_head() if str(source) == STDIN else _file_head(Path(source))
    if data.startswith(_GZIP_MAGIC):
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj(_GZIP_FORMAT).decompress(data, HEAD_BYTES)
    return data


def _file_head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _stdin_head() -> bytes:
    """The head of standard input; what cannot be rewound, a pipe, is held in memory for its reader."""
    stream = sys.stdin.buffer
    if not stream.seekable():
        stream = io.BytesIO(stream.read(MAX_BYTES + 1))
        sys.stdin = io.TextIOWrapper(stream)
    place = stream.tell()
    data = stream.read(HEAD_BYTES)
    stream.seek(place)
    return data
