import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.view import View, ViewTable, distinct_dihedrals
from tests.naive import random_grids

COLORS = st.permutations(range(10)).map(tuple)
VIEWS = st.builds(View, st.integers(0, 7), COLORS)
GRIDS = st.integers(0, 2**32).map(lambda seed: next(random_grids(np.random.default_rng(seed), 1)))


@settings(deadline=None, max_examples=200)
@given(VIEWS, GRIDS)
def test_the_inverse_undoes_a_view(view, grid):
    shown = view.apply(grid)
    assert (view.inverse().apply(shown) == grid).all()
    assert (view.apply(view.inverse().apply(grid)) == grid).all()
    assert shown.dtype == np.uint8
    assert shown.flags.c_contiguous
    assert view.inverse().inverse() == view


@pytest.mark.parametrize("dihedral", range(8))
def test_each_symmetry_with_many_colors(dihedral):
    rng = np.random.default_rng(dihedral)
    for grid in random_grids(rng, 50):
        view = View(dihedral, tuple(rng.permutation(10).tolist()))
        assert (view.inverse().apply(view.apply(grid)) == grid).all()


def test_colors_go_from_old_to_new():
    view = View(0, (0, 2, 1, 3, 4, 5, 6, 7, 8, 9))
    assert view.apply(np.array([[1, 2, 3]], np.uint8)).tolist() == [[2, 1, 3]]


def test_drawn_views_keep_zero_and_are_uniform():
    rng = np.random.default_rng(5)
    views = [View.draw(rng) for _ in range(4000)]
    assert {view.colors[0] for view in views} == {0}
    dihedrals = np.bincount([view.dihedral for view in views], minlength=8)
    assert (abs(dihedrals - 500) < 5 * 500**0.5).all()
    first = np.bincount([view.colors[1] for view in views], minlength=10)
    assert (abs(first[1:] - 4000 / 9) < 5 * (4000 / 9) ** 0.5).all()


@pytest.mark.parametrize(
    ("dihedral", "colors"), [(8, range(10)), (-1, range(10)), (0, range(9)), (0, [0] * 10), (0, range(1, 11))]
)
def test_what_is_no_view_is_an_error(dihedral, colors):
    with pytest.raises(ValueError, match="expected"):
        View(dihedral, tuple(colors))


def some_views(seed, num=30):
    rng = np.random.default_rng(seed)
    return [View.draw(rng) for _ in range(num)]


def test_a_table_holds_views():
    views = some_views(1)
    table = ViewTable.from_views(views)
    assert len(table) == len(views)
    assert [table[row] for row in range(len(table))] == views
    assert table.dihedrals.dtype == table.colors.dtype == np.uint8
    inverse = table.inverse()
    assert [inverse[row] for row in range(len(table))] == [view.inverse() for view in views]
    both = ViewTable.concatenate([table, inverse])
    assert both[len(table) + 3] == views[3].inverse()
    assert [both[row] for row in range(30)] == views
    taken = both.take(np.array([31, 2, 2]))
    assert [taken[row] for row in range(3)] == [views[1].inverse(), views[2], views[2]]
    assert taken.arrays.colors is taken.colors
    assert len(ViewTable.concatenate([])) == len(ViewTable.from_views([])) == 0


@pytest.mark.parametrize(
    ("dihedrals", "colors", "text"),
    [
        (np.zeros(2, np.uint8), np.zeros((3, 10), np.uint8), "shape"),
        (np.zeros((1, 1), np.uint8), np.arange(10, dtype=np.uint8)[None], "shape"),
        (np.zeros(1, np.int64), np.arange(10, dtype=np.uint8)[None], "int64"),
        (np.full(1, 8, np.uint8), np.arange(10, dtype=np.uint8)[None], "symmetry"),
        (np.zeros(1, np.uint8), np.arange(1, 11, dtype=np.uint8)[None], "color"),
        (np.zeros(1, np.uint8), np.zeros((1, 10), np.uint8), "view 0 lacks a color"),
    ],
)
def test_a_table_of_anything_else_is_an_error(dihedrals, colors, text):
    with pytest.raises(ValueError, match=text):
        ViewTable(dihedrals, colors)


def test_distinct_dihedrals_are_the_symmetries_that_show_a_difference() -> None:
    plain = distinct_dihedrals([np.array([[1, 2], [3, 4]], dtype=np.uint8)])
    assert [plain[i] for i in range(len(plain))] == [View(i) for i in range(8)]
    mirrored = distinct_dihedrals([np.array([[1, 2, 1]], dtype=np.uint8)])
    assert [mirrored[i].dihedral for i in range(len(mirrored))] == [0, 1]
    together = distinct_dihedrals([np.array([[1, 2, 1]], dtype=np.uint8), np.array([[1, 2]], dtype=np.uint8)])
    assert [together[i].dihedral for i in range(len(together))] == [0, 1, 2, 3]
