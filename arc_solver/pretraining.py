"""`python -m arc_solver.pretraining DATA_DIR OUT`: the real tasks that the boxed ARC weights learned from.

Of the ARC-AGI-1 training set and ConceptARC those whose every grid fits a canvas of 11, with their answers.
The training tasks that fit a canvas of 7 are left out: the demonstration (`make run`) answers them. No task
of an evaluation set is read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from arc_solver.domain.arc import task_side
from arc_solver.files import write_atomic
from arc_solver.task import Task, read_tasks

LARGEST_GRID = 10
DEMONSTRATED_CANVAS = 7
SETS = {"arc1_training": DEMONSTRATED_CANVAS, "concept": 0}


def small_tasks(data_dir: Path) -> list[Task]:
    """The tasks of both sets, answers included, in the order of the files. Raises DataError."""
    found = []
    for name, left_out in SETS.items():
        tasks = read_tasks(
            data_dir / f"{name}_challenges.json", solutions=data_dir / f"{name}_solutions.json"
        )
        found += [task for task in tasks if task_side(task) > left_out and _largest(task) <= LARGEST_GRID]
    return found


def _largest(task: Task) -> int:
    pairs = (*task.train, *task.test)
    return max(max(grid.shape) for pair in pairs for grid in (pair.input, pair.output) if grid is not None)


def as_json(tasks: Sequence[Task]) -> bytes:
    """The tasks as one file that `train --data` takes."""
    return orjson.dumps(
        {
            task.id: {
                part: [
                    {"input": pair.input, "output": pair.output} for pair in pairs if pair.output is not None
                ]
                for part, pairs in (("train", task.train), ("test", task.test))
            }
            for task in tasks
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def main(arguments: Sequence[str]) -> None:
    """Write the file."""
    data_dir, out = map(Path, arguments)
    tasks = small_tasks(data_dir)
    write_atomic(out, as_json(tasks))
    print(f"{out}: {len(tasks)} tasks")


if __name__ == "__main__":
    main(sys.argv[1:])
