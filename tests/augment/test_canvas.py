import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.canvas import CANVAS_SIDES, VOCABULARY, crop, fitted_side, place
from tests import naive


@pytest.mark.parametrize(
    ("longest", "side"), [(1, 7), (6, 7), (7, 11), (10, 11), (20, 21), (25, 26), (26, 30), (29, 30), (30, 30)]
)
def test_the_side_that_fits(longest, side):
    assert fitted_side(longest) == side


def test_sides_that_do_not_fit():
    assert fitted_side(3, (30,)) == 30
    with pytest.raises(ValueError, match="expected 1 to 30"):
        fitted_side(31)
    with pytest.raises(ValueError, match="add 30"):
        fitted_side(12, (7, 11))


def test_an_edge_below_and_right_and_no_corner():
    tokens = place(np.array([[0, 1], [2, 3]], np.uint8), 5, 1, 2)
    assert tokens.tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 2, 3, 1],
        [0, 0, 4, 5, 1],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    assert place(np.zeros((5, 5), np.uint8), 5).min() == 2
    assert VOCABULARY == 12


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (4, 0), (0, 3)])
def test_a_grid_must_stay_on_the_canvas(row, column):
    with pytest.raises(ValueError, match="leaves a canvas of side 5"):
        place(np.zeros((2, 3), np.uint8), 5, row, column)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32), st.sampled_from(CANVAS_SIDES))
def test_place_and_crop_are_inverse(seed, side):
    rng = np.random.default_rng(seed)
    grid = next(naive.random_grids(rng, 1, side))
    row, column = rng.integers(0, side - grid.shape[0] + 1), rng.integers(0, side - grid.shape[1] + 1)
    tokens = place(grid, side, row, column)
    assert tokens.ravel().tolist() == naive.paint(grid, side, row, column)
    found = crop(place(grid, side))
    assert found is not None
    assert found.tolist() == grid.tolist()
    assert found.flags.c_contiguous


@pytest.mark.parametrize("seed", range(60))
def test_crop_takes_the_largest_rectangle(seed):
    rng = np.random.default_rng(seed)
    side = int(rng.integers(1, 8))
    tokens = np.where(
        rng.random((side, side)) < rng.random() * 0.5, rng.choice([0, 1, 12, 255]), rng.integers(2, 12)
    )
    found, wanted = crop(tokens.astype(np.uint8)), naive.crop(tokens.ravel().tolist(), side)
    assert (found is None) == (wanted is None)
    if wanted is not None:
        assert found.tolist() == wanted.tolist()


def test_of_equal_rectangles_the_flatter_wins():
    tokens = np.array([[2, 3, 0], [4, 0, 0], [0, 0, 0]], np.uint8)
    assert crop(tokens).tolist() == [[0, 1]]
    assert crop(np.zeros((3, 3), np.uint8)) is None
