from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.domains.sudoku.rules import valid_boards
from arc_solver.domains.sudoku.solver import solve_boards
from augment.sudoku import BOX_SHAPES
from augment.threads import at_most

Board = npt.NDArray[np.uint8]


@cache
def mates(side: int) -> list[list[int]]:
    """The cells that share a row, a column or a box with each cell."""
    height, width = BOX_SHAPES[side]
    places = [divmod(cell, side) for cell in range(side * side)]
    return [
        [
            r * side + c
            for r, c in places
            if (r, c) != (row, column)
            and (r == row or c == column or (r // height, c // width) == (row // height, column // width))
        ]
        for row, column in places
    ]


def naive_solutions(board: list[int], limit: int) -> list[list[int]]:
    """Up to `limit` solutions, by trying every digit in the blank cell with the fewest."""
    side = int(len(board) ** 0.5)
    used = [{board[mate] for mate in mates(side)[cell]} for cell in range(len(board))]
    if any(digit and digit in used[cell] for cell, digit in enumerate(board)):
        return []
    blanks = [cell for cell, digit in enumerate(board) if not digit]
    if not blanks:
        return [board]
    cell = max(blanks, key=lambda blank: len(used[blank] - {0}))
    found: list[list[int]] = []
    for digit in range(1, side + 1):
        if digit not in used[cell] and len(found) < limit:
            trial = [*board[:cell], digit, *board[cell + 1 :]]
            found += naive_solutions(trial, limit - len(found))
    return found


def agree(boards: Board, limit: int) -> list[int]:
    """Solutions of every board, after checking them against the slow search."""
    found = solve_boards(boards, limit)
    for board, answer, count in zip(boards, found.answers, found.counts, strict=True):
        expected = naive_solutions(board.tolist(), limit)
        assert count == len(expected), board.tolist()
        if 0 < count < limit:
            assert answer.tolist() in expected, board.tolist()
        elif count:
            assert valid_boards(board[None], answer[None])[0], board.tolist()
        else:
            assert not answer.any(), board.tolist()
    return found.counts.tolist()


def random_givens(side: int, num_givens: int, num: int, seed: int) -> Board:
    rng = np.random.default_rng(seed)
    boards = np.zeros((num, side * side), np.uint8)
    for board in boards:
        cells = rng.permutation(side * side)[:num_givens]
        board[cells] = rng.integers(1, side + 1, num_givens)
    return boards


@pytest.mark.parametrize(("side", "num_givens", "limit"), [(4, 2, 300), (4, 4, 300), (6, 9, 40), (9, 17, 3)])
def test_counts_equal_a_slow_search_on_random_givens(side: int, num_givens: int, limit: int) -> None:
    counts = agree(random_givens(side, num_givens, 40 if side < 9 else 20, seed=side), limit)
    assert 0 in counts
    assert side == 9 or max(counts) > 1


@pytest.mark.parametrize("side", [4, 6, 9])
def test_counts_equal_a_slow_search_near_proper_puzzles(side: int) -> None:
    rng = np.random.default_rng(side)
    boards = generate_sudoku(12, side, rng).questions.copy()
    for board in boards[4:]:
        board[rng.choice(np.flatnonzero(board))] = 0
    for board in boards[8:]:
        board[rng.choice(np.flatnonzero(board))] = rng.integers(1, side + 1)
    counts = agree(boards, 12)
    assert counts[:4] == [1] * 4
    assert min(counts[4:8]) > 1  # no given of a generated puzzle is spare


def test_counts_all_grids_of_side_four() -> None:
    assert solve_boards(np.zeros((1, 16), np.uint8), 1000).counts[0] == 288


def test_counts_all_grids_of_side_six_below_one_first_row() -> None:
    board = np.zeros((1, 36), np.uint8)
    board[0, :6] = range(1, 7)
    assert solve_boards(board, 100_000).counts[0] == 28_200_960 // 720


def test_a_full_board_is_its_own_answer_without_a_guess() -> None:
    full = generate_sudoku(1, 9, np.random.default_rng(0)).answers
    found = solve_boards(full)
    assert (found.answers == full).all()
    assert (found.counts[0], found.guesses[0]) == (1, 0)


def test_results_do_not_depend_on_threads_nor_on_company() -> None:
    boards = np.concatenate([random_givens(9, 15, 150, seed=1), random_givens(9, 20, 150, seed=2)])
    with at_most(1):
        alone = solve_boards(boards)
    with at_most(2):
        together = solve_boards(boards)
    single = solve_boards(boards[-1:])
    for one, two, three in zip(alone, together, single, strict=True):
        assert (one == two).all()
        assert (one[-1:] == three).all()


def test_no_boards_are_no_trouble() -> None:
    assert [len(each) for each in solve_boards(np.zeros((0, 81), np.uint8))] == [0, 0, 0]
