"""The eight symmetries of the square, numbered as the published identifiers number them."""

import numpy as np
import numpy.typing as npt

from augment.grid import Grid

DIHEDRALS: tuple[str, ...] = (
    "identity",
    "quarter turn",  # counter-clockwise, as np.rot90
    "half turn",
    "three-quarter turn",
    "left-right flip",
    "up-down flip",
    "transpose",
    "anti-transpose",
)


def apply_dihedral(grid: Grid, index: int) -> Grid:
    """The grid under symmetry `index` of DIHEDRALS, C-contiguous; an unknown index is a ValueError."""
    match index:
        case 0:
            moved = grid
        case 1 | 2 | 3:
            moved = np.rot90(grid, index)
        case 4:
            moved = grid[:, ::-1]
        case 5:
            moved = grid[::-1]
        case 6:
            moved = grid.T
        case 7:
            moved = grid[::-1, ::-1].T
        case _:
            raise ValueError(f"dihedral {index}, expected 0 to {len(DIHEDRALS) - 1}")
    return np.ascontiguousarray(moved)


def _composition() -> npt.NDArray[np.uint8]:
    """The composition table of the symmetries, read off a square whose eight forms all differ."""
    square = np.array([[0, 1], [2, 3]], dtype=np.uint8)
    forms = [apply_dihedral(square, index) for index in range(len(DIHEDRALS))]
    index_of = {form.tobytes(): index for index, form in enumerate(forms)}
    rows = [[index_of[apply_dihedral(form, b).tobytes()] for b in range(len(DIHEDRALS))] for form in forms]
    return np.array(rows, dtype=np.uint8)


COMPOSE = _composition()
"""(8, 8): COMPOSE[a, b] is the symmetry "a first, then b"."""

INVERSE: npt.NDArray[np.uint8] = np.argmin(COMPOSE, axis=1).astype(np.uint8)
"""(8,): INVERSE[a] undoes a; it is the column of the identity, 0, in row a of COMPOSE."""

SWAPS_SIDES: npt.NDArray[np.bool_] = np.array([0, 1, 0, 1, 0, 0, 1, 1], dtype=np.bool_)
"""(8,): whether height and width are swapped."""
