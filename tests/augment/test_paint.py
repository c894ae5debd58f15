import numpy as np
import pytest

from augment.batch import paint_inputs, paint_pairs
from augment.sampler import DRAW, draw_examples
from tests import naive
from tests.augment.datasets import random_data_set


def canvases(num, side):
    return np.full((num, side * side), 77, np.uint8)


@pytest.mark.parametrize(("seed", "side", "longest"), [(0, 7, 6), (1, 7, 7), (2, 11, 10), (3, 30, 30)])
def test_pairs_equal_their_twin(seed, side, longest):
    data = random_data_set(seed, max_side=longest)
    draws = np.zeros(60, DRAW)
    draw_examples(data.catalog, seed, 0, True, side, draws)
    inputs, targets = canvases(60, side), canvases(60, side)
    paint_pairs(data.grids, data.catalog, data.views, draws, inputs, targets)
    for number, draw in enumerate(draws):
        view = data.views[draw["view"]]
        for canvas, grids in ((inputs, data.catalog.inputs), (targets, data.catalog.outputs)):
            grid = view.apply(data.grids[grids[draw["pair"]]])
            wanted = naive.paint(grid, side, int(draw["row"]), int(draw["column"]))
            assert canvas[number].tolist() == wanted, (seed, number)


def test_inputs_equal_their_twin():
    data = random_data_set(7)
    rng = np.random.default_rng(7)
    numbers, rows = rng.integers(len(data.grids), size=50), rng.integers(len(data.views), size=50)
    inputs = canvases(50, 11)
    paint_inputs(data.grids, data.views, numbers, rows, inputs)
    for number in range(50):
        grid = data.views[rows[number]].apply(data.grids[numbers[number]])
        assert inputs[number].tolist() == naive.paint(grid, 11, 0, 0)


def test_empty_batches():
    data = random_data_set(7)
    inputs, targets = canvases(0, 11), canvases(0, 11)
    paint_pairs(data.grids, data.catalog, data.views, np.zeros(0, DRAW), inputs, targets)
    paint_inputs(data.grids, data.views, np.zeros(0, np.int64), np.zeros(0, np.int64), inputs)
    assert inputs.shape == targets.shape == (0, 121)


def test_what_does_not_fit_is_an_error():
    data = random_data_set(0)
    draws = np.zeros(5, DRAW)
    cases = [
        (data.views, canvases(5, 8), canvases(5, 8), "canvas side 8, expected at least 9"),
        (data.views, canvases(5, 11), canvases(5, 10), "one row per draw in each"),
        (data.views, canvases(4, 11), canvases(4, 11), "one row per draw in each"),
        (data.views, canvases(5, 11)[:, :120], canvases(5, 11), "contiguous uint8"),
        (data.views, canvases(10, 11)[::2], canvases(5, 11), "contiguous uint8"),
        (data.views, canvases(5, 11).astype(np.int64), canvases(5, 11), "contiguous uint8"),
        (data.views, canvases(5, 11).ravel(), canvases(5, 11), "contiguous uint8"),
        (data.views.take(np.arange(3)), canvases(5, 11), canvases(5, 11), "3 views, expected the"),
    ]
    for views, inputs, targets, text in cases:
        with pytest.raises(ValueError, match=text):
            paint_pairs(data.grids, data.catalog, views, draws, inputs, targets)
    zeros = np.zeros(5, np.int64)
    with pytest.raises(ValueError, match="4 grids and 5 views for 5 canvases"):
        paint_inputs(data.grids, data.views, zeros[1:], zeros, canvases(5, 11))
    with pytest.raises(ValueError, match="view rows 0 to 999"):
        paint_inputs(data.grids, data.views, zeros[:2], np.array([0, 999]), canvases(2, 11))
    with pytest.raises(ValueError, match="canvas side 1, expected at least"):
        paint_inputs(data.grids, data.views, np.arange(5), zeros, canvases(5, 1))
