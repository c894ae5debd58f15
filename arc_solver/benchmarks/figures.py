"""A measured figure: the median of several runs, and how far they lie apart."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def figure(name: str, values: Sequence[float], unit: str) -> dict[str, Any]:
    """`name`, median `value`, `unit`, number of `runs`, and `spread`: (largest − smallest) / median."""
    middle = statistics.median(values)
    spread = (max(values) - min(values)) / middle if middle else 0.0
    return {"name": name, "value": middle, "unit": unit, "runs": len(values), "spread": spread}


def seconds(action: Callable[[], object], runs: int) -> list[float]:
    """The seconds of `runs` runs, after one that warms up and is not counted."""
    action()
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return taken
