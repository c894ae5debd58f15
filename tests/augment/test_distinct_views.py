import numpy as np
import pytest

from augment.view import View, distinct_views
from tests.naive import picture, pictures, random_grids


def shown(table, grids):
    return [picture([table[row].apply(grid) for grid in grids]) for row in range(len(table))]


def few_colored_grids(seed):
    """One or two small grids of one to three colors, often square, so that symmetries collide."""
    rng = np.random.default_rng(seed)
    palette = rng.choice(10, size=rng.integers(1, 4), replace=False).astype(np.uint8)
    shapes = [
        (side, side if rng.random() < 0.7 else 4 - side)
        for side in rng.integers(1, 4, size=rng.integers(1, 3))
    ]
    return [rng.choice(palette, size=shape) for shape in shapes]


@pytest.mark.parametrize("seed", range(25))
def test_all_pictures_come_and_each_once(seed):
    grids = few_colored_grids(seed)
    found = shown(distinct_views(grids, 10**5, seed), grids)
    assert len(set(found)) == len(found)
    assert set(found) == pictures(grids)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([[0]], 1),  # nothing changes an empty picture
        ([[5]], 9),
        ([[5, 0]], 9 * 4),
        ([[0, 5], [5, 0]], 9 * 2),  # half the symmetries leave it, the others swap
        ([[1, 2], [2, 1]], 9 * 8),  # every symmetry but renames
        ([[0, 1], [2, 0]], 9 * 8 * 2),
        ([[1, 2, 3, 4]], 9 * 8 * 7 * 6 * 2),
    ],
)
def test_how_many_there_are(rows, wanted):
    table = distinct_views([np.array(rows, np.uint8)], wanted + 5, 0)
    assert len(table) == wanted
    assert len(set(shown(table, [np.array(rows, np.uint8)]))) == wanted


@pytest.mark.parametrize("seed", range(3))
def test_a_function_of_content_and_seed(seed):
    grids = list(random_grids(np.random.default_rng(seed), 6))
    table = distinct_views(grids, 200, seed)
    assert len(table) == 200
    assert table[0] == View()
    assert (table.colors[:, 0] == 0).all()
    fewer = distinct_views([grid.copy() for grid in grids], 50, seed)
    assert (fewer.colors == table.colors[:50]).all()
    assert (fewer.dihedrals == table.dihedrals[:50]).all()
    other_seed = distinct_views(grids, 200, seed + 1)
    assert (other_seed.colors[1:] != table.colors[1:]).any(axis=1).mean() > 0.9
    grids[3][0, 0] ^= 1
    assert (distinct_views(grids, 200, seed).colors[1:] != table.colors[1:]).any(axis=1).mean() > 0.9


def test_symmetries_and_colors_are_uniform():
    grids = [np.array([[1, 2, 3], [4, 0, 0]], np.uint8)]
    table = distinct_views(grids, 8001, 3)
    counts = np.bincount(table.dihedrals[1:], minlength=8)
    assert (abs(counts - 1000) < 5 * 1000**0.5).all()
    for color in range(1, 10):  # those that occur and those that do not
        counts = np.bincount(table.colors[1:, color], minlength=10)[1:]
        assert (abs(counts - 8000 / 9) < 5 * (8000 / 9) ** 0.5).all(), color


def test_no_views_and_no_grids():
    assert len(distinct_views([np.zeros((2, 2), np.uint8)], 0, 0)) == 0
    assert len(distinct_views([], 10, 0)) == 1
