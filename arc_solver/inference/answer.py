"""Guesses for ARC test inputs: the engine's answers, turned back to the frame of their task."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.domains.arc.examples import CANVASES, ArcQueries
from arc_solver.domains.protocols import Restored
from arc_solver.inference.engine import Wanted, answer_rows
from arc_solver.inference.time_budget import Pace, view_rounds
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task


class Guesses(NamedTuple):
    """A batch of guesses: number of the query (n,), the restored answers, confidence (n,) and ages (n,).

    The confidence is the geometric mean of the probabilities of the answer's cells and border.
    """

    queries: npt.NDArray[np.int64]
    answers: Restored
    confidence: npt.NDArray[np.float32]
    ages: npt.NDArray[np.int64]


class Early(Protocol):
    """What decides that queries need no further views."""

    settled: npt.NDArray[np.bool_]  # (queries,); may change while guesses come
    in_rounds: bool  # whether views shall come in rounds over all queries

    def end_round(self) -> None:
        """All views of a round were answered or declined."""


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
    pace: Pace | None = None,
    early: Early | None = None,
) -> Iterator[Guesses]:
    """Answer every test input of `tasks` (number `numbers[t]` in `puzzles`) under its views.

    `canvas` is the setting that the model was trained with. Queries are numbered through in order. A query
    whose answers mostly run over a fitted canvas is asked again on the full one; those guesses come last.
    With `pace` few views of all queries come before many of any, with as many ages as there is time for.
    A query that `early` calls settled gets no further views, not even those under way.
    """
    num_queries = sum(len(task.test) for task in tasks)
    asked, over = np.zeros(num_queries, np.int64), np.zeros(num_queries, np.int64)
    in_rounds = pace or (early and early.in_rounds)
    rounds = view_rounds(config.views) if in_rounds else [(0, config.views)]
    for first, last in rounds:
        data = ArcQueries(tasks, numbers, puzzles, last, CANVASES[canvas], first)
        if pace:
            tokens = sum(len(data.queries(g)) * h * w for g, (h, w) in enumerate(data.canvases))
            pace.begin_round(0 if first else tokens)
        for answered in answer_rows(
            model,
            data,
            config,
            stop=stop,
            age_limit=pace.age_limit if pace else None,
            wanted=_unsettled(data, early) if early else None,
        ):
            restored = data.restore(answered.group, answered.rows, answered.tokens)
            queries = data.queries(answered.group)[answered.rows]
            np.add.at(asked, queries, 1)
            np.add.at(over, queries, restored.overflow)
            if pace:
                tokens = answered.tokens.shape[1]
                pace.answered(len(answered.rows) * tokens, int(answered.ages.sum()) * tokens)
            confidence = data.confidence(
                answered.group, answered.rows, restored.shapes, answered.log_probabilities
            )
            yield Guesses(queries, restored, confidence, answered.ages)
        if early and not stop():
            early.end_round()
    again = np.flatnonzero((over * 2 > asked) & (asked > 0))
    retries = config.retry_overflow and canvas != "full" and not model.config.length
    if retries and len(again) and not stop():
        yield from _retried(model, puzzles, tasks, numbers, config, again, stop)


def _unsettled(data: ArcQueries, early: Early) -> Wanted:
    """Wants the rows of queries that are not settled."""
    return lambda group, rows, ages: ~early.settled[data.queries(group)[rows]]


def _retried(
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    numbers: Sequence[int],
    config: PredictConfig,
    again: npt.NDArray[np.int64],
    stop: Callable[[], bool],
) -> Iterator[Guesses]:
    """The queries that ran over, on the full canvas, under the query numbers they had."""
    asked, their_numbers = [], []
    query = 0
    for task, number in zip(tasks, numbers, strict=True):
        test = tuple(pair for i, pair in enumerate(task.test) if query + i in again)
        if test:
            asked.append(dataclasses.replace(task, test=test))
            their_numbers.append(number)
        query += len(task.test)
    for found in guesses(model, puzzles, asked, their_numbers, config, canvas="full", stop=stop):
        yield found._replace(queries=again[found.queries])
