"""Foreign values in messages: ASCII, one line and short, whatever they hold."""

import json
import re

MAX_SHOWN = 60
_PLAIN = re.compile(r"[\w.:+-]{1,60}", re.ASCII)


def quote(text: str) -> str:
    """`text` in double quotes with everything but printable ASCII escaped; long texts are cut and say so."""
    if len(text) <= MAX_SHOWN:
        return json.dumps(text).replace("\x7f", "\\u007f")
    return f"{quote(text[:MAX_SHOWN])}... ({len(text)} characters)"


def named(text: str) -> str:
    """An id in a list of ids: bare if it is plain, else in quotes."""
    return text if _PLAIN.fullmatch(text) else quote(text)


def describe(value: object) -> str:
    """A value in a few words: numbers, strings and constants as JSON, everything else by its kind."""
    if isinstance(value, str):
        return quote(value)
    if value is None or isinstance(value, bool | int | float):
        text = json.dumps(value)
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return f"a {type(value).__name__}"


def clean(text: str) -> str:
    """`text` with lone surrogates escaped, so that it can be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def count(number: int, noun: str, many: str | None = None) -> str:
    """`number` with its noun: "1 task", "2,000 tasks"; `many` is a plural without a plain s."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {many or f'{noun}s'}"
