"""Tasks as values: demonstrations and test inputs."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from augment.grid import Grid

MAX_ID_LENGTH = 128
Notice = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Pair:
    """An input and its output, both read-only, None for an unknown output. Pairs compare by content."""

    input: Grid
    output: Grid | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "input", _read_only(self.input))
        if self.output is not None:
            object.__setattr__(self, "output", _read_only(self.output))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pair) and self.content() == other.content()

    def __hash__(self) -> int:
        return hash(self.content())

    def content(self) -> bytes:
        """Sides and cells of both grids, different for different pairs."""
        grids = (self.input,) if self.output is None else (self.input, self.output)
        return b"".join(bytes(grid.shape) + grid.tobytes() for grid in grids)


@dataclass(frozen=True)
class Task:
    """An ARC task: `train` are the demonstrations; `test` is empty for a bare list of pairs."""

    id: str
    train: tuple[Pair, ...]
    test: tuple[Pair, ...]


@dataclass(frozen=True)
class TaskFault:
    """A task that cannot be read: why, in one line, and for how many test inputs answers are still owed.

    `num_tests` is 0 if the test list is empty, or if no UTF-8 file could hold the id.
    """

    id: str
    text: str
    num_tests: int


def task_hash(task: Task) -> str:
    """A hash of the demonstrations' content in their order, 32 hexadecimal digits; the id plays no part."""
    digest = hashlib.blake2b(digest_size=16)
    for pair in task.train:
        digest.update(pair.content())
    return digest.hexdigest()


def without_answers(task: Task) -> Task:
    """The task as a competition shows it: test outputs unknown."""
    return dataclasses.replace(task, test=tuple(dataclasses.replace(pair, output=None) for pair in task.test))


def _read_only(grid: Grid) -> Grid:
    """The grid itself if it is read-only, else a read-only copy."""
    if grid.flags.writeable:
        grid = grid.copy()
        grid.flags.writeable = False
    return grid
