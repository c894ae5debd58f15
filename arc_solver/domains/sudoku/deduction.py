"""Deduction on bitmasks, for Sudoku sides 4, 6 and 9: how the candidates of a board exclude each other.

A state holds an integer per band of boxes and digit, with a bit per cell of the band; then a mask of the
placed cells of each band; last a mask of the digits that changed. A digit occurs once in every row and box of
a band, so its boxes are a permutation of its rows, and likewise in a stack of boxes; one table lookup keeps
the cells that some permutation uses. This covers locked candidates and hidden singles.
"""

import numpy as np
import numpy.typing as npt

from arc_solver.domains.sudoku.bit_tables import (
    COLUMNS_KEPT,
    OUTSIDE,
    ROWS_KEPT,
    SHRINK,
    Box,
    lowest,
    replicate,
)
from augment.kernel import inner

State = npt.NDArray[np.int32]
Cells = npt.NDArray[np.uint8]
MAX_DEPTH = 82
CONFLICT, OPEN, SOLVED = range(3)


@inner
def new_stack(box: Box) -> State:
    """Scratch for `search`: a state per level of guessing."""
    bands = len(box[1])
    return np.empty((MAX_DEPTH, (len(box[0]) * bands + 1) * bands + 1), np.int32)


@inner
def load_board(box: Box, board: Cells, state: State) -> None:
    """Fill `state` (side*bands + bands + 1,) with the candidates that the givens of `board` leave."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    state[: side * bands] = (1 << (height * side)) - 1
    state[side * bands :] = 0
    state[-1] = (1 << side) - 1
    for cell in range(side * side):
        if board[cell]:
            band = cell // (height * side)
            bit = 1 << (cell - band * height * side)
            for digit in range(side):
                if digit + 1 != board[cell]:
                    state[band * side + digit] &= ~bit


@inner
def _settle_digit(box: Box, state: State, digit: int) -> bool:
    """Keep the cells of one digit (0..side-1) that some permutation uses; False if there is none."""
    height, width = len(box[0]), len(box[1])
    side, bands, slot = height * width, width, (height * width - 4) // 2
    line, box_line, column = (1 << side) - 1, (1 << width) - 1, replicate(height, side)
    while True:
        usage = 0
        for band in range(bands):
            x = np.int64(state[band * side + digit])
            row0, row1, row2 = x & line, (x >> side) & line, x >> (2 * side)
            boxes = SHRINK[slot, row0] | (SHRINK[slot, row1] << height) | (SHRINK[slot, row2] << (2 * height))
            x &= ROWS_KEPT[slot, boxes]
            if x == 0:
                return False
            state[band * side + digit] = x
            usage |= ((x | (x >> side) | (x >> (2 * side))) & line) << (band * side)
        kept = 0
        for stack in range(height):
            columns = 0
            for band in range(bands):
                columns |= ((usage >> (band * side + stack * width)) & box_line) << (band * width)
            kept |= np.int64(COLUMNS_KEPT[slot, columns]) << (stack * width)
        if usage & ~kept == 0:
            return True
        for band in range(bands):
            state[band * side + digit] &= ((kept >> (band * side)) & line) * column


@inner
def _settle_digits(box: Box, state: State) -> bool:
    """Settle every changed digit and remove others from cells that it must have; False at a conflict."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    line = (1 << side) - 1
    while state[-1]:
        digit = lowest(np.int64(state[-1]))
        state[-1] &= state[-1] - 1
        if not _settle_digit(box, state, digit):
            return False
        for band in range(bands):
            x = np.int64(state[band * side + digit])
            single = 0
            for row in range(height):
                cells = (x >> (row * side)) & line
                if cells & (cells - 1) == 0:
                    single |= cells << (row * side)
            single &= ~state[side * bands + band]
            if single:
                dirty = 0
                for other in range(side):
                    y = np.int64(state[band * side + other])
                    dirty |= np.int64(y & single != 0) << other
                    state[band * side + other] = y & ~single
                state[band * side + digit] = x
                state[-1] |= dirty & ~(1 << digit)
    return True


@inner
def _settle_cells(box: Box, state: State, pairs: npt.NDArray[np.int64]) -> int:
    """Place cells with one candidate and collect those with two in `pairs`; CONFLICT, OPEN or SOLVED."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    status = SOLVED
    for band in range(bands):
        one, two, three = 0, 0, 0
        for index in range(band * side, band * side + side):
            x = np.int64(state[index])
            three |= two & x
            two |= one & x
            one |= x
        if one != (1 << (height * side)) - 1:
            return CONFLICT
        pairs[band] = two & ~three
        if two:
            status = OPEN
        fresh = one & ~two & ~state[side * bands + band]
        if fresh == 0:
            continue
        state[side * bands + band] |= fresh
        for digit in range(side):
            index = band * side + digit
            kept = np.int64(state[index])
            placed = kept & fresh
            while placed:
                kept &= OUTSIDE[(side - 4) // 2, lowest(placed)]
                placed &= placed - 1
            if kept != state[index]:
                state[index] = kept
                state[-1] |= 1 << digit
    return status


@inner
def propagate(box: Box, state: State, pairs: npt.NDArray[np.int64]) -> int:
    """Deduce until nothing more follows; CONFLICT, OPEN or SOLVED.

    The masks of cells with two candidates are written to `pairs` (bands,).
    """
    while True:
        if not _settle_digits(box, state):
            return CONFLICT
        status = _settle_cells(box, state, pairs)
        if status == CONFLICT or state[-1] == 0:
            return status


@inner
def place(box: Box, state: State, index: int, bit: int) -> None:
    """Make the candidate (index, bit) the only one of its cell."""
    side = len(box[0]) * len(box[1])
    first = index - index % side
    for other in range(first, first + side):
        if other != index and state[other] & bit:
            state[other] &= ~bit
            state[-1] |= 1 << (other - first)


@inner
def read_answer(box: Box, state: State, answer: Cells) -> None:
    """Write the digits of a solved `state` to `answer` (side*side,)."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    for index in range(side * bands):
        mask = np.int64(state[index])
        while mask:
            answer[index // side * height * side + lowest(mask)] = index % side + 1
            mask &= mask - 1
