import numpy as np
import numpy.typing as npt
import pytest

from arc_solver.sources.sudoku import generate_sudoku, valid_boards
from arc_solver.sources.sudoku_solver import solve_boards
from augment.sudoku import BOX_SHAPES
from augment.threads import at_most

Board = npt.NDArray[np.uint8]


def options(board: Board, cell: int) -> list[int]:
    """Digits that no mate of the cell holds."""
    side = int(board.size**0.5)
    height, width = BOX_SHAPES[side]
    row, column = divmod(cell, side)
    mates = {
        int(board[r * side + c])
        for r in range(side)
        for c in range(side)
        if (r, c) != (row, column)
        and (r == row or c == column or (r // height == row // height and c // width == column // width))
    }
    return [digit for digit in range(1, side + 1) if digit not in mates]


def naive_solutions(board: Board, limit: int) -> list[Board]:
    """Up to `limit` solutions, by trying every digit in the blank cell with the fewest."""
    if any(board[cell] and board[cell] not in options(board, cell) for cell in range(board.size)):
        return []
    blanks = np.flatnonzero(board == 0)
    if not blanks.size:
        return [board.copy()]
    cell, digits = min(((cell, options(board, cell)) for cell in blanks), key=lambda found: len(found[1]))
    found: list[Board] = []
    for digit in digits:
        trial = board.copy()
        trial[cell] = digit
        found += naive_solutions(trial, limit - len(found))
        if len(found) >= limit:
            break
    return found


def agree(boards: Board, limit: int) -> list[int]:
    """Solutions of every board, after checking them against the slow search."""
    found = solve_boards(boards, limit)
    for board, answer, count in zip(boards, found.answers, found.counts, strict=True):
        expected = naive_solutions(board, limit)
        assert count == len(expected), board.tolist()
        if 0 < count < limit:
            assert any((answer == each).all() for each in expected), board.tolist()
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
    counts = agree(random_givens(side, num_givens, 60 if side < 9 else 20, seed=side), limit)
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
