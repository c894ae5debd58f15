import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.sudoku import (
    BOX_SHAPES,
    SudokuView,
    paint_board_views,
    paint_boards,
    restore_boards,
    tabulate,
)
from tests import naive

SIDES = st.sampled_from(sorted(BOX_SHAPES))


def solved(side):
    """The board of shifted rows, which is valid for any box shape."""
    height, width = BOX_SHAPES[side]
    return np.array(
        [[(width * r + r // height + c) % side + 1 for c in range(side)] for r in range(side)], np.uint8
    )


def is_valid(board):
    side = len(board)
    height, width = BOX_SHAPES[side]
    boxes = board.reshape(side // height, height, side // width, width).swapaxes(1, 2).reshape(side, side)
    return all(set(unit.tolist()) == set(range(1, side + 1)) for unit in (*board, *board.T, *boxes))


@settings(deadline=None, max_examples=150)
@given(SIDES, st.integers(0, 2**32))
def test_views_keep_boards_valid_and_are_undone(side, seed):
    rng = np.random.default_rng(seed)
    view = SudokuView.draw(rng, side)
    assert is_valid(view.apply(solved(side)))
    board = rng.integers(0, side + 1, size=(side, side)).astype(np.uint8)
    shown = view.apply(board)
    assert (view.inverse().apply(shown) == board).all()
    assert (view.apply(view.inverse().apply(board)) == board).all()
    assert view.inverse().inverse() == view
    assert (shown == 0).sum() == (board == 0).sum()
    assert (SudokuView.identity(side).apply(board) == board).all()


@pytest.mark.parametrize("side", sorted(BOX_SHAPES))
def test_every_kind_of_change_is_drawn(side):
    rng = np.random.default_rng(side)
    views = [SudokuView.draw(rng, side) for _ in range(300)]
    height, width = BOX_SHAPES[side]
    assert len({view.digits for view in views}) > 20
    assert {view.rows[0] for view in views} == set(range(side))
    assert {view.columns[0] for view in views} == set(range(side))
    assert {view.transpose for view in views} == ({True, False} if height == width else {False})


def test_what_breaks_boards_is_no_view():
    lines = tuple(range(9))
    cases = [
        (tuple(range(10)), (1, 3, 2, *lines[3:]), lines, False, "rows"),
        (tuple(range(10)), lines, (0, *lines[:8]), False, "columns"),
        (tuple(range(1, 10)), lines, lines, False, "digits"),
        ((1, 0, *range(2, 10)), lines, lines, False, "digits"),
        (tuple(range(6)), tuple(range(5)), tuple(range(5)), False, "5 rows"),
        (tuple(range(10)), lines, lines[:6], False, "6 columns"),
        (tuple(range(7)), tuple(range(6)), tuple(range(6)), True, "square boxes"),
    ]
    for digits, rows, columns, transpose, text in cases:
        with pytest.raises(ValueError, match=text):
            SudokuView(digits, rows, columns, transpose)


def random_boards(rng, num, side):
    answers = np.stack([SudokuView.draw(rng, side).apply(solved(side)).ravel() for _ in range(num)])
    return np.where(rng.random(answers.shape) < 0.6, 0, answers).astype(np.uint8), answers


@pytest.mark.parametrize(("seed", "side"), [(0, 4), (1, 6), (2, 9), (2**64 - 1, 9)])
def test_painted_boards_equal_their_twin(seed, side):
    questions, answers = random_boards(np.random.default_rng(seed), 11, side)
    inputs, targets = np.zeros((60, side * side), np.uint8), np.zeros((60, side * side), np.uint8)
    paint_boards(questions, answers, seed, 500, inputs, targets)
    for number in range(60):
        board = naive.item_of_epoch(500 + number, 11, seed)
        digits, rows, columns, transpose = naive.drawn_sudoku_view(seed, 500 + number, BOX_SHAPES[side])
        view = SudokuView(tuple(digits), tuple(rows), tuple(columns), transpose)
        for tokens, boards in ((inputs, questions), (targets, answers)):
            wanted = view.apply(boards[board].reshape(side, side)).ravel() + 1
            assert tokens[number].tolist() == wanted.tolist()
        assert is_valid(targets[number].reshape(side, side) - np.uint8(1))


def test_a_slice_of_examples_is_the_same():
    questions, answers = random_boards(np.random.default_rng(3), 7, 9)
    whole, part = np.zeros((2, 400, 81), np.uint8), np.zeros((2, 100, 81), np.uint8)
    paint_boards(questions, answers, 9, 0, *whole)
    paint_boards(questions, answers, 9, 250, *part)
    assert (whole[:, 250:350] == part).all()
    paint_boards(questions, answers, 10, 250, *part)
    assert (whole[:, 250:350] != part).any(axis=-1).mean() > 0.9


@pytest.mark.parametrize("side", sorted(BOX_SHAPES))
def test_views_of_a_table_are_painted_and_undone(side):
    rng = np.random.default_rng(side)
    views = [SudokuView.draw(rng, side) for _ in range(40)]
    boards = rng.integers(0, side + 1, size=(40, side * side)).astype(np.uint8)
    tokens = np.zeros_like(boards)
    paint_board_views(boards, tabulate(views), tokens)
    for number, view in enumerate(views):
        assert (
            tokens[number].tolist() == (view.apply(boards[number].reshape(side, side)).ravel() + 1).tolist()
        )
    assert (restore_boards(tokens, tabulate(views)) == boards).all()
    tokens[tokens == 1] = 2
    tokens[:, 0] = 0
    tokens[:, 1] = side + 2
    assert ((restore_boards(tokens, tabulate(views)) == 0).sum(axis=1) == 2).all()


def test_shapes_that_do_not_match_are_errors():
    boards, view = np.zeros((2, 81), np.uint8), tabulate([SudokuView.identity(9)] * 2)
    with pytest.raises(ValueError, match="expected questions like answers"):
        paint_boards(boards, boards[:1], 0, 0, boards.copy(), boards.copy())
    with pytest.raises(ValueError, match="inputs like targets"):
        paint_boards(boards, boards, 0, 0, boards.copy(), boards[:1].copy())
    with pytest.raises(ValueError, match="expected uint8"):
        paint_boards(np.zeros((2, 25), np.uint8), boards, 0, 0, boards.copy(), boards.copy())
    with pytest.raises(ValueError, match="as many of each"):
        paint_board_views(boards[:1], view, boards.copy())
    with pytest.raises(ValueError, match="as many, of one side"):
        restore_boards(np.zeros((2, 16), np.uint8), view)
