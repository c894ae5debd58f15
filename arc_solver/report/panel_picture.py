"""Panels as pictures: cells in their colors, with symbols and marks."""

from __future__ import annotations

import numpy as np

from arc_solver.domains.protocols import Look
from arc_solver.report.panels import MARK_NAMES, Opening, Panel
from arc_solver.report.picture import (
    INK,
    MUTED,
    PAPER,
    Color,
    Label,
    Picture,
    Pixels,
    beside,
    stacked,
    text,
    text_width,
)

RULE, WHITE = (120, 122, 126), (255, 255, 255)
CHANGED, BROKEN, GIVEN, GUESSED = (225, 29, 130), (200, 30, 45), (226, 226, 222), (31, 95, 191)
# Behind the digits of a board.
BROKEN_GIVEN, BROKEN_GUESS = (226, 160, 155), (255, 214, 209)
MIN_CELL, UNKNOWN_SIDE = 3, 40
SWATCH = 16


def panel_picture(panel: Panel, cell: int) -> Picture:
    """The grid with cells of `cell` pixels, below its title if there is one."""
    grid = _unknown() if panel.cells is None else _grid(panel, cell)
    if not panel.title:
        return grid
    # A title may be wider than a tiny grid, but the next panel should not be far away.
    width = max(grid.width, min(text_width(panel.title), 120))
    return stacked([text(panel.title, width, color=MUTED), grid], 3)


def _unknown() -> Picture:
    middle = UNKNOWN_SIDE // 2
    label = Label(middle, middle, "?", "m", 20, MUTED)
    return Picture(np.full((UNKNOWN_SIDE, UNKNOWN_SIDE, 3), GIVEN, np.uint8), (label,))


def _grid(panel: Panel, cell: int) -> Picture:
    assert panel.cells is not None
    look = panel.look
    height, width = panel.cells.shape
    colors = np.vstack([look.colors, np.full((256 - len(look.colors), 3), PAPER, np.uint8)])[panel.cells]
    given, broken = panel.mask("given"), panel.mask("broken")
    if look.box is None:
        colors[broken] = BROKEN
    else:
        colors[given] = GIVEN
        colors[broken] = BROKEN_GUESS
        colors[broken & given] = BROKEN_GIVEN
    cells = np.kron(colors, np.ones((cell, cell, 1), np.uint8))
    # One more row and column of pixels for the last lines.
    picture: Pixels = np.pad(cells, ((0, 1), (0, 1), (0, 0)))
    picture[::cell] = RULE
    picture[:, ::cell] = RULE
    if look.box is not None:
        for row in range(0, height + 1, look.box[0]):
            picture[max(row * cell - 1, 0) : row * cell + 2] = INK
        for column in range(0, width + 1, look.box[1]):
            picture[:, max(column * cell - 1, 0) : column * cell + 2] = INK
    for row, column in np.argwhere(panel.mask("changed")).tolist():
        _outline(picture[row * cell : (row + 1) * cell + 1, column * cell : (column + 1) * cell + 1], cell)
    return Picture(picture, tuple(_symbols(panel, look, cell)))


def _outline(outer: Pixels, cell: int) -> None:
    """Mark a cell as changed."""
    edge = 1 + cell // 14
    inner = outer[edge + 1 : -edge - 1, edge + 1 : -edge - 1].copy()
    outer[:] = CHANGED
    # A light ring inside keeps the mark visible on a cell of the same color.
    outer[edge:-edge, edge:-edge] = PAPER
    outer[edge + 1 : -edge - 1, edge + 1 : -edge - 1] = inner


def _symbols(panel: Panel, look: Look, cell: int) -> list[Label]:
    assert panel.cells is not None
    given, broken = panel.mask("given"), panel.mask("broken")
    labels = []
    for row, column in np.argwhere(panel.cells < len(look.symbols)).tolist():
        value = panel.cells[row, column]
        color: Color = INK if look.colors[value].mean() > 128 else WHITE
        if look.box is not None and not given[row, column]:
            color = BROKEN if broken[row, column] else GUESSED
        x, y = column * cell + cell // 2, row * cell + cell // 2
        labels.append(Label(x, y, look.symbols[value], "m", max(7, cell * 6 // 10), color))
    return [label for label in labels if label.text]


def legend_pictures(opening: Opening) -> list[Picture]:
    """A sample of each value with a name and of each mark, with the name."""
    look, last = opening.look, len(opening.look.letters) - 1
    samples = [(value, "", name) for value, name in enumerate(look.names) if name]
    pictures = []
    for value, mark, name in [*samples, *((last, mark, MARK_NAMES[mark]) for mark in opening.marks)]:
        given, changed, broken = (np.full((1, 1), mark == each) for each in ("given", "changed", "broken"))
        swatch = _grid(Panel("", np.array([[value]], np.uint8), look, given, changed, broken), SWATCH)
        pictures.append(beside([swatch, text(name, text_width(name), color=MUTED)], 5))
    return pictures
