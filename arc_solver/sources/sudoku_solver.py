"""Exact Sudoku search on bitmasks, for sides 4, 6 and 9.

A state holds one integer per digit and band of boxes, with a bit per cell of the band. A digit takes every row
and every box of a band once, so its boxes are a permutation of its rows, and likewise in a stack of boxes; one
table lookup keeps the cells that some permutation uses. That covers locked candidates and hidden singles.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import numpy.typing as npt

BOX_SHAPES = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
MAX_DEPTH = 82
CHUNK = 256
_DE_BRUIJN = 0x077CB531

# The lengths of a pair of tuples are part of its type, so every side gets machine code of its own.
Box = tuple[tuple[None, ...], tuple[None, ...]]


def box_of(side: int) -> Box:
    """The box shape of `side` (4, 6 or 9) as a type: `height` and `width` times None."""
    height, width = BOX_SHAPES[side]
    return (None,) * height, (None,) * width


def _slot(side: int) -> int:
    """The row of a side in the tables: 0, 1, 2 for 4, 6, 9."""
    return (side - 4) // 2


def _permutation_table(size: int, cells: list[list[int]]) -> npt.NDArray[np.int32]:
    """(512,) for a size×size pattern (bit row*size + column): the union of `cells` over its permutations."""
    patterns = np.arange(512)
    table = np.zeros(512, np.int32)
    for order in itertools.permutations(range(size)):
        used = sum(1 << (row * size + column) for row, column in enumerate(order))
        table[(patterns & used) == used] |= sum(cells[row][column] for row, column in enumerate(order))
    return table


def _tables() -> tuple[npt.NDArray[np.int32], ...]:
    """Per side: boxes that a row's cells lie in; cells and columns that permutations keep; a cell's band mates."""
    shrink, rows_kept, columns_kept = np.zeros((3, 3, 512), np.int32)
    outside = np.zeros((3, 27), np.int32)
    for side, (height, width) in BOX_SHAPES.items():
        slot, line = _slot(side), (1 << width) - 1
        bits = (np.arange(1 << side)[:, None] >> np.arange(side)) & 1
        shrink[slot, : 1 << side] = (bits.reshape(-1, height, width).any(2) << np.arange(height)).sum(1)
        cells = [[line << (row * side + box * width) for box in range(height)] for row in range(height)]
        rows_kept[slot] = _permutation_table(height, cells)
        columns = [[1 << (band * side + column) for column in range(width)] for band in range(width)]
        columns_kept[slot] = _permutation_table(width, columns)
        cell = np.arange(height * side)
        row, box = cell // side, cell % side // width
        unseen = (row[:, None] != row) & (box[:, None] != box)
        outside[slot, : cell.size] = ((unseen | np.eye(cell.size, dtype=bool)) << cell).sum(1)
    return shrink, rows_kept, columns_kept, outside


def _positions() -> npt.NDArray[np.int32]:
    """(32,) a single bit times the de Bruijn number, upper five of 32 bits -> the bit's index."""
    table = np.zeros(32, np.int32)
    table[(((1 << np.arange(32)) * _DE_BRUIJN) & 0xFFFFFFFF) >> 27] = np.arange(32)
    return table


_SHRINK, _ROWS_KEPT, _COLUMNS_KEPT, _OUTSIDE = _tables()
_POSITION = _positions()


@numba.njit(cache=True, nogil=True, inline="always")
def _lowest(mask):
    """The index of the lowest set bit of `mask` (not 0, under 2**32)."""
    return _POSITION[(((mask & -mask) * _DE_BRUIJN) & 0xFFFFFFFF) >> 27]


@numba.njit(cache=True, nogil=True)
def _count(mask):
    """The number of set bits of `mask` (under 2**32)."""
    mask -= (mask >> 1) & 0x55555555
    mask = (mask & 0x33333333) + ((mask >> 2) & 0x33333333)
    return ((((mask + (mask >> 4)) & 0x0F0F0F0F) * 0x01010101) & 0xFFFFFFFF) >> 24


@numba.njit(cache=True, nogil=True)
def _replicate(height, side):
    """The number that copies a row's cells into every row of a band when multiplied with them."""
    return 1 | (1 << side) | ((1 << (2 * side)) if height == 3 else 0)


@numba.njit(cache=True, nogil=True)
def load_board(box, board, state):
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


@numba.njit(cache=True, nogil=True)
def _settle_digit(box, state, digit):
    """Keep the cells of one digit (0..side-1) that permutations use; False where none exists."""
    height, width = len(box[0]), len(box[1])
    side, bands, slot = height * width, width, (height * width - 4) // 2
    line, box_line, column = (1 << side) - 1, (1 << width) - 1, _replicate(height, side)
    while True:
        usage = 0
        for band in range(bands):
            x = np.int64(state[band * side + digit])
            row0, row1, row2 = x & line, (x >> side) & line, x >> (2 * side)
            boxes = _SHRINK[slot, row0] | (_SHRINK[slot, row1] << height) | (_SHRINK[slot, row2] << (2 * height))
            x &= _ROWS_KEPT[slot, boxes]
            if x == 0:
                return False
            state[band * side + digit] = x
            usage |= ((x | (x >> side) | (x >> (2 * side))) & line) << (band * side)
        kept = 0
        for stack in range(height):
            columns = 0
            for band in range(bands):
                columns |= ((usage >> (band * side + stack * width)) & box_line) << (band * width)
            kept |= np.int64(_COLUMNS_KEPT[slot, columns]) << (stack * width)
        if usage & ~kept == 0:
            return True
        for band in range(bands):
            state[band * side + digit] &= ((kept >> (band * side)) & line) * column


@numba.njit(cache=True, nogil=True)
def _settle_digits(box, state):
    """Settle every dirty digit and give its single places to it alone; False at a conflict."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    line = (1 << side) - 1
    while state[-1]:
        digit = _lowest(np.int64(state[-1]))
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


@numba.njit(cache=True, nogil=True)
def _settle_cells(box, state, pairs):
    """Place cells with one candidate and note those with two in `pairs`; 0 conflict, 1 open, 2 solved."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    status = 2
    for band in range(bands):
        one, two, three = 0, 0, 0
        for index in range(band * side, band * side + side):
            x = np.int64(state[index])
            three |= two & x
            two |= one & x
            one |= x
        if one != (1 << (height * side)) - 1:
            return 0
        pairs[band] = two & ~three
        if two:
            status = 1
        fresh = one & ~two & ~state[side * bands + band]
        if fresh == 0:
            continue
        state[side * bands + band] |= fresh
        for digit in range(side):
            index = band * side + digit
            kept = np.int64(state[index])
            placed = kept & fresh
            while placed:
                kept &= _OUTSIDE[(side - 4) // 2, _lowest(placed)]
                placed &= placed - 1
            if kept != state[index]:
                state[index] = kept
                state[-1] |= 1 << digit
    return status


@numba.njit(cache=True, nogil=True)
def _propagate(box, state, pairs):
    """Deduce until nothing follows any more; 0 conflict, 1 open, 2 solved."""
    while True:
        if not _settle_digits(box, state):
            return 0
        status = _settle_cells(box, state, pairs)
        if status == 0 or state[-1] == 0:
            return status


@numba.njit(cache=True, nogil=True)
def draw(source, bound):
    """A number from 0..bound-1; `source` (1,) uint64, not 0, is the state of an xorshift generator."""
    x = source[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    source[0] = x
    return np.int64(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(bound))


@numba.njit(cache=True, nogil=True)
def _branch_fewest(box, state, source):
    """A random candidate (index, bit) of a random cell among those with the fewest candidates, at least two."""
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


@numba.njit(cache=True, nogil=True)
def _branch_pair(box, state, pairs):
    """The candidate (index, bit) of the cell with two candidates whose placing removes most; (-1, 0) if none."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    best, chosen, chosen_bit = 0, -1, 0
    for band in range(bands):
        todo = pairs[band]
        while todo:
            cell = _lowest(todo)
            bit = todo & -todo
            todo ^= bit
            seen = ~np.int64(_OUTSIDE[(side - 4) // 2, cell])
            column = (1 << (cell % side)) * _replicate(height, side)
            score, index = 1, 0
            for digit in range(side):
                if state[band * side + digit] & bit:
                    index = band * side + digit
                    removed = 1
                    for other in range(bands):
                        mates = state[other * side + digit] & (seen if other == band else column)
                        removed += _count(mates) + 2 * _count(mates & pairs[other])
                    score *= removed
            if score > best:
                best, chosen, chosen_bit = score, index, bit
    return chosen, chosen_bit


@numba.njit(cache=True, nogil=True)
def search(box, stack, limit, source, answer):
    """Count the solutions of the state in `stack[0]` up to `limit`; returns (solutions, guesses).

    `stack` is (MAX_DEPTH, state) scratch; the first solution is written to `answer` (side*side,). `source` (1,)
    uint64 breaks ties at cells with more than two candidates.
    """
    bands = len(box[1])
    side = len(box[0]) * bands
    pairs = np.zeros(bands, np.int64)
    depth, solutions, guesses = 0, 0, 0
    while depth >= 0:
        state = stack[depth]
        status = _propagate(box, state, pairs)
        if status == 1:
            index, bit = _branch_pair(box, state, pairs)
            if index < 0:
                index, bit = _branch_fewest(box, state, source)
            guesses += 1
            depth += 1
            below = stack[depth]
            below[:] = state
            state[index] &= ~bit
            state[-1] |= 1 << (index % side)
            for other in range(index - index % side, index - index % side + side):
                if other != index and below[other] & bit:
                    below[other] &= ~bit
                    below[-1] |= 1 << (other % side)
            continue
        if status == 2:
            if solutions == 0:
                read_answer(box, state, answer)
            solutions += 1
            if solutions >= limit:
                break
        depth -= 1
    return solutions, guesses


@numba.njit(cache=True, nogil=True)
def read_answer(box, state, answer):
    """Write the digits of a solved `state` to `answer` (side*side,)."""
    height, bands = len(box[0]), len(box[1])
    side = height * bands
    for index in range(side * bands):
        mask = np.int64(state[index])
        while mask:
            answer[index // side * height * side + _lowest(mask)] = index % side + 1
            mask &= mask - 1


@numba.njit(cache=True, nogil=True)
def _solve_range(box, boards, limit, answers, counts):
    """Solve `boards` (n, L): `answers` (n, L) and `counts` (n, 2) = solutions, guesses."""
    bands = len(box[1])
    stack = np.empty((MAX_DEPTH, (len(box[0]) * bands + 1) * bands + 1), np.int32)
    source = np.ones(1, np.uint64)
    for row in range(boards.shape[0]):
        source[0] = 1
        load_board(box, boards[row], stack[0])
        counts[row, 0], counts[row, 1] = search(box, stack, limit, source, answers[row])
