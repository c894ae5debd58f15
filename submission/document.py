"""The JSON border: bytes in, plain values out, every oddity of the text refused or kept visible."""

import gzip
import io
import json
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from submission.messages import quote

MAX_BYTES = 64 << 20
MAX_ID_LENGTH = 128
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"
# Longer integers are beyond any float.
_LONG_INTEGER = 320


class DocumentError(ValueError):
    """The text is no JSON document of a sensible size; the text says where."""

    exit_code = 3


class RepeatingObject(dict[str, Any]):
    """A JSON object in which a key came more than once: the last value stands, `repeated` names the keys."""

    repeated: tuple[str, ...] = ()


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file, unpacked if it is gzip, else DocumentError (unreadable, damaged, too large)."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
        if data.startswith(GZIP_MAGIC):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(max_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DocumentError(f"{path}: damaged gzip data: {error}") from error
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise DocumentError(f"{path}: over {max_bytes >> 20} MB, which no file of this kind needs")
    return data


def parse(data: bytes) -> Any:
    """The JSON value of UTF-8 text, else DocumentError.

    Repeated keys give a RepeatingObject; NaN and Infinity become floats, which no check takes for a cell.
    """
    if len(data) > MAX_BYTES:
        raise DocumentError(f"over {MAX_BYTES >> 20} MB, which no file of this kind needs")
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
    """What is wrong with a task id, or None: ids are strings of 1 to 128 printable-or-space code points."""
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
    """Pass a good task id, else DocumentError naming `place`."""
    fault = id_fault(task_id)
    if fault is not None:
        raise DocumentError(f"{place}: {quote(task_id)} {fault}")


def _collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    collected = dict(pairs)
    if len(collected) == len(pairs):
        return collected
    repeating = RepeatingObject(collected)
    times = Counter(key for key, _ in pairs)
    repeating.repeated = tuple(key for key, number in times.items() if number > 1)
    return repeating


def _value(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_collect)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to read integers of thousands of digits; a prefix of hundreds is as far out of range.
        return json.loads(
            text, object_pairs_hook=_collect, parse_int=lambda digits: int(digits[:_LONG_INTEGER])
        )
