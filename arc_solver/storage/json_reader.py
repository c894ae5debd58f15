"""JSON as we accept it: UTF-8, limited in size and depth, without repeated keys, NaN or Infinity.

What is wrong inside a value becomes a `Flaw` in its place, so that one bad task does not cost the others.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from arc_solver.storage.source import open_source
from arc_solver.storage.text import LONE_SURROGATE, DataError, label_of, quoted, shown

MAX_BYTES = 64 * 2**20
QUICK_BYTES = 2**25  # the fast parser takes three times the memory of the other
MAX_DEPTH = 8
MAX_CUTS = 10_000
# Limits on what is built: in memory, lists and objects take many times the bytes of their text.
MAX_LISTS, MAX_TEXTS, MAX_FLAWS = 1_000_000, 2_000_000, 10_000
MAX_DIGITS = 18  # every such integer fits 64 bits
_BOM = b"\xef\xbb\xbf"
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_STEP = np.zeros(256, np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1
_DEEP = b'"\\udead"'  # lone surrogates are refused, so no accepted string equals it
_DEEP_TEXT = f"nested deeper than {MAX_DEPTH}"


@dataclass(frozen=True)
class Flaw:
    """Stands in place of a value that we refuse; `last` is what a lenient reader would have taken."""

    text: str
    last: object = None


_CONSTANTS = {text: Flaw(f"{text} is not a JSON number") for text in ("NaN", "Infinity", "-Infinity")}


@dataclass(frozen=True)
class Document:
    """A parsed text. If `flawed` is False it holds no Flaw and no string that UTF-8 cannot encode."""

    value: object
    flawed: bool


def read_document(source: Path | str) -> Document:
    """Read and parse a file, gzipped or not, or standard input for "-"; DataError names file and place."""
    return parse(read_bytes(source), label_of(source))


def read_bytes(source: Path | str) -> bytes:
    """The bytes of a file or of standard input, unzipped, at most MAX_BYTES of them; else DataError."""
    label = label_of(source)
    with open_source(source) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DataError(f"{label}: larger than {MAX_BYTES >> 20} MB; split it")
    return data


def parse(data: bytes, label: str) -> Document:
    """Parse JSON text: DataError with line and column if it is not JSON, a Flaw for each value refused."""
    if not data.strip():
        raise DataError(f"{label}: empty")
    if data.startswith(_BOM):
        raise DataError(f"{label}: starts with a byte order mark; save it as plain UTF-8")
    if data.count(b"[") + data.count(b"{") > MAX_LISTS or data.count(b'"') > 2 * MAX_TEXTS:
        raise DataError(f"{label}: over {MAX_LISTS:,} lists and objects, or {MAX_TEXTS:,} texts; split it")
    flat = _cut_deep(data, label)
    # The hook for integers would be called for every cell, so it is used only if some number is long.
    long_digits = b"0" * (MAX_DIGITS + 1) in data.translate(_DIGITS_TO_ZERO)
    if flat is data and not long_digits and len(data) <= QUICK_BYTES:
        value = _quick(data)
        if value is not None:
            return Document(value, flawed=False)
    refusals = _Refusals(label, flat is not data or _SURROGATE_ESCAPE.search(data) is not None)
    try:
        value = json.loads(
            flat.decode("utf-8"),
            object_pairs_hook=refusals.unique,
            parse_float=refusals.real,
            parse_int=refusals.whole if long_digits else None,
            parse_constant=refusals.constant,
        )
    except UnicodeDecodeError as error:
        raise DataError(f"{label}: not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        place = f"not JSON: line {error.lineno} column {error.colno}: {shown(error.msg)}"
        raise DataError(f"{label}: {place if flat is data else _DEEP_TEXT}") from error
    return Document(value, refusals.found)


@dataclass
class _Refusals:
    """The parser's hooks: what is refused becomes a Flaw, and `found` says whether there was one."""

    label: str
    found: bool
    num_flaws: int = 0

    def unique(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) < len(pairs):
            seen: set[str] = set()
            for key, last in pairs:
                if key in seen:
                    value[key] = self._flaw("the key appears twice", last)
                seen.add(key)
        return value

    def real(self, text: str) -> object:
        number = float(text)
        return number if math.isfinite(number) else self._flaw(f"the number {shown(text, 24)} is too large")

    def whole(self, text: str) -> object:
        digits = len(text.lstrip("-"))
        return (
            int(text) if digits <= MAX_DIGITS else self._flaw(f"an integer of {digits} digits is too large")
        )

    def constant(self, text: str) -> object:
        self.found = True
        return _CONSTANTS[text]

    def _flaw(self, text: str, last: object = None) -> Flaw:
        self.found = True
        self.num_flaws += 1
        if self.num_flaws > MAX_FLAWS:
            raise DataError(f"{self.label}: over {MAX_FLAWS:,} values that cannot be taken; the last: {text}")
        return Flaw(text, last)


def _quick(data: bytes) -> object:
    """The value of a text without flaws, or None if the slower parser has to judge.

    orjson refuses everything that we do except repeated keys, which leave fewer keys than there are colons.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    num_colons = np.count_nonzero(_outside_strings(data) == ord(":"))
    return value if _num_keys(value) == num_colons else None


def _num_keys(value: object) -> int:
    """The keys of all objects inside, except in lists that do not begin with an object; never too many."""
    if isinstance(value, dict):
        return len(value) + sum(map(_num_keys, value.values()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sum(map(_num_keys, value))
    return 0


def flaws(value: object) -> Iterator[tuple[str, str]]:
    """Everything refused inside `value` as (place, text), the place written as in `.train[0].input[3]`."""
    if isinstance(value, Flaw | str):
        text = value.text if isinstance(value, Flaw) else _flaw_of_string(value)
        if text:
            yield "", text
    elif isinstance(value, dict):
        for key, each in value.items():
            text = _flaw_of_string(key)
            if text:
                yield "", f"a key {quoted(key)}: {text}"
            yield from ((f".{shown(key, 40)}{place}", text) for place, text in flaws(each))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from ((f"[{index}]{place}", text) for place, text in flaws(each))


def _cut_deep(data: bytes, label: str) -> bytes:
    """`data` with what is nested too deep replaced by `_DEEP`, so that the parser cannot exhaust the stack.

    Up to the first syntax error the nesting found here is that of the parser; after it nothing matters.
    """
    steps = _STEP[_outside_strings(data)]
    deep = np.cumsum(steps, dtype=np.int32) > MAX_DEPTH
    if not deep.any():
        return data
    edges = np.flatnonzero(np.diff(deep, prepend=False, append=False)).tolist()
    if len(edges) > 2 * MAX_CUTS:
        raise DataError(f"{label}: {_DEEP_TEXT} in more than {MAX_CUTS} places")
    pieces, start = [], 0
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        pieces += [data[start:first], _DEEP]
        start = after + 1  # its closing bracket is already one level up
    return b"".join([*pieces, data[start:]])


def _outside_strings(data: bytes) -> npt.NDArray[np.uint8]:
    """The bytes of the text, with zeros for the content of its strings."""
    # With escapes blanked (pairwise from the left), every remaining quote opens or closes a string.
    plain = data.replace(rb"\\", b"  ").replace(rb"\"", b"  ") if b"\\" in data else data
    codes = np.frombuffer(plain, np.uint8)
    is_inside = np.bitwise_xor.accumulate(codes == ord('"'))
    return codes * ~is_inside


def _flaw_of_string(text: str) -> str | None:
    if text == "\udead":
        return _DEEP_TEXT
    return "a lone surrogate in a text" if LONE_SURROGATE.search(text) else None
