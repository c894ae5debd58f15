"""The lines of a text file that may be gzipped, large or standard input, read one at a time under caps."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from arc_solver.storage.text import STDIN, DataError, label_of

MAX_BYTES = 2**30
MAX_LINE = 2**17
_BOM = "\ufeff"
_GZIP_MAGIC = b"\x1f\x8b"


def read_lines(source: Path | str) -> Iterator[str]:
    """The lines of a file, or of standard input for "-", with their ends and without a byte order mark.

    Raises DataError where the source cannot be read, a line is over MAX_LINE bytes or the whole MAX_BYTES.
    """
    label = label_of(source)
    number, size = 0, 0
    try:
        with ExitStack() as stack:
            opened = stack.enter_context(_opened(source))
            stream: BinaryIO = opened
            if opened.peek(2)[:2] == _GZIP_MAGIC:
                stream = stack.enter_context(gzip.GzipFile(fileobj=opened))
            while line := stream.readline(MAX_LINE + 1):
                number += 1
                size += len(line)
                if len(line) > MAX_LINE:
                    raise DataError(f"{label} row {number}: longer than {MAX_LINE} bytes")
                if size > MAX_BYTES:
                    raise DataError(f"{label}: larger than {MAX_BYTES >> 20} MB; split it")
                text = line.decode("utf-8")
                yield text.removeprefix(_BOM) if number == 1 else text
    except UnicodeDecodeError as error:
        raise DataError(f"{label} row {number}: not UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{label}: damaged gzip file: {error}") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        if isinstance(error, DataError):
            raise
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise DataError(f"{label}: cannot be read: {reason}") from error


@contextmanager
def _opened(source: Path | str) -> Iterator[io.BufferedReader]:
    """The bytes of the source; standard input stays open."""
    if str(source) == STDIN:
        stream = io.BufferedReader(sys.stdin.buffer)
        yield stream
        stream.detach()
    else:
        with Path(source).open("rb") as stream:
            yield stream
