"""What is asked of a prediction, and how its tasks travel to another process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arc_solver.prediction.messages import Message
from arc_solver.tasks.task import Pair, Task


@dataclass(frozen=True)
class Wish:
    """What is asked of a prediction; names as on the command line. `seed` and `threads` are per worker."""

    source: str
    out: Path
    checkpoint: Path | None = None
    preset: str | None = None
    settings: tuple[str, ...] = ()
    views: int | None = None
    ages: int | None = None
    adapt: bool = True
    adapt_steps: int | None = None
    adapt_each: bool = False
    keep: Path | None = None
    candidates: Path | None = None
    device: str = "auto"
    threads: int | None = None
    workers: int | None = None
    seed: int = 0
    quiet: bool = False


def packed_tasks(tasks: Sequence[Task]) -> list[Message]:
    """Tasks as a message holds them: without the outputs of their tests."""
    return [
        {
            "id": task.id,
            "train": [[pair.input, pair.output] for pair in task.train],
            "test": [pair.input for pair in task.test],
        }
        for task in tasks
    ]


def unpacked_tasks(values: Sequence[Message]) -> list[Task]:
    """The tasks of a message, their test outputs unknown."""
    return [
        Task(
            value["id"],
            tuple(Pair(np.array(pair[0], np.uint8), np.array(pair[1], np.uint8)) for pair in value["train"]),
            tuple(Pair(np.array(grid, np.uint8), None) for grid in value["test"]),
        )
        for value in values
    ]
