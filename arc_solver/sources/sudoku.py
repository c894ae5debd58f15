"""Sudoku boards of sides 4, 6 and 9: their rules, their scores, and generated ones with one solution each.

A board is a row of side² digits in reading order, 0 for a blank. Boxes are 2x2, 2 rows x 3 columns and 3x3.
"""

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from arc_solver.sources.board_set import BoardSet, Cells, collect, in_chunks
from arc_solver.sources.randomness import draw_seeds
from arc_solver.sources.sudoku_digger import NUM_GRIDS, generate_range
from arc_solver.sources.sudoku_solver import solve_boards
from arc_solver.sources.sudoku_tables import box_of
from arc_solver.task import DataError
from augment.sudoku import BOX_SHAPES

_CHUNK = 32
_VALID_CHUNK = 8192
_FEW_GRIDS_SIDE = 4  # only 288 grids exist, so puzzles can be kept apart by their questions alone


def generate_sudoku(
    num: int,
    side: int,
    rng: np.random.Generator,
    min_rating: int = 0,
    exclude: BoardSet | None = None,
    min_givens: int = 0,
) -> BoardSet:
    """`num` different puzzles with one solution, `apart` from `exclude`.

    No given can be taken from them, unless they are filled up again to `min_givens`, which makes easy ones.
    The rating is the number of guesses of our solver, the proof of uniqueness included. Raises DataError
    where so many, or such hard ones, are not found.
    """
    if side not in BOX_SHAPES:
        raise DataError(f"Sudoku side {side}: expected 4, 6 or 9")
    if min_rating and min_givens:
        raise DataError("a Sudoku has a least rating or a least number of givens, not both")
    if min_givens >= side * side:
        raise DataError(f"{min_givens} givens leave no blank on a {side}x{side} board; ask for fewer")

    def generate(num_wanted: int) -> BoardSet:
        found = _generated(num_wanted, side, rng, min_rating)
        if min_givens:
            found = _filled_up(found, min_givens, rng)
        return found if exclude is None else apart(found, exclude)

    return collect(num, generate)


def _generated(num: int, side: int, rng: np.random.Generator, min_rating: int) -> BoardSet:
    seeds = draw_seeds(num, rng)
    pairs = np.zeros((num, 2, side * side), np.uint8)
    ratings = np.zeros(num, np.int64)

    def make(rows: slice) -> None:
        generate_range(box_of(side), seeds[rows], min_rating, pairs[rows], ratings[rows])
        if (ratings[rows] < min_rating).any():
            raise DataError(
                f"no {side}x{side} Sudoku rated {min_rating} in {NUM_GRIDS} grids; lower the rating floor"
            )

    in_chunks(make, num, _CHUNK)
    return BoardSet("sudoku", pairs[:, 0].copy(), pairs[:, 1].copy(), ratings)


def _filled_up(boards: BoardSet, min_givens: int, rng: np.random.Generator) -> BoardSet:
    """The boards with random blanks filled in where they have fewer givens."""
    blank = boards.questions == 0
    # Blanks first, in random order; the first so many of them become givens.
    order = np.argsort(np.where(blank, rng.random(blank.shape), 2.0), axis=1)
    ranks = np.argsort(order, axis=1)
    missing = min_givens - (~blank).sum(1, keepdims=True)
    questions = np.where(blank & (ranks < missing), boards.answers, boards.questions)
    return BoardSet("sudoku", questions, boards.answers, solve_boards(questions).guesses)


def apart(boards: BoardSet, seen: BoardSet) -> BoardSet:
    """The boards that `seen` does not give away: other questions and, from side 6 on, other answers."""
    boards = boards.without(boards.questions, seen.questions)
    if boards.side == _FEW_GRIDS_SIDE:
        return boards
    return boards.without(boards.answers, seen.answers[seen.answers.any(1)])


def split(boards: BoardSet, num_test: int, rng: np.random.Generator) -> tuple[BoardSet, BoardSet]:
    """(train, test): `num_test` random boards, and those of the others that are `apart` from them."""
    if not 0 <= num_test <= len(boards):
        raise DataError(f"{num_test} test boards of {len(boards)}; ask for fewer")
    order = rng.permutation(len(boards))
    test = boards.take(np.sort(order[:num_test]))
    return apart(boards.take(np.sort(order[num_test:])), test), test


def exact_boards(answers: Cells, truth: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether every cell of `answers` (n, L) is the one of `truth`."""
    return (answers == truth).all(1)


def valid_boards(questions: Cells, answers: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether `answers` (n, L) keep the givens and have all digits in every row, column and box."""
    side = math.isqrt(questions.shape[1])
    units = _units(side)
    result = ((questions == answers) | (questions == 0)).all(1) & (answers <= side).all(1)
    for start in range(0, len(answers), _VALID_CHUNK):
        rows = slice(start, start + _VALID_CHUNK)
        digits = np.left_shift(1, answers[rows], dtype=np.int64)
        result[rows] &= (np.bitwise_or.reduce(digits[:, units], axis=2) == 2 ** (side + 1) - 2).all(1)
    return result


def broken_boards(cells: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether a digit stands twice in a row, column or box of boards (n, L), whose blanks are 0."""
    side = math.isqrt(cells.shape[1])
    in_units = np.sort(cells[:, _units(side)], axis=2)
    twice = (in_units[:, :, 1:] == in_units[:, :, :-1]) & (in_units[:, :, 1:] > 0)
    return np.asarray(twice.any((1, 2)), np.bool_)


def contradiction(question: Cells) -> str | None:
    """Which givens of one board (L,) break the rules, as in "5 twice in row 3"; None where none do."""
    side = math.isqrt(question.size)
    if question.max() > side:
        return f"the digit {question.max()} on a board of side {side}"
    names = [f"{kind} {number}" for kind in ("row", "column", "box") for number in range(1, side + 1)]
    for name, unit in zip(names, _units(side), strict=True):
        digits, counts = np.unique(question[unit], return_counts=True)
        repeated = digits[(counts > 1) & (digits > 0)]
        if repeated.size:
            return f"{repeated[0]} twice in {name}"
    return None


def sudoku_faults(boards: BoardSet) -> dict[int, str]:
    """What is wrong with the boards that are no proper puzzles, by place: givens, solutions or answer."""
    solutions = solve_boards(boards.questions)
    known = boards.answers.any(1)
    wrong = known & ~exact_boards(boards.answers, solutions.answers)
    faults = {}
    for row in np.flatnonzero((solutions.counts != 1) | wrong).tolist():
        if solutions.counts[row] == 0:
            clash = contradiction(boards.questions[row])
            faults[row] = f"contradictory givens: {clash}" if clash else "no solution"
        elif solutions.counts[row] > 1:
            faults[row] = "several solutions, expected one"
        else:
            faults[row] = "the answer is not the solution of the question"
    return faults


@cache
def _units(side: int) -> npt.NDArray[np.int64]:
    """(3 * side, side): the cells of every row, column and box."""
    height, width = BOX_SHAPES[side]
    cells = np.arange(side * side).reshape(side, side)
    boxes = cells.reshape(side // height, height, side // width, width).swapaxes(1, 2).reshape(side, side)
    return np.concatenate([cells, cells.T, boxes])
