"""Exact Sudoku search for sides 4, 6 and 9: deduction, then guesses at the most informative cell."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.domains.sudoku.bit_tables import OUTSIDE, Box, box_of, count, lowest, replicate
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
from augment.kernel import inner, kernel
from augment.kernel_rng import Source, draw
from augment.threads import spread


@inner
def branch_fewest(box: Box, state: State, source: Source) -> tuple[int, int]:
    """A random candidate (index, bit) of a random cell among the open ones with the fewest candidates."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    best, ties, chosen_band, chosen_bit = side + 1, 0, 0, 0
    for band in range(bands):
        for cell in range(height * side):
            count = 0
            for index in range(band * side, band * side + side):
                count += (state[index] >> cell) & 1
            if count < 2 or count > best:
                continue
            ties = ties + 1 if count == best else 1
            if draw(source, ties) == 0:
                chosen_band, chosen_bit = band, 1 << cell
            best = count
    skip = draw(source, best)
    for index in range(chosen_band * side, chosen_band * side + side):
        if state[index] & chosen_bit:
            if skip == 0:
                return index, chosen_bit
            skip -= 1
    return -1, 0


@inner
def _branch_pair(box: Box, state: State, pairs: npt.NDArray[np.int64]) -> tuple[int, int]:
    """A candidate (index, bit) of the two-candidate cell that would remove most; (-1, 0) if there is none."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    best, chosen, chosen_bit = 0, -1, 0
    for band in range(bands):
        todo = pairs[band]
        while todo:
            cell = lowest(todo)
            bit = todo & -todo
            todo ^= bit
            seen = ~np.int64(OUTSIDE[(side - 4) // 2, cell])
            column = (1 << (cell % side)) * replicate(height, side)
            score, index = 1, 0
            for digit in range(side):
                if state[band * side + digit] & bit:
                    index = band * side + digit
                    removed = 1
                    for other in range(bands):
                        mates = np.int64(state[other * side + digit]) & (seen if other == band else column)
                        removed += count(mates) + 2 * count(mates & pairs[other])
                    score *= removed
            if score > best:
                best, chosen, chosen_bit = score, index, bit
    return chosen, chosen_bit


@inner
def search(box: Box, stack: State, limit: int, source: Source, answer: Cells) -> tuple[int, int]:
    """Count the solutions of the state in `stack[0]` up to `limit`; returns (solutions, guesses).

    `stack` is scratch from `new_stack`; the first solution is written to `answer` (side*side,). `source` (1,)
    uint64 breaks ties if every open cell has more than two candidates.
    """
    side = len(box[0]) * len(box[1])
    pairs = np.zeros(len(box[1]), np.int64)
    depth, solutions, guesses = 0, 0, 0
    while depth >= 0:
        state = stack[depth]
        status = propagate(box, state, pairs)
        if status == OPEN:
            index, bit = _branch_pair(box, state, pairs)
            if index < 0:
                index, bit = branch_fewest(box, state, source)
            guesses += 1
            depth += 1
            stack[depth] = state
            place(box, stack[depth], index, bit)
            state[index] &= ~bit
            state[-1] |= 1 << (index % side)
            continue
        if status == SOLVED:
            if solutions == 0:
                read_answer(box, state, answer)
            solutions += 1
            if solutions >= limit:
                break
        depth -= 1
    return solutions, guesses


@kernel
def _solve_range(box: Box, boards: Cells, limit: int, answers: Cells, counts: npt.NDArray[np.int64]) -> None:
    """Solve `boards` (n, L): `answers` (n, L) and `counts` (n, 2) = solutions, guesses."""
    stack = new_stack(box)
    source = np.ones(1, np.uint64)
    for row in range(boards.shape[0]):
        source[0] = 1
        load_board(box, boards[row], stack[0])
        counts[row, 0], counts[row, 1] = search(box, stack, limit, source, answers[row])


class Solutions(NamedTuple):
    """Results of the search: `answers` (n, L), the first solution or zeros; `counts` and `guesses` (n,)."""

    answers: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    guesses: npt.NDArray[np.int64]


def solve_boards(boards: Cells, max_solutions: int = 2) -> Solutions:
    """Solve `boards` (n, 16 | 36 | 81), 0 for a blank, counting up to `max_solutions` each.

    With the default a count of 1 proves the solution unique, and `guesses` include that proof.
    """
    boards = np.ascontiguousarray(boards, np.uint8)
    box = box_of(math.isqrt(boards.shape[1]))
    answers = np.zeros_like(boards)
    counts = np.zeros((len(boards), 2), np.int64)

    def solve(rows: slice) -> None:
        _solve_range(box, boards[rows], max_solutions, answers[rows], counts[rows])

    spread(solve, len(boards))
    return Solutions(answers, counts[:, 0], counts[:, 1])
