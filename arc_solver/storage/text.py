"""Foreign names and values made safe for one line of a message, and the error that carries such a line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

STDIN = "-"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class DataError(ValueError):
    """Bad input data; the text is one line that says where."""

    exit_code = 3


def shown(text: object, limit: int = 160) -> str:
    """`text` for a message: printable, on one line, cut after `limit` characters."""
    text = str(text)
    cut = text if len(text) <= limit else text[:limit] + "..."
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in cut)


def quoted(text: str) -> str:
    """`text` in double quotes, safe in a terminal."""
    return '"' + shown(text.replace("\\", "\\\\").replace('"', '\\"'), 80) + '"'


def count(number: int, noun: str, many: str | None = None) -> str:
    """`number` with its noun: "1 task", "2,000 tasks"; `many` is a plural without a plain s."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {many or f'{noun}s'}"


def label_of(source: Path | str) -> str:
    """The name of a source in messages: the path as given, or "stdin"."""
    return "stdin" if str(source) == STDIN else shown(source)


def near(name: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """The end of a message: the known name that is similar to at least the `cutoff`, or nothing."""
    found = difflib.get_close_matches(name, sorted(known), 1, cutoff)
    return f"; did you mean {found[0]}?" if found else ""


def escaped(text: str) -> str:
    """`text` with every control, format and lone surrogate character escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable(text: str, limit: int = 128) -> str:
    """`text`, escaped and cut to `limit` characters."""
    # Escaping never shortens, so no more than `limit` characters of input can show.
    whole = escaped(text[: limit + 1])
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"
