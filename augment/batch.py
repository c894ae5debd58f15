"""Batches of canvases, painted from packed grids and read back as grids, at memory speed."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from augment.canvas import EDGE, FIRST_COLOR, PAD, VOCABULARY
from augment.counter_rng import mix64
from augment.dihedral import INVERSE
from augment.grid import MAX_SIDE, NUM_COLORS
from augment.kernel import inner, kernel
from augment.packed import GridArrays, PackedGrids
from augment.sampler import Catalog
from augment.strides import Walk, walk_dihedral, walk_grid
from augment.threads import spread
from augment.view import ViewArrays, ViewTable

Tokens = npt.NDArray[np.uint8]
"""Canvases in reading order, (B, side * side)."""

_EDGE = np.uint8(EDGE)
_PAD = np.uint8(PAD)
_FIRST_COLOR = np.uint8(FIRST_COLOR)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_CELLS_PER_WORD = np.uint64(15)  # divides 900, and fifteen cells of four bits fit a word
_BITS_PER_CELL = np.uint64(4)


class Answers(NamedTuple):
    """N grids turned back to their task's frame; an answer without a clean rectangle has shape (0, 0)."""

    cells: npt.NDArray[np.uint8]  # (N, 900): the grid's cells in reading order, then zeros
    shapes: npt.NDArray[np.uint8]  # (N, 2) height, width
    keys: npt.NDArray[np.uint64]  # (N, 2) a hash of shape and cells, equal for equal grids
    overflows: npt.NDArray[np.bool_]  # (N,) the rectangle reaches the far edge of a canvas smaller than 30


def paint_pairs(
    grids: PackedGrids,
    catalog: Catalog,
    views: ViewTable,
    draws: npt.NDArray[np.void],
    inputs: Tokens,
    targets: Tokens,
) -> None:
    """Fill inputs and targets (B, side * side) with the pairs, views and offsets of `draws` (B,)."""
    side = _side(inputs)
    if _side(targets) != side or not len(inputs) == len(targets) == len(draws):
        shapes = f"{inputs.shape} and {targets.shape} for {len(draws)} draws"
        raise ValueError(f"inputs and targets of shape {shapes}; expected one row per draw in each")
    if len(views) != len(catalog.dihedrals):
        raise ValueError(f"{len(views)} views, expected the {len(catalog.dihedrals)} of the catalog")
    _check_room(side, catalog.max_side)

    def paint(part: slice) -> None:
        _paint_pairs(grids.arrays, catalog, views.arrays, draws[part], inputs[part], targets[part])

    spread(paint, len(draws))


def paint_inputs(
    grids: PackedGrids,
    views: ViewTable,
    numbers: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    inputs: Tokens,
) -> None:
    """Fill inputs (B, side * side) with grid numbers[b] under view rows[b], each at the top left."""
    if len(numbers) != len(inputs) or len(rows) != len(inputs):
        counts = f"{len(numbers)} grids and {len(rows)} views for {len(inputs)} canvases"
        raise ValueError(f"{counts}; expected as many")
    if rows.min(initial=0) < 0 or rows.max(initial=-1) >= len(views):
        raise ValueError(f"view rows {rows.min()} to {rows.max()}, expected 0 to {len(views) - 1}")
    needed = max(grids.heights[numbers].max(initial=0), grids.widths[numbers].max(initial=0))
    _check_room(_side(inputs), int(needed))

    chosen, shown = np.ascontiguousarray(numbers, np.int64), np.ascontiguousarray(rows, np.int64)

    def paint(part: slice) -> None:
        _paint_inputs(grids.arrays, views.arrays, chosen[part], shown[part], inputs[part])

    spread(paint, len(inputs))


def restore_answers(tokens: Tokens, views: ViewTable) -> Answers:
    """The grids on N canvases (N, side * side), cropped, with the N `views` undone."""
    if len(views) != len(tokens):
        raise ValueError(f"{len(views)} views for {len(tokens)} canvases; expected as many")
    _side(tokens)
    num = len(tokens)
    answers = Answers(
        cells=np.empty((num, MAX_SIDE * MAX_SIDE), dtype=np.uint8),
        shapes=np.empty((num, 2), dtype=np.uint8),
        keys=np.empty((num, 2), dtype=np.uint64),
        overflows=np.empty(num, dtype=np.bool_),
    )

    def restore(part: slice) -> None:
        share = Answers(
            answers.cells[part], answers.shapes[part], answers.keys[part], answers.overflows[part]
        )
        _restore_answers(tokens[part], views.dihedrals[part], views.colors[part], share)

    spread(restore, num)
    return answers


def _side(tokens: Tokens) -> int:
    """The side of canvases; ValueError for a layout that kernels may not trust."""
    side = math.isqrt(tokens.shape[1]) if tokens.ndim == 2 else 0
    fits = 1 <= side <= MAX_SIDE and side * side == tokens.shape[1]
    if not fits or tokens.dtype != np.uint8 or not tokens.flags.c_contiguous:
        raise ValueError(
            f"canvases {tokens.dtype} {tokens.shape}; expected contiguous uint8 (B, side * side)"
        )
    return side


def _check_room(side: int, needed: int) -> None:
    if side < needed:
        raise ValueError(f"canvas side {side}, expected at least {needed}, the longest side of a grid")


@kernel
def _paint_pairs(
    grids: GridArrays,
    catalog: Catalog,
    views: ViewArrays,
    draws: npt.NDArray[np.void],
    inputs: Tokens,
    targets: Tokens,
) -> None:
    side = np.uint64(np.sqrt(inputs.shape[1]))
    # All tables are read before the first canvas is painted: cache misses then overlap, which is a third
    # faster.
    colors = views.colors[draws["view"]]
    sources = [walk_grid(grids, catalog.inputs[d["pair"]], views.dihedrals[d["view"]]) for d in draws]
    results = [walk_grid(grids, catalog.outputs[d["pair"]], views.dihedrals[d["view"]]) for d in draws]
    for number in range(len(draws)):
        corner = (np.uint64(draws[number]["row"]), np.uint64(draws[number]["column"]))
        _paint(inputs[number], side, corner, grids.cells, sources[number], colors[number])
        _paint(targets[number], side, corner, grids.cells, results[number], colors[number])


@kernel
def _paint_inputs(
    grids: GridArrays,
    views: ViewArrays,
    numbers: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    inputs: Tokens,
) -> None:
    side = np.uint64(np.sqrt(inputs.shape[1]))
    for number in range(len(inputs)):
        walk = walk_grid(grids, numbers[number], views.dihedrals[rows[number]])
        _paint(inputs[number], side, (_ZERO, _ZERO), grids.cells, walk, views.colors[rows[number]])


@inner
def _paint(
    tokens: Tokens,
    side: np.uint64,
    corner: tuple[np.uint64, np.uint64],
    cells: npt.NDArray[np.uint8],
    walk: Walk,
    colors: npt.NDArray[np.uint8],
) -> None:
    """Overwrite one canvas with one grid and its edge."""
    tokens[:] = _PAD
    first = corner[0] * side + corner[1]
    has_right_edge = corner[1] + walk.width < side
    for row in range(walk.height):
        source = walk.start + row * walk.row_step
        target = first + row * side
        for column in range(walk.width):
            cell = cells[source + column * walk.column_step]
            tokens[target + column] = colors[np.uint64(cell)] + _FIRST_COLOR
        if has_right_edge:
            tokens[target + walk.width] = _EDGE
    if corner[0] + walk.height < side:
        target = first + walk.height * side
        tokens[target : target + walk.width] = _EDGE


@kernel
def _restore_answers(
    tokens: Tokens, dihedrals: npt.NDArray[np.uint8], colors: npt.NDArray[np.uint8], answers: Answers
) -> None:
    side = np.uint64(np.sqrt(tokens.shape[1]))
    original = np.zeros(NUM_COLORS, dtype=np.uint8)
    for number in range(len(tokens)):
        for color in range(NUM_COLORS):
            original[colors[number, color]] = color
        height, width = _crop(tokens[number], side)
        walk = walk_dihedral(INVERSE[dihedrals[number]], _ZERO, height, width, side)
        high, low = _copy_hashed(tokens[number], walk, original, answers.cells[number])
        answers.shapes[number, 0] = walk.height
        answers.shapes[number, 1] = walk.width
        answers.keys[number, 0] = high
        answers.keys[number, 1] = low
        answers.overflows[number] = side < MAX_SIDE and (height == side or width == side)


@inner
def _crop(tokens: Tokens, side: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Height and width of the rectangle that canvas.crop takes, (0, 0) for none."""
    best = height = width = _ZERO
    usable = side
    for row in range(side):
        for column in range(usable):
            token = tokens[row * side + column]
            if token < FIRST_COLOR or token >= VOCABULARY:
                usable = np.uint64(column)
                break
        area = (row + _ONE) * usable
        if area > best:
            best, height, width = area, row + _ONE, usable
        if usable * side <= best:
            break
    return height, width


@inner
def _copy_hashed(
    tokens: Tokens, walk: Walk, original: npt.NDArray[np.uint8], cells: npt.NDArray[np.uint8]
) -> tuple[np.uint64, np.uint64]:
    """Write the walked cells in their original colors, then zeros; returns a hash of shape and cells."""
    end = _ZERO
    for row in range(walk.height):
        source = walk.start + row * walk.row_step
        for column in range(walk.width):
            color = tokens[source + column * walk.column_step] - _FIRST_COLOR
            cells[end + column] = original[np.uint64(color)]
        end += walk.width
    cells[end:] = 0
    shape = walk.height * np.uint64(MAX_SIDE + 1) + walk.width
    high, low = mix64(shape), mix64(~shape)
    for start in range(_ZERO, end, _CELLS_PER_WORD):
        word = _ZERO
        for offset in range(_CELLS_PER_WORD):
            word = (word << _BITS_PER_CELL) | np.uint64(cells[start + offset])
        high, low = mix64(high ^ word), mix64(low + ~word)
    return high, low
