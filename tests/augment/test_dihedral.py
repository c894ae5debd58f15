import numpy as np
import pytest

from augment.dihedral import COMPOSE, DIHEDRALS, INVERSE, SWAPS_SIDES, apply_dihedral

GRID = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)


def test_the_numbering_is_the_published_one():
    published = [
        GRID,
        np.rot90(GRID, 1),
        np.rot90(GRID, 2),
        np.rot90(GRID, 3),
        np.fliplr(GRID),
        np.flipud(GRID),
        GRID.T,
        np.fliplr(np.rot90(GRID)),
    ]
    for index, wanted in enumerate(published):
        moved = apply_dihedral(GRID, index)
        assert moved.tolist() == wanted.tolist(), DIHEDRALS[index]
        assert moved.flags.c_contiguous
        assert SWAPS_SIDES[index] == (moved.shape == (3, 2))


def test_composition_and_inverse():
    for first in range(8):
        once = apply_dihedral(GRID, first)
        assert apply_dihedral(once, int(INVERSE[first])).tolist() == GRID.tolist()
        for second in range(8):
            both = apply_dihedral(GRID, int(COMPOSE[first, second]))
            assert apply_dihedral(once, second).tolist() == both.tolist()


@pytest.mark.parametrize("index", [-1, 8])
def test_an_unknown_symmetry_is_an_error(index):
    with pytest.raises(ValueError, match=f"dihedral {index}, expected 0 to 7"):
        apply_dihedral(GRID, index)
