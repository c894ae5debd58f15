"""Every defect for which a submission would be rejected, each with its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from submission.document import (
    BYTE_ORDER_MARK,
    DocumentError,
    id_fault,
    is_packed,
    parse,
    read_bytes,
    repeated_keys,
)
from submission.grid import GridError, check_grid
from submission.messages import describe, quote

ATTEMPTS = ("attempt_1", "attempt_2")


@dataclass(frozen=True)
class Defect:
    """One reason to reject; `task_id`, `index` and `attempt` say where, as far as that is known."""

    text: str
    task_id: str | None = None
    index: int | None = None
    attempt: str | None = None

    def __str__(self) -> str:
        """One line of printable ASCII."""
        place = [] if self.task_id is None else [f"task {quote(self.task_id)}"]
        place += [] if self.index is None else [f"test {self.index}"]
        place += [] if self.attempt is None else [self.attempt]
        return f"{' '.join(place)}: {self.text}" if place else self.text


def validate(submission: object, num_tests: Mapping[str, int]) -> list[Defect]:
    """All defects of a submission against the owed ids and numbers of outputs; empty if there are none.

    Takes the bytes of a file, a Path, or the value itself (grids as lists or arrays).
    """
    defects = []
    value = submission
    try:
        if isinstance(value, Path):
            if is_packed(value):
                defects.append(Defect("the file is gzipped, expected plain JSON"))
            value = read_bytes(value)
        if isinstance(value, bytes):
            if value.startswith(BYTE_ORDER_MARK):
                value = value[len(BYTE_ORDER_MARK) :]
                defects.append(Defect("the file starts with a byte order mark, expected plain UTF-8"))
            value = parse(value)
    except DocumentError as error:
        return [*defects, Defect(str(error))]
    return defects + validate_value(value, num_tests)


def validate_value(value: object, num_tests: Mapping[str, int] | None) -> list[Defect]:
    """All defects of a parsed submission; `num_tests` None takes its own ids and lengths as expected."""
    if not isinstance(value, dict):
        return [Defect(f"{describe(value)}, expected an object of task ids")]
    defects = [Defect("the id comes more than once", task_id) for task_id in repeated_keys(value)]
    expected = num_tests if num_tests is not None else dict.fromkeys(value)
    for task_id, num in expected.items():
        if task_id in value:
            defects.extend(_task_defects(task_id, value[task_id], num))
        else:
            defects.append(Defect("missing, expected an entry for every task", task_id))
    for task_id in value:
        fault = id_fault(task_id)
        if fault is not None:
            defects.append(Defect(f"the id {fault}", str(task_id)))
        if task_id not in expected:
            defects.append(Defect("not a task of the challenges", str(task_id)))
    return defects


def _task_defects(task_id: str, entries: object, num: int | None) -> Iterator[Defect]:
    if not isinstance(entries, list):
        yield Defect(f"{describe(entries)}, expected a list with one entry per test", task_id)
        return
    if num is not None and len(entries) != num:
        yield Defect(f"a list of {len(entries)}, expected {num}", task_id)
    for index, entry in enumerate(entries[:num]):
        if not isinstance(entry, dict):
            yield Defect(f"{describe(entry)}, expected an object with both attempts", task_id, index)
            continue
        for name in repeated_keys(entry):
            yield Defect(f"the key {quote(name)} comes more than once", task_id, index)
        for name in ATTEMPTS:
            if name not in entry:
                yield Defect("missing, expected both attempts", task_id, index, name)
        for name, grid in entry.items():
            if name not in ATTEMPTS:
                yield Defect(f"unexpected key {quote(str(name))}", task_id, index)
                continue
            try:
                check_grid(grid)
            except GridError as error:
                yield Defect(str(error), task_id, index, name)
