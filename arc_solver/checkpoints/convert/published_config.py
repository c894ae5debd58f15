"""The `all_config.yaml` that the published trainers write beside a checkpoint, as far as a model needs it.

It holds what no shape tells. This reads the block style in which it is written and is strict about the keys
it knows; a YAML library would be a dependency for a dozen values.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.storage.regular_file import read_regular
from arc_solver.storage.text import DataError, quoted, shown

NAME = "all_config.yaml"
MAX_BYTES = 1 << 20
Value = int | float | bool | str
# Key -> type of its value. Other keys in a model's section do not affect it.
KINDS: dict[str, type] = {
    "name": str,
    "H_cycles": int,
    "L_cycles": int,
    "L_layers": int,
    "hidden_size": int,
    "num_heads": int,
    "puzzle_emb_ndim": int,
    "puzzle_emb_len": int,
    "halt_max_steps": int,
    "pos_encodings": str,
    "mlp_t": bool,
    "no_ACT_continue": bool,
    "rope_theta": float,
    "rms_norm_eps": float,
}
POSITIVE = ("H_cycles", "L_cycles", "L_layers", "hidden_size", "num_heads", "halt_max_steps")
SECTION = "arch"
_LINE = re.compile(r"( *)([A-Za-z_]\w*):(?: +(.*))?")
_BOOLEANS = {"true": True, "false": False}
# Models of the same trainers with the same tensor names but another recursion.
OTHER_RECURSIONS = ("trm_singlez", "trm_hier6", "transformers_baseline")


@dataclass(frozen=True)
class PublishedConfig:
    """The values in the file, and its name for messages; empty if there is no file."""

    place: str = ""
    values: dict[str, Value] = field(default_factory=dict)

    def number(self, key: str) -> int | None:
        """A whole number, or None if the file does not have it."""
        value = self.values.get(key)
        return value if type(value) is int else None

    @property
    def prefix(self) -> int | None:
        """Prefix positions: `puzzle_emb_len`, or as many as an embedding row fills."""
        length, row, width = map(self.number, ("puzzle_emb_len", "puzzle_emb_ndim", "hidden_size"))
        if length:
            return length
        is_hrm = ".hrm" in f".{self.values.get('name', '')}"
        if row and width and (is_hrm or length == 0):
            return math.ceil(row / width)
        return None


def read_published_config(path: Path) -> PublishedConfig:
    """The model's section of the file; ConvertError names a line with an impossible value."""
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8")
    except DataError as error:
        raise ConvertError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ConvertError(f"{shown(path)}: not UTF-8 at byte {error.start}") from error
    values: dict[str, Value] = {}
    for number, key, value in _section(text, path):
        if key not in KINDS or value.startswith("${"):  # a reference; trainers write resolved values
            continue
        place = f"{shown(path)}: line {number}"
        if key in values:
            raise ConvertError(f"{place}: {key} stands there twice")
        found = _value(key, value)
        if found is not None:
            values[key] = found
        elif value not in ("null", "~"):
            raise ConvertError(f"{place}: {key} is {quoted(value)}, expected {_wanted(key)}")
    return PublishedConfig(shown(path), values)


def _section(text: str, path: Path) -> list[tuple[int, str, str]]:
    """(Line number, key, text of the value) directly below `arch:`, or at the top level if there is none."""
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(re.sub(r"(^|\s)#.*", "", line).rstrip())
        if match:
            lines.append((number, len(match[1]), match[2], (match[3] or "").strip()))
    starts = [i for i, (_, indent, key, _) in enumerate(lines) if indent == 0 and key == SECTION]
    if not starts:
        return [(number, key, value) for number, indent, key, value in lines if indent == 0]
    first = starts[0]
    if lines[first][3] or first + 1 == len(lines) or lines[first + 1][1] == 0:
        raise ConvertError(
            f"{shown(path)}: line {lines[first][0]}: expected a line for each key of {SECTION}"
        )
    wanted, found = lines[first + 1][1], []
    for number, indent, key, value in lines[first + 1 :]:
        if indent == 0:
            break
        if indent == wanted:
            found.append((number, key, value))
    return found


def _value(key: str, text: str) -> Value | None:
    """The value of a known key; None if the text is not of its type."""
    kind = KINDS[key]
    plain = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
    if kind is bool:
        return _BOOLEANS.get(plain.lower())
    if kind is str:
        return plain or None
    try:
        value = int(plain) if kind is int else float(plain)
    except ValueError:
        return None
    is_sound = math.isfinite(value) and (value >= 1 if key in POSITIVE else value >= 0)
    return value if is_sound and value < 1 << 31 else None


def _wanted(key: str) -> str:
    words = {bool: "true or false", str: "a word", float: "a number"}
    return words.get(KINDS[key], "a whole number" + (" from 1" if key in POSITIVE else ""))
