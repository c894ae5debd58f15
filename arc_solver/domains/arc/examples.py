"""ARC: tasks as views on fitted canvases. Shapes: B rows, N answers, L = side · side tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig, TrainConfig
from arc_solver.domains.protocols import Bytes, Canvas, Codes, Numbers, Restored
from arc_solver.tasks.puzzles import PuzzleMap, demonstrations
from arc_solver.tasks.task import Task, task_hash
from augment.batch import paint_inputs, paint_pairs, restore_answers
from augment.canvas import CANVAS_SIDES, VOCABULARY, fitted_side
from augment.dihedral import SWAPS_SIDES
from augment.grid import MAX_SIDE, Grid
from augment.packed import PackedGrids
from augment.sampler import DRAW, build_catalog, draw_examples

__all__ = ["VOCABULARY", "ArcQueries", "ArcQuestions", "ArcTraining", "task_side"]

FULL_CANVAS = (MAX_SIDE,)
# Finer steps waste fewer cells but need more shapes, which pays on a CPU, where nothing is compiled.
FINE_SIDES = (5, 7, 9, 11, 13, 16, 18, 21, 24, 27, 30)
CANVASES = {"fitted": CANVAS_SIDES, "fine": FINE_SIDES, "full": FULL_CANVAS}


def task_side(task: Task, sides: tuple[int, ...] = CANVAS_SIDES) -> int:
    """The canvas side for a task's demonstrations and test inputs; its test outputs are not looked at."""
    grids = [*demonstrations(task), *(pair.input for pair in task.test)]
    return fitted_side(max(max(grid.shape) for grid in grids), sides)


def known_pairs(task: Task) -> list[tuple[Grid, Grid]]:
    """The pairs that may be trained on: all with a known output."""
    return [(pair.input, pair.output) for pair in (*task.train, *task.test) if pair.output is not None]


class ArcTraining:
    """TrainingData of ARC tasks: every known pair under every view, painted on demand."""

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
        # The examples of an epoch: every task once, or with `all_pairs` every pair.
        own = (catalog.inputs if self.config.all_pairs else catalog.tasks for catalog in self._catalogs)
        return tuple(map(len, own))

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        side = self._sides[group]
        draws = np.empty(len(tokens), DRAW)
        catalog, seed = self._catalogs[group], self.config.seed * (MAX_SIDE + 1) + side
        config = self.config
        draw_examples(catalog, seed, first, config.translate, side, draws, all_pairs=config.all_pairs)
        paint_pairs(self.grids, catalog, self.views, draws, tokens, targets)
        codes[:] = self._puzzles.codes(draws["view"])


class ArcQueries:
    """QueryData of ARC test inputs under the contenders of their tasks, sorted by contender.

    Contender c of a task with V views is view c % V, the identity first, in chain c // V.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        numbers: Sequence[int],
        puzzles: PuzzleMap,
        num_views: int,
        sides: tuple[int, ...] = CANVAS_SIDES,
        *,
        rollouts: int = 1,
        contenders: range | None = None,
        chosen: Numbers | None = None,
        grids: PackedGrids | None = None,
    ) -> None:
        """`numbers[t]` is the number of `tasks[t]` in `puzzles`; only `contenders` of `chosen` queries.

        `grids` are the test inputs, packed here if not before.
        """
        self.grids = _test_inputs(tasks) if grids is None else grids
        self.views = puzzles.views
        self._puzzles = puzzles
        contenders = contenders or range(num_views * rollouts)
        asked = np.ones(len(self.grids), np.bool_)
        if chosen is not None:
            asked[:] = False
            asked[chosen] = True
        query = 0
        rows: dict[int, list[tuple[int, ...]]] = {}
        for task, number in zip(tasks, numbers, strict=True):
            side = task_side(task, sides)
            start = int(puzzles.starts[number])
            num = min(int(puzzles.starts[number + 1]) - start, num_views)
            own = range(contenders.start, min(contenders.stop, num * rollouts))
            for _ in task.test:
                if asked[query] and len(own):
                    found = ((c, query, start + c % num, c % num, c // num) for c in own)
                    rows.setdefault(side, []).extend(found)
                query += 1
        self._sides = tuple(sorted(rows))
        self._rows = [np.array(sorted(rows[side]), np.int64) for side in self._sides]

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return tuple((side, side) for side in self._sides)

    def queries(self, group: int) -> Numbers:
        return self._rows[group][:, 1]

    def contenders(self, group: int) -> Numbers:
        return self._rows[group][:, 0]

    def turns(self, group: int) -> tuple[Numbers, Numbers]:
        return self._rows[group][:, 3], self._rows[group][:, 4]

    def view_numbers(self, group: int) -> Numbers:
        """Row of the view table that each row of a group is seen under."""
        return self._rows[group][:, 2]

    def paint(self, group: int, rows: Numbers, tokens: Bytes, codes: Codes) -> None:
        views = self._rows[group][rows, 2]
        paint_inputs(self.grids, self.views, self._rows[group][rows, 1], views, tokens)
        codes[:] = self._puzzles.codes(views)

    def restore(self, group: int, rows: Numbers, answers: Bytes) -> Restored:
        return Restored(*restore_answers(answers, self.views.take(self._rows[group][rows, 2])))

    breaks = None

    def confidence(
        self, group: int, rows: Numbers, shapes: Bytes, log_probabilities: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """(N,): geometric mean of the probabilities of each answer's tokens, 0 where there is none.

        `shapes` (N, 2) are those of the restored answers, `log_probabilities` (N, L) those of their tokens.
        The cells count, and the border below and right of them, whether it is an edge or not; training
        ignores the rest of the canvas.
        """
        side = self._sides[group]
        swapped = SWAPS_SIDES[self.views.dihedrals[self._rows[group][rows, 2]]]
        height, width = np.where(swapped[:, None], shapes[:, ::-1], shapes).astype(np.int64).T[:, :, None]
        row, column = np.divmod(np.arange(side * side), side)
        inside = (row <= height) & (column <= width) & ((row < height) | (column < width)) & (height > 0)
        total = np.where(inside, log_probabilities, 0).sum(axis=1, dtype=np.float64)
        count = inside.sum(axis=1)
        return np.where(count > 0, np.exp(total / np.maximum(count, 1)), 0).astype(np.float32)


@dataclass(frozen=True)
class ArcQuestions:
    """Questions about ARC test inputs, on canvases of the sides that the model was trained on."""

    tasks: Sequence[Task]
    numbers: Sequence[int]
    puzzles: PuzzleMap
    config: PredictConfig
    canvas: str

    @property
    def contenders(self) -> int:
        return self.config.views * self.config.rollouts

    @property
    def owed(self) -> Numbers:
        starts = self.puzzles.starts
        views = [min(self.config.views, int(starts[n + 1] - starts[n])) for n in self.numbers]
        counts = [len(task.test) for task in self.tasks]
        return np.repeat(np.array(views, np.int64) * self.config.rollouts, counts)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        texts = (
            f"{task_hash(task)} {index}".encode() for task in self.tasks for index in range(len(task.test))
        )
        digests = (hashlib.blake2b(text, digest_size=8).digest() for text in texts)
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)

    @property
    def solved(self) -> npt.NDArray[np.bool_]:
        return np.zeros(len(self.owed), np.bool_)

    def as_they_stand(self, chosen: Numbers) -> Restored:
        raise NotImplementedError("no task is its own answer")

    def round(self, first: int, last: int, chosen: Numbers) -> ArcQueries:
        return self._asked(CANVASES[self.canvas], range(first, last), chosen)

    def again(self, chosen: Numbers) -> ArcQueries | None:
        if self.canvas == "full":
            return None
        return self._asked(FULL_CANVAS, range(self.contenders), chosen)

    def _asked(self, sides: tuple[int, ...], contenders: range, chosen: Numbers) -> ArcQueries:
        return ArcQueries(
            self.tasks,
            self.numbers,
            self.puzzles,
            self.config.views,
            sides,
            rollouts=self.config.rollouts,
            contenders=contenders,
            chosen=chosen,
            grids=self._grids,
        )

    @cached_property
    def _grids(self) -> PackedGrids:
        """The test inputs, packed once for all rounds."""
        return _test_inputs(self.tasks)


def _test_inputs(tasks: Sequence[Task]) -> PackedGrids:
    return PackedGrids.from_grids([pair.input for task in tasks for pair in task.test])


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
