"""The outcome of a task in a submission: each attempt as the scorer reads it, and its wrong cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.tasks.task import Task
from submission.grid import Grid
from submission.lenient_reader import NUM_ATTEMPTS, Remarks, read_answers


@dataclass(frozen=True, eq=False)
class Attempt:
    """One attempt: its grid, None if missing or malformed, and `wrong` (H, W) if the truth has its shape."""

    grid: Grid | None
    wrong: npt.NDArray[np.bool_] | None = None

    @property
    def num_wrong(self) -> int | None:
        """The number of wrong cells, None if the shapes differ or the truth is unknown."""
        return None if self.wrong is None else int(self.wrong.sum())


@dataclass(frozen=True, eq=False)
class Answer:
    """Both attempts for one test input, which is None if the truth has more outputs than the task."""

    question: Grid | None
    attempts: tuple[Attempt, ...]
    truth: Grid | None

    @property
    def solved(self) -> bool:
        """Whether an attempt is exactly the truth."""
        return self.distance == 0

    @property
    def distance(self) -> int | None:
        """The fewest wrong cells among the attempts of the right shape, None if there are none."""
        return min((a.num_wrong for a in self.attempts if a.num_wrong is not None), default=None)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A task with the answers to its test inputs in order, and a line for everything odd about them."""

    task: Task
    answers: tuple[Answer, ...]
    defects: tuple[str, ...]
    absent: bool = False  # from the submission

    @property
    def judged(self) -> tuple[Answer, ...]:
        """The answers whose truth is known; only they count."""
        return tuple(answer for answer in self.answers if answer.truth is not None)

    @property
    def num_solved(self) -> int:
        """The number of solved outputs."""
        return sum(answer.solved for answer in self.judged)

    @property
    def distance(self) -> int | None:
        """The wrong cells over all outputs, None if an output has no attempt of its shape."""
        distances = [answer.distance for answer in self.judged]
        return None if None in distances else sum(d for d in distances if d is not None)


def judge_task(task: Task, submission: Mapping[str, object], truth: Sequence[Grid] = ()) -> Outcome:
    """The outcome of one task of a submission, read as leniently as by the scorer.

    `truth` holds its outputs in order, as far as known.
    """
    num = max(len(task.test), len(truth))
    own = {task.id: submission[task.id]} if task.id in submission else {}
    rankings, remarks = read_answers(own, {task.id: num})
    answers = []
    for index, ranking in enumerate(rankings[task.id]):
        output = truth[index] if index < len(truth) else None
        question = task.test[index].input if index < len(task.test) else None
        guesses = [*ranking[:NUM_ATTEMPTS], *[None] * (NUM_ATTEMPTS - len(ranking))]
        answers.append(Answer(question, tuple(_compared(guess, output) for guess in guesses), output))
    return Outcome(task, tuple(answers), _defects(remarks), absent=task.id not in submission)


def _compared(guess: Grid | None, truth: Grid | None) -> Attempt:
    if guess is None or truth is None or guess.shape != truth.shape:
        return Attempt(guess, None)
    return Attempt(guess, np.asarray(guess != truth))


def _defects(remarks: Remarks) -> tuple[str, ...]:
    return (
        *(f"task {task_id}: not in the submission" for task_id in remarks.missing_tasks),
        *(f"{place}: no entry" for place in remarks.missing_outputs),
        *(f"{place}: missing" for place in remarks.missing_attempts),
        *(f"{place}: empty" for place in remarks.empty_attempts),
        *remarks.malformed,
        *remarks.extra_outputs,
    )
