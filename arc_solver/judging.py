"""Where the right answers come from: a solutions file, tasks with outputs, or a published set by name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from arc_solver.sources.arc import BUILTIN_NAMES
from arc_solver.task import Task, read_tasks
from submission.truth import Truth, TruthError, read_solutions


def read_truth(source: str) -> tuple[Truth, str]:
    """Outputs per task and their hash: of the file, or for sets by name and folders of the outputs themselves."""
    path = Path(source)
    if source not in BUILTIN_NAMES and not path.is_dir():
        return read_solutions(path)
    truth = carried_truth(read_tasks(source))
    if not truth:
        raise TruthError(f"{source}: no task there carries all of its outputs")
    return truth, truth_hash(truth)


def carried_truth(tasks: Sequence[Task]) -> Truth:
    """The outputs of those tasks that carry all of theirs."""
    return {
        task.id: [np.array(pair.output) for pair in task.test]
        for task in tasks
        if task.test and all(pair.output is not None for pair in task.test)
    }


def truth_hash(truth: Truth) -> str:
    """A hash of outputs that did not come as one file."""
    digest = hashlib.sha256()
    for task_id, grids in truth.items():
        digest.update(f"{len(task_id)} {task_id} {len(grids)}".encode())
        for grid in grids:
            digest.update(f"{grid.shape}".encode() + grid.tobytes())
    return digest.hexdigest()
