"""ARC: tasks as views on fitted canvases. Shapes: B rows, N answers, L = side · side tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from arc_solver.config import TrainConfig
from arc_solver.domains.protocols import Bytes, Canvas, Codes, Restored
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from augment.batch import paint_inputs, paint_pairs, restore_answers
from augment.canvas import CANVAS_SIDES, VOCABULARY, fitted_side
from augment.dihedral import SWAPS_SIDES
from augment.grid import MAX_SIDE, Grid
from augment.packed import PackedGrids
from augment.sampler import DRAW, build_catalog, draw_examples

__all__ = ["VOCABULARY", "ArcQueries", "ArcTraining", "task_side"]

FULL_CANVAS = (MAX_SIDE,)
# Finer steps waste fewer cells and cost more shapes: worth it on a CPU, where nothing is compiled.
FINE_SIDES = (5, 7, 9, 11, 13, 16, 18, 21, 24, 27, 30)
CANVASES = {"fitted": CANVAS_SIDES, "fine": FINE_SIDES, "full": FULL_CANVAS}


def task_side(task: Task, sides: tuple[int, ...] = CANVAS_SIDES) -> int:
    """Canvas side that holds a task's demonstrations and test inputs; its answers are not looked at."""
    grids = [grid for pair in task.train for grid in (pair.input, pair.output) if grid is not None]
    grids += [pair.input for pair in task.test]
    return fitted_side(max(max(grid.shape) for grid in grids), sides)


def known_pairs(task: Task) -> list[tuple[Grid, Grid]]:
    """Inputs and outputs that may be trained on: all that came with an output."""
    return [(pair.input, pair.output) for pair in (*task.train, *task.test) if pair.output is not None]


class ArcTraining:
    """TrainingData of ARC tasks: every known pair under every view, painted when it is needed."""

    def __init__(self, tasks: Sequence[Task], puzzles: PuzzleMap, config: TrainConfig) -> None:
        self.config = config
        sides = CANVASES[config.canvas]
        pairs = [known_pairs(task) for task in tasks]
        self.grids = PackedGrids.from_grids([grid for own in pairs for pair in own for grid in pair])
        first_pair = np.cumsum([0, *map(len, pairs)])
        numbered = [
            [(2 * p, 2 * p + 1) for p in range(first_pair[t], first_pair[t + 1])] for t in range(len(tasks))
        ]
        side_of = np.array(
            [
                max(
                    fitted_side(max(max(grid.shape) for pair in own for grid in pair), sides),
                    task_side(task, sides),
                )
                for task, own in zip(tasks, pairs, strict=True)
            ]
        )
        self._sides = tuple(int(side) for side in np.unique(side_of))
        members = [np.flatnonzero(side_of == side).tolist() for side in self._sides]
        view_counts = np.diff(puzzles.starts).tolist()
        self._catalogs = [
            build_catalog(self.grids, numbered, puzzles.views, view_counts, chosen) for chosen in members
        ]
        self.views = puzzles.views
        self._puzzles = puzzles
        self._fingerprint = _fingerprint(tasks, puzzles, pairs)

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return tuple((side, side) for side in self._sides)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(catalog.tasks) for catalog in self._catalogs)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        side = self._sides[group]
        draws = np.empty(len(tokens), DRAW)
        catalog, seed = self._catalogs[group], self.config.seed * (MAX_SIDE + 1) + side
        draw_examples(catalog, seed, first, self.config.translate, side, draws)
        paint_pairs(self.grids, catalog, self.views, draws, tokens, targets)
        codes[:] = self._puzzles.codes(draws["view"])


class ArcQueries:
    """QueryData of ARC test inputs, each under views of its task; the first views of all come first."""

    def __init__(
        self,
        tasks: Sequence[Task],
        numbers: Sequence[int],
        puzzles: PuzzleMap,
        num_views: int,
        sides: tuple[int, ...] = CANVAS_SIDES,
        first_view: int = 0,
    ) -> None:
        """`numbers[t]` is the number of `tasks[t]` in `puzzles`; views are `first_view` up to `num_views`."""
        self.grids = PackedGrids.from_grids([pair.input for task in tasks for pair in task.test])
        self.views = puzzles.views
        self._puzzles = puzzles
        query = 0
        rows: dict[int, list[tuple[int, int, int]]] = {}
        for task, number in zip(tasks, numbers, strict=True):
            side = task_side(task, sides)
            start, end = int(puzzles.starts[number]), int(puzzles.starts[number + 1])
            for _ in task.test:
                rows.setdefault(side, []).extend(
                    (view - start, query, view)
                    for view in range(start + first_view, min(end, start + num_views))
                )
                query += 1
        self._sides = tuple(sorted(rows))
        self._rows = [np.array(sorted(rows[side]), np.int64) for side in self._sides]

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return tuple((side, side) for side in self._sides)

    def queries(self, group: int) -> npt.NDArray[np.int64]:
        return self._rows[group][:, 1]

    def view_numbers(self, group: int) -> npt.NDArray[np.int64]:
        """Row of the view table that each row of a group is seen under."""
        return self._rows[group][:, 2]

    def paint(self, group: int, rows: npt.NDArray[np.int64], tokens: Bytes, codes: Codes) -> None:
        views = self._rows[group][rows, 2]
        paint_inputs(self.grids, self.views, self._rows[group][rows, 1], views, tokens)
        codes[:] = self._puzzles.codes(views)

    def restore(self, group: int, rows: npt.NDArray[np.int64], answers: Bytes) -> Restored:
        return Restored(*restore_answers(answers, self.views.take(self._rows[group][rows, 2])))

    def confidence(
        self,
        group: int,
        rows: npt.NDArray[np.int64],
        shapes: Bytes,
        log_probabilities: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """(N,): geometric mean of the probabilities of each answer's tokens, 0 where there is none.

        `shapes` (N, 2) are those of the restored answers, `log_probabilities` (N, L) those of the tokens that
        they were cut from: the cells, and what came on the border below and right of them, an edge or not.
        The rest of the canvas is no part of the answer, and training never looks at it.
        """
        side = self._sides[group]
        swapped = SWAPS_SIDES[self.views.dihedrals[self._rows[group][rows, 2]]]
        height, width = np.where(swapped[:, None], shapes[:, ::-1], shapes).astype(np.int64).T[:, :, None]
        row, column = np.divmod(np.arange(side * side), side)
        inside = (row <= height) & (column <= width) & ((row < height) | (column < width)) & (height > 0)
        total = np.where(inside, log_probabilities, 0).sum(axis=1, dtype=np.float64)
        count = inside.sum(axis=1)
        return np.where(count > 0, np.exp(total / np.maximum(count, 1)), 0).astype(np.float32)


def _fingerprint(tasks: Sequence[Task], puzzles: PuzzleMap, pairs: list[list[tuple[Grid, Grid]]]) -> str:
    digest = hashlib.sha256()
    for task, own in zip(tasks, pairs, strict=True):
        digest.update(f"{len(task.id)} {task.id} {len(own)} ".encode())
        for pair in own:
            for grid in pair:
                digest.update(f"{grid.shape}".encode())
                digest.update(grid.tobytes())
    for array in (puzzles.starts, puzzles.views.dihedrals, puzzles.views.colors):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
