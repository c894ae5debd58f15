"""Panels as text for a terminal: two columns per cell, the value and its mark, so that color is optional."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arc_solver.domains.protocols import Look
from arc_solver.report.panels import MARK_NAMES, Cells, Opening, Panel
from arc_solver.report.terminal import RESET, Block, half_blocks, titled

INK, PAPER, QUIET = (28, 29, 31), (255, 255, 255), (226, 226, 222)
CHANGED, BROKEN, GUESSED = (255, 219, 102), (200, 30, 45), (31, 95, 191)
# Beside the value of a cell; the first that applies. Guesses are only marked on a Sudoku.
BROKEN_MARK, CHANGED_MARK, GUESSED_MARK = "!", "*", "'"
UNKNOWN, MAX_TITLE = "?", 24


def panel_block(panel: Panel, *, color: bool, dense: bool = False) -> Block:
    """The title and the grid below it; `dense`: one column per cell, in color two rows per line, no marks.

    A board with boxes is never dense.
    """
    return titled(panel.title, _grid_block(panel, color, dense), MAX_TITLE)


def _grid_block(panel: Panel, color: bool, dense: bool) -> Block:
    if panel.cells is None:
        return Block((UNKNOWN,), len(UNKNOWN))
    if panel.look.box is not None:
        return _with_boxes(panel, panel.look.box, color)
    if dense:
        return _dense(panel.cells, panel.look, color)
    lines = tuple("".join(_row(panel, row, color)) for row in range(len(panel.cells)))
    width = 2 * panel.cells.shape[1]
    return _framed(lines, width) if " " in panel.look.letters and not color else Block(lines, width)


def _dense(cells: Cells, look: Look, color: bool) -> Block:
    if color:
        codes = [*map(_code, look.colors.tolist()), _code(QUIET)]
        return half_blocks(np.minimum(cells, len(look.colors)), codes)
    lines = tuple("".join(_letter(look, value) for value in row) for row in cells.tolist())
    return _framed(lines, cells.shape[1]) if " " in look.letters else Block(lines, cells.shape[1])


def _letter(look: Look, value: int) -> str:
    return look.letters[value] if value < len(look.letters) else UNKNOWN


def _row(panel: Panel, row: int, color: bool) -> list[str]:
    """The cells of a row, each two columns wide."""
    assert panel.cells is not None
    given, changed, broken = (panel.mask(name)[row].tolist() for name in ("given", "changed", "broken"))
    return [
        (_painted if color else _plain)(panel.look, value, given[column], changed[column], broken[column])
        for column, value in enumerate(panel.cells[row].tolist())
    ]


def _plain(look: Look, value: int, given: bool, changed: bool, broken: bool) -> str:
    letter = _letter(look, value)
    if broken or changed:
        return letter + (BROKEN_MARK if broken else CHANGED_MARK)
    if look.box is not None:
        return letter + (" " if given or letter == "." else GUESSED_MARK)
    # Walls of a maze have no gaps.
    return letter + (letter if letter == "#" else " ")


def _painted(look: Look, value: int, given: bool, changed: bool, broken: bool) -> str:
    ground = tuple(look.colors[value].tolist()) if value < len(look.colors) else QUIET
    symbol = look.symbols[value] if value < len(look.symbols) else ""
    text = (symbol or " ") + (BROKEN_MARK if broken else CHANGED_MARK if changed else " ")
    ink = INK if sum(ground) > 3 * 128 else PAPER
    if look.box is not None:
        ground = BROKEN if broken else CHANGED if changed else QUIET if given else ground
        ink = PAPER if broken else INK if given or changed else GUESSED
    elif broken:
        ground, ink, text = BROKEN, PAPER, (symbol or BROKEN_MARK) + BROKEN_MARK
    elif changed and not symbol:
        text = "[]"
    weight = "1;" if given or broken or changed else ""
    return f"\x1b[{weight}38;2;{_code(ink)};48;2;{_code(ground)}m{text}{RESET}"


def _code(rgb: Sequence[int]) -> str:
    return ";".join(map(str, rgb))


def _with_boxes(panel: Panel, box: tuple[int, int], color: bool) -> Block:
    """A board with lines around its boxes."""
    assert panel.cells is not None
    side, (height, width) = len(panel.cells), box
    space, upright, level = ("", "│", "─") if color else (" ", "|", "-")
    rules = [
        ends[0] + ends[1].join([level * (2 * width + len(space))] * (side // width)) + ends[2]
        for ends in (("┌┬┐", "├┼┤", "└┴┘") if color else ("+++",) * 3)
    ]
    lines = [rules[0]]
    for row in range(side):
        cells = _row(panel, row, color)
        boxes = [space + "".join(cells[start : start + width]) for start in range(0, side, width)]
        lines.append(upright + upright.join(boxes) + upright)
        if (row + 1) % height == 0:
            lines.append(rules[2] if row + 1 == side else rules[1])
    return Block(tuple(lines), len(rules[0]))


def _framed(lines: tuple[str, ...], width: int) -> Block:
    """Text with a frame, since without color one cannot see where free cells end."""
    rule = f"+{'-' * width}+"
    return Block((rule, *(f"|{line}|" for line in lines), rule), width + 2)


def legend(opening: Opening, color: bool) -> list[Block]:
    """A sample of each value with a name and of each mark, with the name."""
    look = opening.look
    paint = _painted if color else _plain
    last = len(look.letters) - 1
    values = [(value, name) for value, name in enumerate(look.names) if name]
    samples = [(paint(look, value, False, False, False), name) for value, name in values]
    for mark in opening.marks:
        sample = paint(look, last, mark == "given", mark == "changed", mark == "broken")
        samples.append((sample, MARK_NAMES[mark]))
    return [Block((f"{sample} {name}",), 3 + len(name)) for sample, name in samples]
