"""The outputs that came with tasks, and a hash of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from arc_solver.tasks.task import Task
from augment.grid import Grid


def carried_truth(tasks: Sequence[Task]) -> dict[str, list[Grid]]:
    """The outputs of those tasks that carry all of theirs."""
    return {
        task.id: [np.array(pair.output) for pair in task.test]
        for task in tasks
        if task.test and all(pair.output is not None for pair in task.test)
    }


def truth_hash(truth: dict[str, list[Grid]]) -> str:
    """A hash of outputs that did not come as one file."""
    digest = hashlib.sha256()
    for task_id, grids in truth.items():
        digest.update(f"{len(task_id)} {task_id} {len(grids)}".encode())
        for grid in grids:
            digest.update(f"{grid.shape}".encode() + grid.tobytes())
    return digest.hexdigest()
