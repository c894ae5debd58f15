"""The request for a prediction; workers get it as a whole, so that an option is written once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from arc_solver.inference.options import SolveOptions
from arc_solver.prediction.messages import Message


@dataclass(frozen=True)
class PredictRequest:
    """The request for a prediction; names as on the command line. `threads` are per worker."""

    source: str
    out: Path | None
    checkpoint: Path | None = None
    candidates: Path | None = None
    workers: int | None = None
    threads: int | None = None
    solve: SolveOptions = field(default_factory=SolveOptions)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PredictRequest:
        """The request from values by the names of its fields and those of SolveOptions.

        KeyError for a field without a value, except the deadline, which each worker sets.
        """
        named = {**values, "deadline": None}
        own_options: dict[str, Any] = {each.name: _frozen(named[each.name]) for each in fields(SolveOptions)}
        own: dict[str, Any] = {each.name: named[each.name] for each in fields(cls) if each.name != "solve"}
        return cls(**own, solve=SolveOptions(**own_options))

    def to_message(self) -> Message:
        """The request as plain JSON values."""
        return {key: _sent(value) for key, value in asdict(self).items()}

    @classmethod
    def from_message(cls, message: Message) -> PredictRequest:
        """The inverse of `to_message`."""
        solve = SolveOptions(**_received(SolveOptions, message["solve"]))
        return cls(**_received(cls, {**message, "solve": None}) | {"solve": solve})


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _sent(value: Any) -> Any:
    """Paths as text, and text byte by byte: file names need not be UTF-8, but JSON is."""
    if isinstance(value, str | Path):
        return os.fsencode(value).decode("latin-1")
    if isinstance(value, dict):
        return {key: _sent(each) for key, each in value.items()}
    return [_sent(each) for each in value] if isinstance(value, list | tuple) else value


def _received(kind: type, message: Message) -> dict[str, Any]:
    return {each.name: _value(str(each.type), message[each.name]) for each in fields(kind)}


def _value(kind: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_value("str", each) for each in value)
    if not isinstance(value, str):
        return value
    text = os.fsdecode(value.encode("latin-1"))
    return Path(text) if kind.startswith("Path") else text
