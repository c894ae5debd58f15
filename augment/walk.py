"""How to read a stored grid so that it comes out under a symmetry: a start and two steps, no copy."""

from typing import NamedTuple

from augment.kernel import inner


class Walk(NamedTuple):
    """Cell (r, c) of the outcome, height x width, is stored at start + r * row_step + c * column_step."""

    start: int
    row_step: int
    column_step: int
    height: int
    width: int


@inner
def walk_dihedral(dihedral: int, start: int, height: int, width: int, stride: int) -> Walk:
    """The walk over a height x width grid that begins at `start`, rows `stride` apart, under a symmetry."""
    bottom = start + (height - 1) * stride
    right = width - 1
    if dihedral == 0:
        return Walk(start, stride, 1, height, width)
    if dihedral == 1:
        return Walk(start + right, -1, stride, width, height)
    if dihedral == 2:
        return Walk(bottom + right, -stride, -1, height, width)
    if dihedral == 3:
        return Walk(bottom, 1, -stride, width, height)
    if dihedral == 4:
        return Walk(start + right, stride, -1, height, width)
    if dihedral == 5:
        return Walk(bottom, -stride, 1, height, width)
    if dihedral == 6:
        return Walk(start, 1, stride, width, height)
    return Walk(bottom + right, -1, -stride, width, height)
