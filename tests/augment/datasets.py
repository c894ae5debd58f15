"""A small data set of random pairs, packed and catalogued."""

from typing import NamedTuple

import numpy as np

from augment.packed import PackedGrids
from augment.sampler import Catalog, build_catalog
from augment.view import View, ViewTable
from tests.naive import random_grids


class DataSet(NamedTuple):
    grids: PackedGrids
    pairs: list[list[tuple[int, int]]]
    views: ViewTable
    view_counts: list[int]
    catalog: Catalog


def random_data_set(
    seed: int, num_tasks: int = 7, max_side: int = 9, chosen: list[int] | None = None
) -> DataSet:
    """Tasks of one to four pairs and one to six views; the catalog holds `chosen`, all by default."""
    rng = np.random.default_rng(seed)
    num_pairs = rng.integers(1, 5, size=num_tasks)
    grids = PackedGrids.from_grids(list(random_grids(rng, 2 * num_pairs.sum(), max_side)))
    numbers = iter(range(len(grids)))
    pairs = [[(next(numbers), next(numbers)) for _ in range(count)] for count in num_pairs]
    view_counts = rng.integers(1, 7, size=num_tasks).tolist()
    views = ViewTable.from_views([View.draw(rng) for _ in range(sum(view_counts))])
    tasks = list(range(num_tasks)) if chosen is None else chosen
    return DataSet(grids, pairs, views, view_counts, build_catalog(grids, pairs, views, view_counts, tasks))
