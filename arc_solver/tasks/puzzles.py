"""(task, view) <-> row of the embedding table; row 0 is blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from arc_solver.config import TrainConfig
from arc_solver.tasks.task import Task, task_hash
from augment.view import ViewTable, distinct_dihedrals, distinct_views


@dataclass(frozen=True)
class PuzzleMap:
    """The puzzles that the rows of an embedding table stand for.

    With kind "rows", view i of task t has row 1 + starts[t] + i; with "composed", every view of task t has
    row 1 + t. `views` holds the views of task after task, each task's identity first.
    """

    kind: str
    ids: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()  # of the demonstrations, by which a task is found; "" if unknown
    starts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))  # (tasks + 1,)
    views: ViewTable = field(default_factory=lambda: ViewTable.from_views([]))

    @classmethod
    def build(
        cls,
        tasks: Sequence[Task],
        kind: str,
        num_views: int | Sequence[int],
        seed: int,
        *,
        permute_colors: bool = True,
    ) -> PuzzleMap:
        """The puzzles of `tasks`: for each the identity and up to `num_views` - 1 other distinct views.

        `num_views` is one number for all, or one for each task.

        Without `permute_colors` the views are symmetries alone, at most eight.
        """
        nums = [num_views] * len(tasks) if isinstance(num_views, int) else num_views
        shown = [(demonstrations(task), num) for task, num in zip(tasks, nums, strict=True)]
        if permute_colors:
            tables = [distinct_views(grids, num, seed) for grids, num in shown]
        else:
            tables = [distinct_dihedrals(grids).take(slice(num)) for grids, num in shown]
        starts = np.cumsum([0, *map(len, tables)], dtype=np.int64)
        return cls(
            kind,
            tuple(t.id for t in tasks),
            tuple(map(task_hash, tasks)),
            starts,
            ViewTable.concatenate(tables),
        )

    @property
    def num_rows(self) -> int:
        """Rows of the embedding table, the blank one included."""
        if self.kind == "none":
            return 0
        return 1 + (len(self.views) if self.kind == "rows" else len(self.ids))

    def rows(self, task: int) -> npt.NDArray[np.int64]:
        """The row of every view of task number `task`."""
        start, end = int(self.starts[task]), int(self.starts[task + 1])
        if self.kind == "rows":
            return np.arange(1 + start, 1 + end)
        return np.full(end - start, 1 + task if self.kind == "composed" else 0)

    def codes(self, views: npt.NDArray[np.integer] | None = None) -> npt.NDArray[np.int32]:
        """The puzzle codes (n, 12) of some views or of all: row, dihedral, new color of each old one."""
        chosen = np.arange(len(self.views)) if views is None else views
        codes = np.zeros((len(chosen), 12), np.int32)
        if self.kind == "rows":
            codes[:, 0] = chosen + 1
        elif self.kind == "composed":
            codes[:, 0] = np.searchsorted(self.starts, chosen, side="right")
        codes[:, 1] = self.views.dihedrals[chosen]
        codes[:, 2:] = self.views.colors[chosen]
        return codes

    def equals(self, other: PuzzleMap) -> bool:
        """Whether every row stands for the same task and view in both."""
        return (self.kind, self.ids, self.hashes) == (other.kind, other.ids, other.hashes) and all(
            np.array_equal(mine, theirs)
            for mine, theirs in (
                (self.starts, other.starts),
                (self.views.dihedrals, other.views.dihedrals),
                (self.views.colors, other.views.colors),
            )
        )

    def find(self, task: Task) -> int | None:
        """The number of the task with these demonstrations, or None; tasks without a hash are found by id."""
        number = self._numbers.get(task_hash(task))
        return self._unhashed.get(task.id) if number is None else number

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {h: t for t, h in reversed(list(enumerate(self.hashes))) if h}

    @cached_property
    def _unhashed(self) -> dict[str, int]:
        return {self.ids[t]: t for t, h in enumerate(self.hashes) if not h}


def demonstrations(task: Task) -> list[npt.NDArray[np.uint8]]:
    """All grids of the demonstrations, each input before its output."""
    return [grid for pair in task.train for grid in (pair.input, pair.output) if grid is not None]


def puzzles_of(
    tasks: Sequence[Task], kind: str, train: TrainConfig, seed: int, views: Sequence[int] | None = None
) -> PuzzleMap:
    """The puzzles of tasks for a recipe and a kind of embedding, with views drawn with `seed`.

    `views` is how many each task has, if not as many as the recipe says.
    """
    num_views = train.num_views if views is None else views
    return PuzzleMap.build(tasks, kind, num_views, seed, permute_colors=train.permute_colors)
