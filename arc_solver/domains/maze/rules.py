"""Mazes of any side: their labels, their scores and what is wrong with one.

A maze is a row of side² indices into CHARACTERS, in reading order. Its edge is open like any other cell.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.maze.paths import GOAL, PATH, START, check_range, follow_range, solve_range
from augment.threads import spread

Flags = npt.NDArray[np.bool_]
Judge = Callable[[Cells, Cells, int, Flags], None]
MIN_SIDE = 5
MAX_SIDE = 128


def solve_mazes(questions: Cells) -> tuple[Cells, npt.NDArray[np.int64]]:
    """Answers (n, L) with a shortest path marked, and its moves (n,), -1 without start, goal or path."""
    questions = np.ascontiguousarray(questions, np.uint8)
    answers, moves = np.empty_like(questions), np.empty(len(questions), np.int64)
    side = math.isqrt(questions.shape[1])
    spread(lambda rows: solve_range(questions[rows], side, answers[rows], moves[rows]), len(questions))
    return answers, moves


def valid_mazes(questions: Cells, answers: Cells) -> Flags:
    """(n,): whether `answers` (n, L) are the questions with one shortest path marked and nothing else."""
    return _judged(check_range, questions, answers)


def connected_mazes(questions: Cells, answers: Cells) -> Flags:
    """(n,): whether `answers` (n, L) are the questions with a path of any length from start to goal marked.

    It follows the marks and searches for nothing, so it may be asked while a maze is being answered.
    """
    return _judged(follow_range, questions, answers)


def _judged(judge: Judge, questions: Cells, answers: Cells) -> Flags:
    """(n,): the verdicts of a kernel on `answers` (n, L)."""
    questions, answers = (np.ascontiguousarray(cells, np.uint8) for cells in (questions, answers))
    verdicts = np.zeros(len(questions), np.bool_)
    side = math.isqrt(questions.shape[1])
    spread(lambda rows: judge(questions[rows], answers[rows], side, verdicts[rows]), len(questions))
    return verdicts


def maze_faults(mazes: BoardSet) -> dict[int, str]:
    """What is wrong with the mazes that are no proper puzzles, by place: start, goal, path or answer."""
    known = mazes.answers.any(1)
    wrong = known & ~valid_mazes(mazes.questions, mazes.answers)
    faults = {}
    for row, question in enumerate(mazes.questions):
        counts = np.bincount(question, minlength=5)
        if counts[PATH]:
            faults[row] = 'the question marks cells "o" of a path'
        elif counts[START] != 1 or counts[GOAL] != 1:
            faults[row] = f"{counts[START]} start S and {counts[GOAL]} goal G, expected one of each"
        elif mazes.ratings[row] < 0:
            faults[row] = "no path from S to G"
        elif wrong[row]:
            faults[row] = "the answer is not the question with one shortest path marked"
    return faults
