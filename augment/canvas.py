"""The canvas: a grid as tokens on a square, bounded by an edge, and the inverse."""

import numpy as np
import numpy.typing as npt

from augment.grid import MAX_SIDE, NUM_COLORS, Grid

PAD = 0
EDGE = 1
FIRST_COLOR = 2
VOCABULARY = FIRST_COLOR + NUM_COLORS
CANVAS_SIDES = (7, 11, 16, 21, 26, 30)


def fitted_side(max_side: int, sides: tuple[int, ...] = CANVAS_SIDES) -> int:
    """The smallest of the ascending `sides` with room for `max_side` cells and an edge (not at 30)."""
    if not 1 <= max_side <= MAX_SIDE:
        raise ValueError(f"a side of {max_side}, expected 1 to {MAX_SIDE}")
    wanted = min(max_side + 1, MAX_SIDE)
    for side in sides:
        if side >= wanted:
            return side
    raise ValueError(f"canvas sides {sides} have none of at least {wanted}; add {MAX_SIDE}")


def place(grid: Grid, side: int, row: int = 0, column: int = 0) -> npt.NDArray[np.uint8]:
    """Tokens (side, side): the grid's colors + 2 from (row, column) on, EDGE below and right of it, else PAD.

    An edge beyond the canvas is left out, and the corner between the two stays PAD, as in the published
    encoding. A grid that does not fit is a ValueError.
    """
    height, width = grid.shape
    bottom, right = row + height, column + width
    if row < 0 or column < 0 or bottom > side or right > side:
        raise ValueError(f"grid {height}x{width} at ({row}, {column}) leaves a canvas of side {side}")
    tokens = np.full((side, side), PAD, dtype=np.uint8)
    tokens[row:bottom, column:right] = grid + FIRST_COLOR
    if bottom < side:
        tokens[bottom, column:right] = EDGE
    if right < side:
        tokens[row:bottom, right] = EDGE
    return tokens


def crop(tokens: npt.NDArray[np.uint8]) -> Grid | None:
    """The answer on a canvas (side, side): the largest rectangle of colors from the top left, None if empty.

    From row to row the usable width shrinks to the row's first token that is not a color; of the rectangles
    met, the first with the largest area wins (the published rule).
    """
    is_color = (tokens >= FIRST_COLOR) & (tokens < VOCABULARY)
    clean = np.where(is_color.all(axis=1), tokens.shape[1], is_color.argmin(axis=1))
    widths = np.minimum.accumulate(clean)
    areas = widths * np.arange(1, len(tokens) + 1)
    height = int(areas.argmax()) + 1
    width = int(widths[height - 1])
    if width == 0:
        return None
    return np.ascontiguousarray(tokens[:height, :width]) - np.uint8(FIRST_COLOR)
