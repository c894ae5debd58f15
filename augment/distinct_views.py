"""The distinct views of a task: everything that symmetries and color permutations make of its grids, once."""

import numpy as np
import numpy.typing as npt

from augment.counter_rng import bounded, hash64, mix64, permuted
from augment.dihedral import COMPOSE
from augment.grid import NUM_COLORS
from augment.kernel import inner, kernel
from augment.packed import GridArrays
from augment.strides import walk_grid

_NUM_DIHEDRALS = len(COMPOSE)
_UNSEEN = 255
_NUM_FREE = NUM_COLORS - 1


@kernel
def draw_distinct_views(
    grids: GridArrays, seed: np.uint64, dihedrals: npt.NDArray[np.uint8], colors: npt.NDArray[np.uint8]
) -> int:
    """Fill the (N,) and (N, 10) arrays with distinct views, the identity first; returns how many were filled.

    A view is a class of symmetries (two are in one class if they differ by a renaming of colors) and a
    placement of the colors that occur. Different choices of these give different grids, and together they
    give all, so a pseudo-random permutation of the choices lists every outcome once without comparing any.
    """
    seen = _seen_colors(grids)
    sources = np.concatenate((np.flatnonzero(seen[1:]) + 1, np.flatnonzero(~seen[1:]) + 1))
    num_seen = int(seen[1:].sum())
    classes = _dihedral_classes(grids)
    placements = 1
    for number in range(num_seen):
        placements *= _NUM_FREE - number
    total = len(classes) * placements
    key = _content_key(grids, seed)
    filled = min(len(dihedrals), total)
    for view in range(filled):
        choice = 0 if view == 0 else 1 + permuted(view - 1, total - 1, key)
        dihedrals[view] = classes[choice // placements]
        rank = choice % placements
        targets = sources.copy()
        for number in range(_NUM_FREE):
            left = _NUM_FREE - number
            if number < num_seen:
                other, rank = number + rank % left, rank // left
            elif view == 0:
                other = number
            else:
                other = number + bounded(hash64(key, view, number), left)
            targets[number], targets[other] = targets[other], targets[number]
        colors[view, 0] = 0
        for number in range(_NUM_FREE):
            colors[view, sources[number]] = targets[number]
    return filled


@inner
def _seen_colors(grids: GridArrays) -> npt.NDArray[np.bool_]:
    seen = np.zeros(NUM_COLORS, dtype=np.bool_)
    for cell in grids.cells:
        seen[cell] = True
    return seen


@inner
def _dihedral_classes(grids: GridArrays) -> npt.NDArray[np.uint8]:
    """One symmetry of each class that gives the same grids up to a renaming of colors, 0 first."""
    chosen = np.zeros(_NUM_DIHEDRALS, dtype=np.bool_)
    covered = np.zeros(_NUM_DIHEDRALS, dtype=np.bool_)
    renaming = np.zeros(_NUM_DIHEDRALS, dtype=np.bool_)
    for dihedral in range(_NUM_DIHEDRALS):
        renaming[dihedral] = _only_renames(grids, dihedral)
    for dihedral in range(_NUM_DIHEDRALS):
        chosen[dihedral] = not covered[dihedral]
        for first in np.flatnonzero(renaming):
            covered[COMPOSE[first, dihedral]] = True
    return np.flatnonzero(chosen).astype(np.uint8)


@inner
def _only_renames(grids: GridArrays, dihedral: int) -> bool:
    """Whether a symmetry does to the grids what some permutation of the colors 1..9 does."""
    renamed = np.full(NUM_COLORS, _UNSEEN, dtype=np.uint8)
    origin = np.full(NUM_COLORS, _UNSEEN, dtype=np.uint8)
    renamed[0] = origin[0] = 0
    for number in range(len(grids.offsets)):
        walk = walk_grid(grids, number, dihedral)
        if walk.height != grids.heights[number]:
            return False
        place = np.uint64(grids.offsets[number])
        for row in range(walk.height):
            for column in range(walk.width):
                old = grids.cells[place]
                place += np.uint64(1)
                new = grids.cells[walk.start + row * walk.row_step + column * walk.column_step]
                if renamed[old] == _UNSEEN and origin[new] == _UNSEEN:
                    renamed[old], origin[new] = new, old
                elif renamed[old] != new or origin[new] != old:
                    return False
    return True


@inner
def _content_key(grids: GridArrays, seed: np.uint64) -> np.uint64:
    """A hash of the seed, all shapes and all cells."""
    key = seed
    for number in range(len(grids.offsets)):
        key = hash64(key, grids.heights[number], grids.widths[number])
    for cell in grids.cells:
        key = mix64(key + np.uint64(cell) + np.uint64(1))
    return key
