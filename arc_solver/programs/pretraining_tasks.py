"""The real tasks that the shipped ARC weights learned from: `... programs.pretraining_tasks DATA_DIR OUT`.

Of the training sets of ARC-AGI-1 and 2 and of ConceptARC those whose every grid fits a canvas of 11, with
their answers. Left out are ARC-AGI-1 tasks that fit a canvas of 7, which the demonstration (`make run`)
answers, and every task that an evaluation set holds too, under its id or with one of its inputs: the training
set of ARC-AGI-2 has most evaluation tasks of ARC-AGI-1. Their solutions are not opened.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from arc_solver.domains.arc.examples import task_side
from arc_solver.storage.files import write_atomic
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task
from arc_solver.tasks.writer import tasks_json

LARGEST_GRID = 10
DEMONSTRATED_CANVAS = 7
TRAINING_SETS = ("arc1_training", "arc2_training", "concept")
EVALUATION_SETS = ("arc1_evaluation", "arc2_evaluation")


def small_tasks(data_dir: Path) -> list[Task]:
    """The tasks of all sets, answers included, in the order of the files. Raises DataError."""
    evaluated = [
        task for name in EVALUATION_SETS for task in read_tasks(data_dir / f"{name}_challenges.json")
    ]
    seen = set().union(*map(_marks, evaluated))
    found = []
    for name in TRAINING_SETS:
        path = data_dir / f"{name}_challenges.json"
        tasks = read_tasks(path, solutions=data_dir / f"{name}_solutions.json")
        least = DEMONSTRATED_CANVAS + 1 if name == "arc1_training" else 0
        found += [
            task
            for task in tasks
            if task_side(task) >= least and _largest(task) <= LARGEST_GRID and seen.isdisjoint(_marks(task))
        ]
        seen = seen.union(*map(_marks, tasks))
    return found


def _marks(task: Task) -> set[object]:
    """What tells that two tasks are one: the id and the input grids."""
    return {task.id, *((pair.input.shape, pair.input.tobytes()) for pair in (*task.train, *task.test))}


def _largest(task: Task) -> int:
    pairs = (*task.train, *task.test)
    grids = [grid for pair in pairs for grid in (pair.input, pair.output) if grid is not None]
    return max(max(grid.shape) for grid in grids)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        prog="python -m arc_solver.programs.pretraining_tasks", description=__doc__
    )
    parser.add_argument("data_dir", type=Path, help="folder with the files arc1_*, arc2_* and concept_*")
    parser.add_argument("out", type=Path, help="the file to write")
    asked = parser.parse_args()
    tasks = small_tasks(asked.data_dir)
    write_atomic(asked.out, tasks_json(tasks))
    print(f"{asked.out}: {len(tasks)} tasks")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
