"""A measured figure: the median of several runs, and their spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def figure(name: str, values: Sequence[float], unit: str) -> dict[str, Any]:
    """`name`, median `value`, `unit`, number of `runs`, and `spread`: the interquartile range."""
    middle = statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else (0.0,) * 3
    return {"name": name, "value": middle, "unit": unit, "runs": len(values), "spread": high - low}


def seconds(action: Callable[[], object], runs: int) -> list[float]:
    """The seconds of each of `runs` runs, after one that warms up."""
    action()
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return taken
