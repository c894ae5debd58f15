import numpy as np
import pytest

from augment.batch import paint_inputs, restore_answers
from augment.canvas import crop
from augment.packed import PackedGrids
from augment.view import View, ViewTable
from tests import naive


def restored(answers, number):
    height, width = answers.shapes[number].tolist()
    return answers.cells[number, : height * width].reshape(height, width)


def drawn_table(rng, num):
    return ViewTable.from_views([View.draw(rng) for _ in range(num)])


@pytest.mark.parametrize(("seed", "side"), [(0, 30), (1, 11), (2, 7)])
def test_painting_and_restoring_are_inverse(seed, side):
    rng = np.random.default_rng(seed)
    grids = list(naive.random_grids(rng, 40, side))
    views = drawn_table(rng, 40)
    tokens = np.zeros((40, side * side), np.uint8)
    paint_inputs(PackedGrids.from_grids(grids), views, np.arange(40), np.arange(40), tokens)
    answers = restore_answers(tokens, views)
    for number, grid in enumerate(grids):
        assert restored(answers, number).tolist() == grid.tolist()
        assert not answers.cells[number, grid.size :].any()
        assert tuple(answers.keys[number].tolist()) == naive.content_key(grid)
        assert answers.overflows[number] == (side < 30 and side in grid.shape)


@pytest.mark.parametrize("seed", range(6))
def test_any_canvas_equals_its_twin(seed):
    rng = np.random.default_rng(seed)
    side = int(rng.integers(1, 10))
    tokens = rng.integers(2, 12, size=(40, side * side)).astype(np.uint8)
    holes = rng.random(tokens.shape) < rng.random((40, 1)) * 0.4
    tokens[holes] = rng.choice(np.array([0, 1, 12, 255], np.uint8), size=holes.sum())
    views = drawn_table(rng, 40)
    answers = restore_answers(tokens, views)
    for number in range(40):
        seen = crop(tokens[number].reshape(side, side))
        twin = naive.crop(tokens[number].tolist(), side)
        assert (seen is None) == (twin is None)
        wanted = None if seen is None else views[number].inverse().apply(seen)
        assert tuple(answers.keys[number].tolist()) == naive.content_key(wanted)
        if wanted is None:
            assert answers.shapes[number].tolist() == [0, 0]
            assert not answers.overflows[number]
        else:
            assert seen.tolist() == twin.tolist()
            assert restored(answers, number).tolist() == wanted.tolist()
            assert answers.overflows[number] == (side in seen.shape)


def test_keys_tell_grids_apart():
    grids = [np.zeros((h, w), np.uint8) for h in range(1, 12) for w in range(1, 12)]
    for cell in range(25):
        grids.append(np.zeros((5, 5), np.uint8))
        grids[-1].flat[cell] = 1
    tokens = np.zeros((len(grids), 900), np.uint8)
    views = ViewTable.from_views([View()] * len(grids))
    paint_inputs(PackedGrids.from_grids(grids), views, np.arange(len(grids)), np.arange(len(grids)), tokens)
    keys = restore_answers(tokens, views).keys
    assert len(np.unique(keys[:, 0])) == len(np.unique(keys[:, 1])) == len(grids)


def test_one_view_per_canvas():
    with pytest.raises(ValueError, match="1 views for 2 canvases"):
        restore_answers(np.zeros((2, 49), np.uint8), ViewTable.from_views([View()]))
    with pytest.raises(ValueError, match="contiguous uint8"):
        restore_answers(np.zeros((1, 48), np.uint8), ViewTable.from_views([View()]))
    assert len(restore_answers(np.zeros((0, 49), np.uint8), ViewTable.from_views([])).cells) == 0
