"""A view: one symmetry and one permutation of the colors, under which a task is shown to the network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from augment.dihedral import DIHEDRALS, INVERSE, apply_dihedral
from augment.grid import NUM_COLORS, Grid
from augment.packed import PackedGrids

_SAME_COLORS = tuple(range(NUM_COLORS))
_CHECKED_AT_ONCE = 1 << 15  # rows, so that checking a large table needs less memory than the table


@dataclass(frozen=True)
class View:
    """A symmetry, then new colors: `colors[old] == new`, a permutation of 0..9."""

    dihedral: int = 0
    colors: tuple[int, ...] = _SAME_COLORS

    def __post_init__(self) -> None:
        if not 0 <= self.dihedral < len(DIHEDRALS):
            raise ValueError(f"dihedral {self.dihedral}, expected 0 to {len(DIHEDRALS) - 1}")
        if tuple(sorted(self.colors)) != _SAME_COLORS:
            raise ValueError(f"colors {self.colors}, expected each of 0..9 once")

    def apply(self, grid: Grid) -> Grid:
        """The grid as this view shows it."""
        return np.array(self.colors, dtype=np.uint8)[apply_dihedral(grid, self.dihedral)]

    def inverse(self) -> "View":
        """The view that undoes this one: `view.inverse().apply(view.apply(grid)) == grid`."""
        old = np.argsort(self.colors).tolist()
        return View(int(INVERSE[self.dihedral]), tuple(old))

    @staticmethod
    def draw(rng: np.random.Generator) -> "View":
        """A uniform view among those that keep color 0."""
        dihedral = int(rng.integers(len(DIHEDRALS)))
        return View(dihedral, (0, *(1 + rng.permutation(NUM_COLORS - 1)).tolist()))


class ViewArrays(NamedTuple):
    """The arrays of a ViewTable, for kernels."""

    dihedrals: npt.NDArray[np.uint8]  # (V,)
    colors: npt.NDArray[np.uint8]  # (V, 10), colors[v, old] == new


@dataclass(frozen=True, eq=False)
class ViewTable:
    """V views in two uint8 arrays, checked since kernels trust them; ValueError for anything but views."""

    dihedrals: npt.NDArray[np.uint8]
    colors: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.dihedrals.ndim != 1 or self.colors.shape != (len(self.dihedrals), NUM_COLORS):
            shapes = f"{self.dihedrals.shape} and {self.colors.shape}"
            raise ValueError(f"view arrays of shape {shapes}, expected (V,) and (V, {NUM_COLORS})")
        if not self.dihedrals.dtype == self.colors.dtype == np.uint8:
            raise ValueError(f"view arrays of {self.dihedrals.dtype} and {self.colors.dtype}, expected uint8")
        if self.dihedrals.max(initial=0) >= len(DIHEDRALS) or self.colors.max(initial=0) >= NUM_COLORS:
            raise ValueError("a view table with an unknown symmetry or color, expected 0..7 and 0..9")
        for start in range(0, len(self.colors), _CHECKED_AT_ONCE):
            part = self.colors[start : start + _CHECKED_AT_ONCE]
            met = np.bitwise_or.reduce(np.left_shift(np.uint16(1), part, dtype=np.uint16), axis=1)
            lacking = np.flatnonzero(met != (1 << NUM_COLORS) - 1)
            if len(lacking):
                raise ValueError(f"view {start + lacking[0]} lacks a color, expected each of 0..9 once")

    def __len__(self) -> int:
        return len(self.dihedrals)

    def __getitem__(self, index: int) -> View:
        return View(int(self.dihedrals[index]), tuple(self.colors[index].tolist()))

    @property
    def arrays(self) -> ViewArrays:
        return ViewArrays(self.dihedrals, self.colors)

    def take(self, rows: npt.NDArray[np.integer] | slice) -> "ViewTable":
        """The views at these rows, in this order; repeats are allowed."""
        return ViewTable(self.dihedrals[rows], self.colors[rows])

    def inverse(self) -> "ViewTable":
        """Row by row, the view that undoes it."""
        return ViewTable(INVERSE[self.dihedrals], np.argsort(self.colors, axis=1).astype(np.uint8))

    @staticmethod
    def from_views(views: Iterable[View]) -> "ViewTable":
        listed = list(views)
        dihedrals = np.array([view.dihedral for view in listed], dtype=np.uint8)
        colors = np.array([view.colors for view in listed], dtype=np.uint8)
        return ViewTable(dihedrals, colors.reshape(len(listed), NUM_COLORS))

    @staticmethod
    def concatenate(tables: Sequence["ViewTable"]) -> "ViewTable":
        """The rows of all tables in order; no table at all gives the empty one."""
        empty = ViewTable.from_views([])
        dihedrals = np.concatenate([empty.dihedrals, *(table.dihedrals for table in tables)])
        return ViewTable(dihedrals, np.concatenate([empty.colors, *(table.colors for table in tables)]))


def distinct_views(grids: Sequence[Grid], num: int, seed: int) -> ViewTable:
    """Up to `num` views that make different things of `grids` as a whole; fewer only if there are no more.

    The identity comes first, the others in a pseudo-random order. The table is a function of the grids and
    the seed alone; a smaller `num` gives its beginning. Colors that no grid has are permuted at random too.
    """
    # Importing numba takes a third of a second, and a View alone does not need it.
    from augment.distinct_views import draw_distinct_views

    dihedrals = np.empty(num, dtype=np.uint8)
    colors = np.empty((num, NUM_COLORS), dtype=np.uint8)
    packed = PackedGrids.from_grids(grids).arrays
    filled = draw_distinct_views(packed, np.uint64(seed), dihedrals, colors)
    return ViewTable(dihedrals[:filled].copy(), colors[:filled].copy())


def distinct_dihedrals(grids: Sequence[Grid]) -> ViewTable:
    """The symmetries that make different things of `grids` as a whole; the identity first."""
    found: dict[tuple[tuple[tuple[int, ...], bytes], ...], View] = {}
    for index in range(len(DIHEDRALS)):
        turned = [apply_dihedral(grid, index) for grid in grids]
        found.setdefault(tuple((grid.shape, grid.tobytes()) for grid in turned), View(index))
    return ViewTable.from_views(found.values())
