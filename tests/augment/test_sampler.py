import numpy as np
import pytest

from augment.sampler import DRAW, build_catalog, draw_examples
from tests import naive
from tests.augment.datasets import random_data_set

SIDE = 11


def drawn(catalog, seed, counter, num, translate=True, side=SIDE, all_pairs=False):
    draws = np.zeros(num, DRAW)
    draw_examples(catalog, seed, counter, translate, side, draws, all_pairs=all_pairs)
    return draws


@pytest.mark.parametrize("seed", range(4))
def test_examples_equal_their_twin(seed):
    data = random_data_set(seed)
    draws = drawn(data.catalog, seed, 1000, 150)
    wanted = [naive.draw_example(data.catalog, data.views, SIDE, seed, 1000 + i) for i in range(150)]
    assert draws.tolist() == wanted


@pytest.mark.parametrize("all_pairs", [False, True])
def test_any_slice_gives_the_same_examples(all_pairs):
    data = random_data_set(1)
    whole = drawn(data.catalog, 5, 0, 700, all_pairs=all_pairs)
    for start, stop in [(0, 1), (1, 300), (300, 700), (699, 700), (40, 40), *((n, n + 9) for n in range(80))]:
        part = drawn(data.catalog, 5, start, stop - start, all_pairs=all_pairs)
        assert (part == whole[start:stop]).all()
    assert (drawn(data.catalog, 6, 0, 700, all_pairs=all_pairs) != whole).mean() > 0.5


def test_all_pairs_of_a_task_come_together_under_one_view():
    chosen = [8, 2, 3, 7]
    data = random_data_set(2, num_tasks=9, chosen=chosen)
    firsts = np.cumsum([0, *(len(data.pairs[task]) for task in chosen)]).tolist()
    num_pairs = len(data.catalog.inputs)
    orders, views = set(), set()
    for epoch in range(60):
        draws = drawn(data.catalog, 3, epoch * num_pairs, num_pairs, all_pairs=True)
        # A visit ends where the task changes: every task has one, with each of its pairs and a single view.
        visits = np.split(draws, np.flatnonzero(np.diff(draws["task"])) + 1)
        assert sorted(visit["task"][0] for visit in visits) == sorted(chosen)
        for visit in visits:
            task = visit["task"][0]
            first = firsts[chosen.index(task)]
            assert sorted(visit["pair"]) == list(range(first, first + len(data.pairs[task])))
            assert len(set(visit["view"])) == 1
            views.add(visit["view"][0])
        orders.add(tuple(visit["task"][0] for visit in visits))
    assert len(orders) > 10
    assert len(views) == sum(data.view_counts[task] for task in chosen)


def test_all_pairs_are_placed_as_single_ones_are():
    """The pair that stays in the corner is the same one for a (task, view), whichever way it is drawn."""
    data = random_data_set(4, num_tasks=5)
    one, whole = (drawn(data.catalog, 1, 0, 1500, all_pairs=way) for way in (False, True))
    moved = (whole["row"] > 0) | (whole["column"] > 0)
    for view in range(len(data.views)):
        still = []
        for draws in (one, whole):
            mine = draws[draws["view"] == view]
            away = (mine["row"] > 0) | (mine["column"] > 0)
            still.append(set(mine["pair"]) - set(mine["pair"][away]))
        assert still[0] == still[1]
    assert 0.3 < moved.mean() < 0.95
    for draw in whole:
        grid = np.zeros((data.catalog.heights[draw["pair"]], data.catalog.widths[draw["pair"]]), np.uint8)
        height, width = data.views[draw["view"]].apply(grid).shape
        assert draw["row"] + height <= SIDE
        assert draw["column"] + width <= SIDE


def test_each_task_once_per_epoch():
    data = random_data_set(2, num_tasks=9, chosen=[8, 2, 3, 7])
    tasks = drawn(data.catalog, 3, 0, 400)["task"].reshape(100, 4)
    assert (np.sort(tasks, axis=1) == [2, 3, 7, 8]).all()
    assert len({tuple(order) for order in tasks.tolist()}) > 15


def test_pairs_and_views_of_the_task_are_uniform():
    data = random_data_set(3, num_tasks=3)
    draws = drawn(data.catalog, 1, 0, 1200)
    firsts = np.cumsum([0, *map(len, data.pairs)])
    for task in range(3):
        mine = draws[draws["task"] == task]
        for column, start, count in [
            ("pair", firsts[task], len(data.pairs[task])),
            ("view", sum(data.view_counts[:task]), data.view_counts[task]),
        ]:
            found = np.bincount(mine[column] - start, minlength=count)
            assert len(found) == count
            assert (abs(found - 400 / count) < 5 * (400 / count) ** 0.5).all()


def test_offsets_keep_the_pair_on_the_canvas_and_one_pair_in_the_corner():
    data = random_data_set(4, num_tasks=5)
    draws = drawn(data.catalog, 1, 0, 1500)
    for draw in draws:
        grid = np.zeros((data.catalog.heights[draw["pair"]], data.catalog.widths[draw["pair"]]), np.uint8)
        height, width = data.views[draw["view"]].apply(grid).shape
        assert draw["row"] + height <= SIDE
        assert draw["column"] + width <= SIDE
    moved = (draws["row"] > 0) | (draws["column"] > 0)
    for view in range(len(data.views)):
        mine = draws["view"] == view
        task = draws["task"][mine][0]
        still = set(draws["pair"][mine]) - set(draws["pair"][mine & moved])
        assert len(still) == 1, (task, view)


def test_offsets_are_uniform_over_the_free_space():
    data = random_data_set(6, num_tasks=1, max_side=4)
    draws = drawn(data.catalog, 1, 0, 1500, side=6)
    height = data.catalog.heights[draws["pair"]]
    turned = np.isin(data.views.dihedrals[draws["view"]], [1, 3, 6, 7])
    height = np.where(turned, data.catalog.widths[draws["pair"]], height)
    moving = np.unique(draws["pair"][draws["row"] > 0])
    assert len(moving) > 1
    for pair in moving:
        mine = draws[(draws["pair"] == pair) & ((draws["row"] > 0) | (draws["column"] > 0))]
        free = 6 - height[draws["pair"] == pair].max()
        assert set(mine["row"]) >= set(range(free + 1))


def test_without_translation_all_stay():
    data = random_data_set(5)
    draws = drawn(data.catalog, 1, 0, 300, translate=False)
    assert not draws["row"].any()
    assert not draws["column"].any()
    moved = drawn(data.catalog, 1, 0, 300)
    for column in ("task", "pair", "view"):
        assert (draws[column] == moved[column]).all()


def test_what_does_not_fit_is_an_error():
    data = random_data_set(0)
    with pytest.raises(ValueError, match="canvas side 8, expected at least 9"):
        drawn(data.catalog, 0, 0, 1, side=8)
    with pytest.raises(ValueError, match=r"expected sampler\.DRAW"):
        draw_examples(data.catalog, 0, 0, True, SIDE, np.zeros(3, np.int64))


def test_a_catalog_needs_tasks_pairs_and_views():
    data = random_data_set(0, num_tasks=3)
    grids, pairs, views, counts, _ = data
    with pytest.raises(ValueError, match="catalog of 0 of 3 tasks"):
        build_catalog(grids, pairs, views, counts, [])
    with pytest.raises(ValueError, match="counts that match"):
        build_catalog(grids, pairs, views, [1, 1, 1], [0])
    with pytest.raises(ValueError, match="task 1: 0 pairs"):
        build_catalog(grids, [pairs[0], [], pairs[2]], views, counts, [0, 1])
