"""Tasks by any name that a command takes in place of a file."""

from __future__ import annotations

from arc_solver.corpus.synthetic.tasks import PREFIX, SyntheticName, synthetic_tasks
from arc_solver.storage.source import exists
from arc_solver.tasks.reader import read_tasks_softly
from arc_solver.tasks.task import Notice, Task, TaskFault


def drawn_tasks(source: str) -> list[Task] | None:
    """The tasks of `synthetic:COUNT[:SEED[:MAX_SIDE[:PAIRS]]]`; None for other texts, or if it is a file."""
    if source.partition(":")[0] != PREFIX or exists(source):
        return None
    return list(synthetic_tasks(SyntheticName.parse(source)))


def read_named_softly(
    source: str, *, lenient: bool = False, notice: Notice | None = None
) -> tuple[list[Task], dict[str, TaskFault]]:
    """As `read_tasks_softly`, and for generated tasks too."""
    drawn = drawn_tasks(source)
    return read_tasks_softly(source, lenient=lenient, notice=notice) if drawn is None else (drawn, {})
