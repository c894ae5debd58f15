"""Tasks split into parts of about equal cost, the same parts on every machine."""

from __future__ import annotations

import re
from collections.abc import Sequence

from arc_solver.config import ConfigError
from arc_solver.tasks.task import Task, TaskFault

# Attention over L cells costs as much as L² / ATTENTION_CELLS further cells.
ATTENTION_CELLS = 2048


def cost(task: Task) -> float:
    """The cost of answering a task, in cells: its pairs times its canvas, attention included."""
    sides = [max(grid.shape) for pair in task.train for grid in (pair.input, pair.output) if grid is not None]
    sides += [max(pair.input.shape) for pair in task.test]
    cells = float(max(sides, default=1) + 1) ** 2
    return (len(task.train) + len(task.test)) * (cells + cells**2 / ATTENTION_CELLS)


def cut(costs: Sequence[float], num_parts: int) -> list[list[int]]:
    """Indices of `costs` in parts of about equal sums, each part in order; parts may be empty.

    The most expensive is dealt first, each to the part with the least cost so far.
    """
    parts: list[list[int]] = [[] for _ in range(num_parts)]
    sums = [0.0] * num_parts
    for index in sorted(range(len(costs)), key=lambda i: (-costs[i], i)):
        least = min(range(num_parts), key=sums.__getitem__)
        parts[least].append(index)
        # What costs nothing is dealt out evenly too.
        sums[least] += max(costs[index], 1e-9)
    return [sorted(part) for part in parts]


def part_of(
    tasks: Sequence[Task], faults: Sequence[TaskFault], number: int, num_parts: int
) -> tuple[list[Task], dict[str, TaskFault]]:
    """The tasks and faults of part `number`, counted from 1; faults cost nothing."""
    own = cut([*map(cost, tasks), *(0.0 for _ in faults)], num_parts)[number - 1]
    chosen = [tasks[i] for i in own if i < len(tasks)]
    bad = [faults[i - len(tasks)] for i in own if i >= len(tasks)]
    return chosen, {fault.id: fault for fault in bad}


def parse_shard(text: str) -> tuple[int, int]:
    """`2/3` as (2, 3): the second of three parts; ConfigError for anything else."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text, re.ASCII)
    if match is None or int(match[1]) > int(match[2]):
        raise ConfigError(f"--shard {text!r}: expected i/n with 1 <= i <= n, for example 1/3")
    return int(match[1]), int(match[2])
