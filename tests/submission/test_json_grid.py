"""Grids at the JSON border: what is taken, what is refused, and how the refusal reads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submission.grid import EmptyGridError, GridError, blank_grid, check_grid


@settings(max_examples=50)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_lists_and_arrays_give_the_same_grid(height, width, seed):
    array = np.random.default_rng(seed).integers(0, 10, (height, width))
    for value in (array, array.tolist(), np.asfortranarray(array.astype(np.uint8))):
        grid = check_grid(value)
        assert grid.dtype == np.uint8
        assert grid.flags.c_contiguous
        assert grid.tolist() == array.tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "null, expected a list of rows"),
        ("12", '"12", expected a list of rows'),
        ({"a": 1}, "an object, expected a list of rows"),
        ((1,), "a tuple, expected a list of rows"),
        ([[1], 2], "row 1: 2, expected a list of integers"),
        ([[1, 2], [3]], "row 1: length 1, expected 2"),
        ([[1, 2], []], "row 1: length 0, expected 2"),
        ([[0]] * 31, "31 rows, expected 1 to 30"),
        ([[0] * 31], "row 0: length 31, expected 1 to 30"),
        ([[0, True]], "row 0 column 1: true, expected an integer 0 to 9"),
        ([[1.0]], "row 0 column 0: 1.0, expected"),
        ([["1"]], 'row 0 column 0: "1", expected'),
        ([[None]], "row 0 column 0: null, expected"),
        ([[float("nan")]], "row 0 column 0: NaN, expected"),
        ([[-1]], "row 0 column 0: -1, expected"),
        ([[10]], "row 0 column 0: 10, expected"),
        ([[[1]]], "row 0 column 0: a list, expected"),
        (np.zeros(3, int), "an array of shape (3,), expected two axes"),
        (np.zeros((1, 1)), "an array of float64, expected integers"),
        (np.zeros((1, 1), bool), "an array of bool, expected integers"),
        (np.zeros((31, 1), int), "an array of shape (31, 1), expected sides of 1 to 30"),
        (np.full((1, 1), 10), "cells from 10 to 10, expected 0 to 9"),
        (np.full((1, 1), -1), "cells from -1 to -1, expected 0 to 9"),
    ],
)
def test_what_is_no_grid_is_named(value, message):
    with pytest.raises(GridError) as caught:
        check_grid(value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, EmptyGridError)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("value", [[], [[]], [[], []], np.zeros((0, 3), int)])
def test_empty_grids_are_told_apart(value):
    with pytest.raises(EmptyGridError):
        check_grid(value)


def test_the_blank_grid():
    assert check_grid(blank_grid()).tolist() == [[0]]
