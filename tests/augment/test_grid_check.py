import numpy as np
import pytest

from augment.grid import GridError, check_grid


def test_rows_of_ints_become_a_grid():
    grid = check_grid([[0, 9], [1, 2], [3, 4]])
    assert grid.dtype == np.uint8
    assert grid.shape == (3, 2)
    assert grid.flags.c_contiguous
    assert grid.tolist() == [[0, 9], [1, 2], [3, 4]]


def test_a_grid_is_not_copied_and_a_strided_one_is():
    grid = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert check_grid(grid) is grid
    turned = check_grid(grid.T)
    assert turned.flags.c_contiguous
    assert (turned == grid.T).all()
    assert check_grid(grid.astype(np.int64)).dtype == np.uint8


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "dict, expected a list of rows"),
        ("12", "str, expected a list of rows"),
        ([], "0 rows, expected 1 to 30"),
        ([[0]] * 31, "31 rows, expected 1 to 30"),
        ([[]], "0 columns, expected 1 to 30"),
        ([[0] * 31], "31 columns, expected 1 to 30"),
        ([[0], "1"], "row 1: str, expected a list of colors"),
        ([[0, 1], [2]], "row 1: length 1, expected 2"),
        ([[0], [10]], "row 1 column 0: 10, expected a color 0..9"),
        ([[-1]], "row 0 column 0: -1, expected a color 0..9"),
        ([[True]], "row 0 column 0: True, expected a color 0..9"),
        ([[1.0]], "row 0 column 0: 1.0, expected a color 0..9"),
        ([["1"]], "row 0 column 0: '1', expected a color 0..9"),
        ([[None]], "row 0 column 0: None, expected a color 0..9"),
        ([[10**6000]], "row 0 column 0: an integer of 19932 bits, expected a color 0..9"),
        ([["x" * 99]], "row 0 column 0: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..., expected a color 0..9"),
        (np.zeros(3, np.uint8), "an array of 1 dimensions, expected rows and columns"),
        (np.zeros((2, 2)), "an array of float64, expected integers"),
        (np.ones((2, 2), bool), "an array of bool, expected integers"),
        (np.zeros((0, 2), np.uint8), "0 rows, expected 1 to 30"),
        (np.zeros((2, 31), np.uint8), "31 columns, expected 1 to 30"),
        (np.array([[0, 1], [2, 300]]), "row 1 column 1: 300, expected a color 0..9"),
        (np.array([[0, -1]], np.int8), "row 0 column 1: -1, expected a color 0..9"),
    ],
)
def test_what_is_no_grid_is_named(value, text):
    with pytest.raises(GridError) as caught:
        check_grid(value)
    assert str(caught.value) == text
    assert caught.value.exit_code == 3
