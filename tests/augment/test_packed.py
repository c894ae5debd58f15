import numpy as np

from augment.packed import PackedGrids
from tests.naive import random_grids


def test_grids_come_back_out():
    grids = list(random_grids(np.random.default_rng(0), 40))
    packed = PackedGrids.from_grids(grids)
    assert len(packed) == 40
    assert packed.cells.dtype == np.uint8
    for number, grid in enumerate(grids):
        assert packed[number].tolist() == grid.tolist()
        assert packed[number].flags.c_contiguous
        assert packed.arrays.heights[number] == grid.shape[0]


def test_a_transposed_grid_is_read_by_rows():
    grid = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert PackedGrids.from_grids([grid.T])[0].tolist() == grid.T.tolist()


def test_no_grids():
    packed = PackedGrids.from_grids([])
    assert len(packed) == 0
    assert packed.cells.shape == (0,)
