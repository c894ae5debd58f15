"""The speed of drawing and checking generated tasks, on one core and on all."""

from __future__ import annotations

import itertools
from typing import Any

from arc_solver.benchmarks.figures import figure, seconds
from arc_solver.corpus.synthetic.tasks import SyntheticName, synthetic_task, synthetic_tasks
from arc_solver.hardware.accelerators import usable_cores

NUM_TASKS, NUM_QUICK_TASKS = 1000, 200
NUM_PER_CORE = 2000
MAX_SIDE = 10


def measure_synthetic(quick: bool, runs: int) -> list[dict[str, Any]]:
    """Tasks per second with sides up to MAX_SIDE; every run draws other tasks.

    With a worker process per core, starting them counts; the quick form omits that.
    """
    num = NUM_QUICK_TASKS if quick else NUM_TASKS
    first = itertools.count(0, num)

    def draw() -> None:
        start = next(first)
        for number in range(start, start + num):
            synthetic_task(0, number, MAX_SIDE)

    seeds = itertools.count(1)

    def draw_together() -> None:
        for _ in synthetic_tasks(SyntheticName(NUM_PER_CORE * cores, next(seeds), MAX_SIDE), cores):
            pass

    found = [figure("synthetic.tasks_per_second", [num / taken for taken in seconds(draw, runs)], "tasks/s")]
    cores = usable_cores()
    if not quick and cores > 1:
        rates = [NUM_PER_CORE * cores / taken for taken in seconds(draw_together, 1)]
        found.append(figure("synthetic.tasks_per_second_all_cores", rates, "tasks/s"))
    return found
