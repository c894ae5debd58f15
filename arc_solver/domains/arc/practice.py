"""The demonstrations of tasks asked like test inputs: what a view gets right says what its ballots are worth.

Shapes: N answers.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from arc_solver.domains.arc.examples import ArcQueries, ArcQuestions
from arc_solver.domains.protocols import Numbers, Restored

# What a ballot is worth under a view that answers no demonstration right, on top of the squared share.
FLOOR = 0.05


class ArcPractice:
    """Practice (see `domains.protocols`) on the demonstrations of the tasks of some questions."""

    def __init__(self, questions: ArcQuestions) -> None:
        config = dataclasses.replace(questions.config, rollouts=1)
        # Test inputs are not asked, but decide on the canvas on which demonstrations were learned.
        tasks = [dataclasses.replace(task, test=(*task.train, *task.test)) for task in questions.tasks]
        self._asked = dataclasses.replace(questions, tasks=tasks, config=config)
        self._outputs = [pair.output for task in tasks for pair in task.test]
        self._task = np.repeat(np.arange(len(tasks)), [len(task.test) for task in tasks])
        self._is_demonstration = np.array(
            [place < len(task.train) for task in tasks for place in range(len(task.test))], np.bool_
        )
        self._task_asked = np.repeat(np.arange(len(tasks)), [len(task.test) for task in questions.tasks])
        self._right, self._answered = np.zeros((2, len(tasks), config.views), np.int64)

    def round(self, first: int, last: int, chosen: Numbers) -> ArcQueries:
        """Demonstrations of the tasks of the chosen queries, under views `first` up to `last`."""
        wanted = np.isin(self._task, self._task_asked[chosen]) & self._is_demonstration
        return self._asked.round(first, last, np.flatnonzero(wanted))

    def take(self, queries: Numbers, views: Numbers, answers: Restored) -> None:
        """Count answers (N,) of a round."""
        for place, query in enumerate(queries.tolist()):
            output = self._outputs[query]
            assert output is not None
            right = tuple(answers.shapes[place].tolist()) == output.shape and np.array_equal(
                answers.cells[place, : output.size], output.reshape(-1)
            )
            where = self._task[query], views[place]
            self._answered[where] += 1
            self._right[where] += right

    def weights(self, queries: Numbers, views: Numbers) -> npt.NDArray[np.float32]:
        """(N,): what ballots for test inputs under these views are worth, above 0, at most 1."""
        tasks = self._task_asked[queries]
        share = self._right[tasks, views] / np.maximum(self._answered[tasks, views], 1)
        return ((FLOOR + share**2) / (FLOOR + 1)).astype(np.float32)
