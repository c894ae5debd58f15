"""Kernels that make Sudoku puzzles: givens of a random full grid are removed while it stays unique."""

import numpy as np
import numpy.typing as npt

from arc_solver.domains.sudoku.bit_tables import Box
from arc_solver.domains.sudoku.deduction import (
    OPEN,
    SOLVED,
    Cells,
    State,
    load_board,
    new_stack,
    place,
    propagate,
    read_answer,
)
from arc_solver.domains.sudoku.solver import branch_fewest, search
from augment.kernel import inner, kernel
from augment.kernel_rng import Source, draw, shuffle

NUM_GRIDS = 100
NUM_REVISIONS = 200
NUM_STEPS = 1000  # of a walk that exchanges givens
MIN_DISTANCE = 4  # givens by which the puzzles of a walk differ


@inner
def fill_grid(box: Box, stack: State, source: Source, answer: Cells) -> None:
    """Write a random full grid to `answer` (L,) by placing random candidates, anew after a conflict."""
    pairs = np.zeros(len(box[1]), np.int64)
    state = stack[0]
    solved = False
    while not solved:
        answer[:] = 0
        load_board(box, answer, state)
        status = propagate(box, state, pairs)
        while status == OPEN:
            index, bit = branch_fewest(box, state, source)
            place(box, state, index, bit)
            status = propagate(box, state, pairs)
        solved = status == SOLVED
    read_answer(box, state, answer)


@inner
def dig(box: Box, stack: State, source: Source, question: Cells) -> None:
    """Remove givens of `question` (L,) in random order until every one left is needed for uniqueness."""
    height, side = len(box[0]), len(box[0]) * len(box[1])
    order = np.arange(side * side)
    shuffle(source, order)
    scratch = np.zeros(side * side, np.uint8)
    for cell in order:
        digit = np.int64(question[cell])
        if digit == 0:
            continue
        question[cell] = 0
        load_board(box, question, stack[0])
        band = cell // (height * side)
        stack[0, band * side + digit - 1] &= ~(1 << (cell - band * height * side))
        if search(box, stack, 1, source, scratch)[0]:
            question[cell] = digit


@inner
def rate(box: Box, stack: State, question: Cells) -> int:
    """The guesses to solve `question` (L,) and to prove it unique, as `solve_boards` counts them."""
    scratch = np.zeros(question.shape[0], np.uint8)
    load_board(box, question, stack[0])
    return search(box, stack, 2, np.ones(1, np.uint64), scratch)[1]


@kernel
def generate_range(
    box: Box, seeds: Source, min_rating: int, pairs: Cells, ratings: npt.NDArray[np.int64]
) -> None:
    """Write a puzzle per seed to `pairs` (n, 2, L), question and answer, and its rating to `ratings` (n,).

    While the rating is too low, some givens are put back and others removed, unless that lowers the rating.
    A rating below `min_rating`: none was found in NUM_GRIDS grids of NUM_REVISIONS revisions.
    """
    length = pairs.shape[2]
    stack = new_stack(box)
    source = np.zeros(1, np.uint64)
    trial = np.zeros(length, np.uint8)
    for row in range(seeds.shape[0]):
        source[0] = seeds[row]
        question, answer = pairs[row]
        for revision in range(NUM_GRIDS * NUM_REVISIONS):
            if revision % NUM_REVISIONS == 0:
                fill_grid(box, stack, source, answer)
                trial[:] = answer
                ratings[row] = -1
            else:
                trial[:] = question
                for _ in range(2 + draw(source, length // 16)):
                    cell = draw(source, length)
                    trial[cell] = answer[cell]
            dig(box, stack, source, trial)
            rating = rate(box, stack, trial)
            if rating >= ratings[row]:
                question[:] = trial
                ratings[row] = rating
            if rating >= min_rating:
                break


@inner
def distance(first: Cells, second: Cells) -> int:
    """Cells that are given in only one of two puzzles (L,) of the same grid."""
    count = 0
    for cell in range(first.shape[0]):
        count += (first[cell] > 0) != (second[cell] > 0)
    return count


@kernel
def exchange_range(
    box: Box,
    seeds: Source,
    starts: Cells,
    answer: Cells,
    floors: npt.NDArray[np.int64],
    found: Cells,
    ratings: npt.NDArray[np.int64],
) -> None:
    """Walk from each puzzle of `starts` (n, L) to others with its answer, rated at least its floor.

    A step puts up to three givens back and removes those not needed then. Puzzles that differ by MIN_DISTANCE
    givens from each other and from the start are written to `found` (n, K, L), their ratings to `ratings`
    (n, K), -1 if NUM_STEPS steps found fewer.
    """
    stack = new_stack(box)
    source = np.zeros(1, np.uint64)
    length = starts.shape[1]
    current, trial = np.zeros(length, np.uint8), np.zeros(length, np.uint8)
    for row in range(starts.shape[0]):
        source[0] = seeds[row]
        current[:] = starts[row]
        ratings[row] = -1
        num = 0
        for _ in range(NUM_STEPS):
            if num == found.shape[1]:
                break
            trial[:] = current
            for _ in range(1 + draw(source, 3)):
                cell = draw(source, length)
                trial[cell] = answer[row, cell]
            dig(box, stack, source, trial)
            rating = rate(box, stack, trial)
            if rating < floors[row] or distance(trial, current) == 0:
                continue
            current[:] = trial
            new = distance(trial, starts[row]) >= MIN_DISTANCE
            for other in range(num):
                new = new and distance(trial, found[row, other]) >= MIN_DISTANCE
            if new:
                found[row, num] = trial
                ratings[row, num] = rating
                num += 1
