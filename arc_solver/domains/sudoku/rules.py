"""The rules of Sudoku boards of sides 4, 6 and 9, and what is wrong with a board.

A board is a row of side² digits in reading order, 0 for a blank. Boxes are 2x2, 2 rows x 3 columns and 3x3.
"""

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.sudoku.solver import solve_boards
from augment.sudoku import BOX_SHAPES

_VALID_CHUNK = 8192


def valid_boards(questions: Cells, answers: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether `answers` (n, L) keep the givens and have all digits in every row, column and box."""
    side = math.isqrt(questions.shape[1])
    in_units = units(side)
    result = ((questions == answers) | (questions == 0)).all(1) & (answers <= side).all(1)
    for start in range(0, len(answers), _VALID_CHUNK):
        rows = slice(start, start + _VALID_CHUNK)
        digits = np.left_shift(1, answers[rows], dtype=np.int64)
        result[rows] &= (np.bitwise_or.reduce(digits[:, in_units], axis=2) == 2 ** (side + 1) - 2).all(1)
    return result


def broken_boards(cells: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether a digit occurs twice in a row, column or box of boards (n, L); blanks are 0."""
    side = math.isqrt(cells.shape[1])
    in_units = np.sort(cells[:, units(side)], axis=2)
    twice = (in_units[:, :, 1:] == in_units[:, :, :-1]) & (in_units[:, :, 1:] > 0)
    return np.asarray(twice.any((1, 2)), np.bool_)


def contradiction(question: Cells) -> str | None:
    """Which givens of one board (L,) break the rules, as in "5 appears twice in row 3"; None if none do."""
    side = math.isqrt(question.size)
    if question.max() > side:
        return f"the digit {question.max()} on a board of side {side}"
    return next((f"{digit} appears twice in {name}" for digit, name, _ in repetitions(question)), None)


def repetitions(board: Cells) -> Iterator[tuple[int, str, npt.NDArray[np.int64]]]:
    """Each unit of one board (L,) with a digit twice: the first such digit, the unit's name, the cells."""
    side = math.isqrt(board.size)
    names = [f"{kind} {number}" for kind in ("row", "column", "box") for number in range(1, side + 1)]
    for name, unit in zip(names, units(side), strict=True):
        digits, counts = np.unique(board[unit], return_counts=True)
        repeated = digits[(counts > 1) & (digits > 0) & (digits <= side)]
        if repeated.size:
            yield int(repeated[0]), name, unit[np.isin(board[unit], repeated)]


def sudoku_faults(boards: BoardSet) -> dict[int, str]:
    """What is wrong with boards that are not proper puzzles, by index: givens, solutions or answer."""
    solutions = solve_boards(boards.questions)
    wrong = boards.answers.any(1) & (boards.answers != solutions.answers).any(1)
    faults = {}
    for row in np.flatnonzero((solutions.counts != 1) | wrong).tolist():
        if solutions.counts[row] == 0:
            clash = contradiction(boards.questions[row])
            faults[row] = f"contradictory givens: {clash}" if clash else "no solution"
        elif solutions.counts[row] > 1:
            faults[row] = "several solutions"
        else:
            faults[row] = "the answer is not the solution of the question"
    return faults


@cache
def units(side: int) -> npt.NDArray[np.int64]:
    """(3 * side, side): the cells of every row, column and box, in this order."""
    height, width = BOX_SHAPES[side]
    cells = np.arange(side * side).reshape(side, side)
    boxes = cells.reshape(side // height, height, side // width, width).swapaxes(1, 2).reshape(side, side)
    return np.concatenate([cells, cells.T, boxes])
