"""How fast generated tasks are drawn and checked, on one core."""

from __future__ import annotations

import itertools
from typing import Any

from arc_solver.benchmarks.figures import figure, seconds
from arc_solver.sources.synthetic.tasks import synthetic_task

NUM_TASKS, NUM_QUICK_TASKS = 1000, 200
MAX_SIDE = 10


def measure_synthetic(quick: bool, runs: int) -> list[dict[str, Any]]:
    """Tasks a second with sides up to MAX_SIDE; every run draws other tasks."""
    num = NUM_QUICK_TASKS if quick else NUM_TASKS
    first = itertools.count(0, num)

    def draw() -> None:
        start = next(first)
        for number in range(start, start + num):
            synthetic_task(0, number, MAX_SIDE)

    return [figure("synthetic.tasks_per_second", [num / taken for taken in seconds(draw, runs)], "tasks/s")]
