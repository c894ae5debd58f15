"""The page with the curves of a training run, from the lines of its metrics file."""

import html
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from arc_solver.report.html_page import document, radios, theme_switch
from arc_solver.report.line_chart import CHART_STYLE, NUM_COLORS, Series, duration, line_chart, number
from arc_solver.storage.regular_file import unreadable
from arc_solver.storage.text import DataError, printable
from submission.messages import count

# A line of figures is a few hundred bytes long.
MAX_BYTES = 1 << 28
MAX_DIGITS = 18
AXES = ("step", "seconds")
# The figures to show first; others follow by name.
FIRST = ("loss", "exact", "ages", "examples_per_s")

CURVE_STYLE = """
:root:has(#axis-step:checked) .by-seconds,:root:has(#axis-seconds:checked) .by-step{display:none}
"""

Record = Mapping[str, Any]


def read_metrics(path: Path) -> tuple[list[dict[str, object]], list[str]]:
    """The records of a metrics file, and remarks; DataError unless the whole file can be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(data) > MAX_BYTES:
        raise DataError(f"{path}: over {MAX_BYTES} bytes, which no run writes; keep the lines of interest")
    return parse_metrics(data, str(path))


def parse_metrics(data: bytes, name: str = "metrics.jsonl") -> tuple[list[dict[str, object]], list[str]]:
    """The records of a file of JSON lines, and a remark if lines are skipped for not being objects.

    A killed run leaves half a line, which the resumed run ends; a last line without a line break is still
    being written.
    """
    records, broken = [], []
    for place, line in enumerate(data.split(b"\n")[:-1], start=1):
        record = _record(line)
        if record is None:
            broken.append(place)
        else:
            records.append(record)
    if not broken:
        return records, []
    lines = count(len(broken), "line")
    return records, [f"{name}: skipped, no JSON object: {lines}, the first is line {broken[0]}"]


def _record(line: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        # Python's reader accepts NaN and Infinity, which its writer writes.
        try:
            value = json.loads(line, parse_int=_whole)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _whole(text: str) -> float:
    # A longer number is no count, and may be too long for Python to read as an integer.
    return int(text) if len(text) <= MAX_DIGITS else float(text)


def build_curves(metrics: Sequence[Record], title: str = "Training", remarks: Sequence[str] = ()) -> str:
    """A page like the report with a chart for each numeric key against "step" and against "seconds".

    Keys that agree after their last "/" share a chart. Left out are values that are not finite numbers, and
    records that a run discarded by resuming from an earlier step. `remarks` are lines below the title.
    """
    records = _current(metrics)
    charts = _charts(records)
    figures = "".join(_figure(name, keys, records) for name, keys in charts.items())
    note = _extent(records) if charts else "No figures yet."
    switch = radios("axis", "against", [("step", "step", None), ("seconds", "time", None)])
    notes = "".join(f'<p class="note">{html.escape(printable(remark, 300))}</p>' for remark in remarks)
    body = (
        f'<header><h1>{html.escape(printable(title))}</h1><p class="note">{note}</p>{notes}</header>\n'
        f'<div class="bar"><div>{switch}{theme_switch()}</div></div>\n<main class="charts">{figures}</main>'
    )
    return document(printable(title), body, CHART_STYLE + CURVE_STYLE)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _current(metrics: Sequence[Record]) -> list[Record]:
    kept: list[Record] = []
    for record in metrics:
        if not _finite(record.get("step")):
            continue
        resumed = bool(kept) and kept[-1]["step"] > record["step"]
        while kept and (kept[-1]["step"] >= record["step"] if resumed else _repeats(record, kept[-1])):
            kept.pop()
        kept.append(record)
    return kept


def _repeats(record: Record, earlier: Record) -> bool:
    # Training and evaluation may both report at one step, with different figures.
    return record["step"] == earlier["step"] and bool(record.keys() & earlier.keys() - set(AXES))


def _charts(records: Sequence[Record]) -> dict[str, list[str]]:
    keys = {key: None for record in records for key, value in record.items() if _finite(value)}
    names: dict[str, list[str]] = {}
    for key in sorted(keys.keys() - set(AXES)):
        names.setdefault(key.rpartition("/")[2], []).append(key)
    order = sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    return {name: names[name] for name in order}


def _series(key: str, axis: str, records: Sequence[Record]) -> Series | None:
    points = sorted(
        (float(record[axis]), float(record[key]))
        for record in records
        if _finite(record.get(axis)) and _finite(record.get(key))
    )
    if not points:
        return None
    x, y = np.array(points).T
    return Series(printable(key, 40), x, y)


def _figure(name: str, keys: Sequence[str], records: Sequence[Record]) -> str:
    drawn = ""
    captions: list[str] = []
    for axis, label in zip(AXES, ("step", "time"), strict=True):
        series = [one for key in keys if (one := _series(key, axis, records)) is not None]
        if not series:
            continue
        drawn += f'<div class="by-{axis}">{line_chart(series, label, seconds=axis == "seconds")}</div>'
        captions = captions or [_caption(one, place) for place, one in enumerate(series)]
    heading = html.escape(printable(name, 60))
    return f'<section class="chart"><h2>{heading}</h2>{"".join(captions)}{drawn}</section>'


def _caption(one: Series, place: int) -> str:
    low, high = float(one.y.min()), float(one.y.max())
    return (
        f'<p class="note"><span class="key" style="background:var(--s{place % NUM_COLORS})"></span>'
        f"{html.escape(one.name)}: last {number(float(one.y[-1]))}, from {number(low)} to {number(high)}</p>"
    )


def _extent(records: Sequence[Record]) -> str:
    times = [float(record["seconds"]) for record in records if _finite(record.get("seconds"))]
    spent = f", {duration(max(times))} of training" if times else ""
    return f"{count(len(records), 'record')} up to step {records[-1]['step']:,}{spent}"
