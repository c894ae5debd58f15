"""The border to JSON: bytes in, plain values out; every oddity of the text is refused or kept visible."""

import gzip
import json
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, cast

from submission.messages import quote

MAX_BYTES = 64 << 20
# Limits on what is built: in memory, lists and objects take many times the bytes of their text.
MAX_LISTS, MAX_TEXTS, MAX_REPEATING = 1_000_000, 2_000_000, 10_000
MAX_ID_LENGTH = 128
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"
# Longer integers are beyond any float.
_LONG_INTEGER = 320


class DocumentError(ValueError):
    """The text is not a JSON document of a sensible size; the message says where."""

    exit_code = 3


class OversizeError(DocumentError):
    """The text, or what it would build, is larger than any such file needs to be."""


class RepeatingObject(dict[str, Any]):
    """A JSON object with a repeated key: its last value counts, `repeated` names the keys."""

    repeated: tuple[str, ...] = ()


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The content of a file, unpacked if it is gzip; DocumentError for what goes wrong while it is open."""
    try:
        # Opening a named pipe blocks until somebody writes; the pipes of a shell have no name.
        if stat.S_ISFIFO(path.stat().st_mode) and path.resolve().exists():
            raise DocumentError(f"{path}: a named pipe, expected a file")
        # Opened once and never rewound, or a pipe would lose what was read of it.
        with path.open("rb") as file:
            packed = file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
            with gzip.GzipFile(fileobj=file) if packed else nullcontext(file) as content:
                yield cast(IO[bytes], content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DocumentError(f"{path}: damaged gzip data: {error}") from error
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror or error}") from error


def is_packed(path: Path) -> bool:
    """Whether a file is gzip; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(2) == GZIP_MAGIC
    except OSError:
        return False


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file, unpacked if it is gzip, else DocumentError (unreadable, damaged, too large)."""
    with opened(path) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OversizeError(f"{path}: over {max_bytes >> 20} MB, which no file of this kind needs")
    return data


def parse(data: bytes) -> Any:
    """The JSON value of UTF-8 text, else DocumentError.

    Repeated keys give a RepeatingObject; NaN and Infinity become floats, which no check accepts as a cell.
    """
    if len(data) > MAX_BYTES:
        raise OversizeError(f"over {MAX_BYTES >> 20} MB, which no file of this kind needs")
    if data.count(b"[") + data.count(b"{") > MAX_LISTS or data.count(b'"') > 2 * MAX_TEXTS:
        raise OversizeError(f"over {MAX_LISTS:,} lists and objects, or {MAX_TEXTS:,} texts; split it")
    try:
        return _value(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON at line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise DocumentError("nested far deeper than a grid, expected at most 8 levels") from error


def repeated_keys(value: object) -> tuple[str, ...]:
    """The keys that a parsed JSON object held more than once."""
    return value.repeated if isinstance(value, RepeatingObject) else ()


def id_fault(task_id: object) -> str | None:
    """What is wrong with a task id, or None: ids are strings of 1 to 128 code points, none a control."""
    if not isinstance(task_id, str):
        return "is not a string"
    if not task_id:
        return "is empty"
    if len(task_id) > MAX_ID_LENGTH:
        return f"is longer than {MAX_ID_LENGTH} characters"
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in task_id):
        return "holds control characters"
    if any("\ud800" <= character <= "\udfff" for character in task_id):
        return "holds a lone surrogate"
    return None


def require_id(task_id: str, place: str) -> None:
    """DocumentError naming `place` for a bad task id."""
    fault = id_fault(task_id)
    if fault is not None:
        raise DocumentError(f"{place}: {quote(task_id)} {fault}")


class _Collector:
    """Makes the objects of one text."""

    def __init__(self) -> None:
        self._num_repeating = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        collected = dict(pairs)
        if len(collected) == len(pairs):
            return collected
        self._num_repeating += 1
        if self._num_repeating > MAX_REPEATING:
            raise OversizeError(f"over {MAX_REPEATING:,} objects in which keys come more than once")
        repeating = RepeatingObject(collected)
        times = Counter(key for key, _ in pairs)
        repeating.repeated = tuple(key for key, number in times.items() if number > 1)
        return repeating


def _value(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_Collector())
    except (json.JSONDecodeError, DocumentError):
        raise
    except ValueError:
        # Python refuses to read integers of thousands of digits; their first hundreds are out of range too.
        return json.loads(
            text, object_pairs_hook=_Collector(), parse_int=lambda digits: int(digits[:_LONG_INTEGER])
        )
