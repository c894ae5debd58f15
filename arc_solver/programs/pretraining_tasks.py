"""The real tasks that ARC weights are pretrained on: `... programs.pretraining_tasks DATA_DIR OUT`.

From the training sets of ARC-AGI-1 and 2 and from ConceptARC, the tasks whose grids have sides of at most
`--largest`, with their answers. `--pairs FILE` adds pairs generated for ARC-AGI-1 training tasks (RE-ARC, as
`{id: {"train": pairs, "test": pairs}}`, also gzipped) to the task of that id, or makes a task of them if its
own grids are too large. Left out are ARC-AGI-1 tasks that fit a canvas of 7, which the demonstration
(`make run`) answers, the development set, and every task that shares its id or an input with a task of an
evaluation set: the training set of ARC-AGI-2 has most evaluation tasks of ARC-AGI-1. Their solutions are not
opened.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path

from arc_solver.domains.arc.examples import task_side
from arc_solver.programs.development_set import development_tasks
from arc_solver.storage.files import write_atomic
from arc_solver.storage.text import DataError
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Pair, Task
from arc_solver.tasks.writer import tasks_json

DEMONSTRATED_CANVAS = 7
TRAINING_SETS = ("arc1_training", "arc2_training", "concept")
EVALUATION_SETS = ("arc1_evaluation", "arc2_evaluation")


def training_tasks(data_dir: Path, largest: int, generated: Path | None = None) -> list[Task]:
    """The tasks of all sets, answers included, in the order of the files. Raises DataError."""
    hidden = [task for name in EVALUATION_SETS for task in read_tasks(data_dir / f"{name}_challenges.json")]
    kept_out = set().union(*map(_marks, (*hidden, *development_tasks())))
    seen, found = set(kept_out), []
    more = {task.id: task for task in (read_tasks(generated) if generated else ())}
    for name in TRAINING_SETS:
        path = data_dir / f"{name}_challenges.json"
        tasks = read_tasks(path, solutions=data_dir / f"{name}_solutions.json")
        for task in tasks:
            demonstrated = name == "arc1_training" and task_side(task) <= DEMONSTRATED_CANVAS
            if demonstrated or not seen.isdisjoint(_marks(task)):
                more.pop(task.id, None)
                continue
            found.append(_joined(task, more.pop(task.id, None), largest, kept_out))
        seen = seen.union(*map(_marks, tasks))
    if more:
        raise DataError(f"{generated}: {', '.join(sorted(more))}: no training task has this id")
    return [task for task in found if task.train]


def _joined(task: Task, more: Task | None, largest: int, kept_out: set[object]) -> Task:
    """The whole task if it is small enough, with the small pairs of `more`; the last pair is the test."""
    own = _pairs(task) if _largest(_pairs(task)) <= largest else ()
    added = _pairs(more) if more else ()
    both = (*own, *(p for p in added if _largest([p]) <= largest and _input(p) not in kept_out))
    return dataclasses.replace(task, train=both[:-1], test=both[-1:])


def _pairs(task: Task) -> tuple[Pair, ...]:
    return (*task.train, *task.test)


def _input(pair: Pair) -> object:
    return (pair.input.shape, pair.input.tobytes())


def _marks(task: Task) -> set[object]:
    """What identifies a task: its id and each of its input grids."""
    return {task.id, *map(_input, _pairs(task))}


def _largest(pairs: Iterable[Pair]) -> int:
    grids = [grid for pair in pairs for grid in (pair.input, pair.output) if grid is not None]
    return max(max(grid.shape) for grid in grids)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        prog="python -m arc_solver.programs.pretraining_tasks", description=__doc__
    )
    parser.add_argument("data_dir", type=Path, help="folder with the files arc1_*, arc2_* and concept_*")
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--largest", type=int, default=10, help="sides of grids (10 fits a canvas of 11)")
    parser.add_argument("--pairs", type=Path, help="generated pairs of ARC-AGI-1 training tasks")
    asked = parser.parse_args()
    tasks = training_tasks(asked.data_dir, asked.largest, asked.pairs)
    write_atomic(asked.out, tasks_json(tasks))
    print(f"{asked.out}: {len(tasks)} tasks, {sum(len(_pairs(task)) for task in tasks)} pairs")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
