"""Guesses for ARC test inputs: the engine's answers, turned back to the frame of their task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.domain import Restored
from arc_solver.domain.arc import CANVASES, FULL_CANVAS, ArcQueries, task_side
from arc_solver.inference.engine import answer_rows
from arc_solver.model.trm import Model
from arc_solver.puzzles import PuzzleMap
from arc_solver.task import Task


class Guesses(NamedTuple):
    """A batch of guesses: number of the query (n,), the restored answers, confidence (n,) and ages (n,)."""

    queries: npt.NDArray[np.int64]
    answers: Restored
    confidence: npt.NDArray[np.float32]
    ages: npt.NDArray[np.int64]


def num_rows(tasks: Sequence[Task], puzzles: PuzzleMap, numbers: Sequence[int], config: PredictConfig) -> int:
    """Rows (query × view) that `guesses` will answer."""
    return sum(
        len(task.test) * min(config.views, int(puzzles.starts[n + 1] - puzzles.starts[n]))
        for task, n in zip(tasks, numbers, strict=True)
    )


def guesses(
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    numbers: Sequence[int],
    config: PredictConfig,
    *,
    canvas: str = "fitted",
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Guesses]:
    """Answer every test input of `tasks` (number `numbers[t]` in `puzzles`) under its views.

    `canvas` is the setting that the model was trained with. Queries are numbered through in order. A query whose answers mostly run over a fitted canvas is asked
    again on the full one; those guesses come last.
    """
    data = ArcQueries(tasks, numbers, puzzles, config.views, CANVASES[canvas])
    num_queries = sum(len(task.test) for task in tasks)
    asked, over = np.zeros(num_queries, np.int64), np.zeros(num_queries, np.int64)
    for answered in answer_rows(model, data, config, stop=stop):
        restored = data.restore(answered.group, answered.rows, answered.tokens)
        queries = data.queries(answered.group)[answered.rows]
        np.add.at(asked, queries, 1)
        np.add.at(over, queries, restored.overflow)
        yield Guesses(queries, restored, answered.confidence, answered.ages)
    again = np.flatnonzero((over * 2 > asked) & (asked > 0))
    if canvas == "full" or not config.retry_overflow or model.config.mixer == "mlp" or not len(again) or stop():
        return
    yield from _retried(model, puzzles, tasks, numbers, config, again, stop)


def _retried(
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    numbers: Sequence[int],
    config: PredictConfig,
    again: npt.NDArray[np.int64],
    stop: Callable[[], bool],
) -> Iterator[Guesses]:
    """The queries of the tasks that ran over, on the full canvas, under the query numbers they had."""
    first = np.cumsum([0, *(len(task.test) for task in tasks)])
    chosen = [
        t
        for t, task in enumerate(tasks)
        if task_side(task) < FULL_CANVAS[0] and np.isin(np.arange(first[t], first[t + 1]), again).any()
    ]
    old = (
        np.concatenate([np.arange(first[t], first[t + 1]) for t in chosen])
        if chosen
        else np.zeros(0, np.int64)
    )
    for found in guesses(
        model,
        puzzles,
        [tasks[t] for t in chosen],
        [numbers[t] for t in chosen],
        config,
        full_canvas=True,
        stop=stop,
    ):
        yield found._replace(queries=old[found.queries])
