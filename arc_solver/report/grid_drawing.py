"""How a grid looks: palettes, digits, and a compact HTML fragment."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augment.grid import Grid


@dataclass(frozen=True)
class Palette:
    """Ten colors `#rrggbb` in the order of the cell values."""

    name: str
    colors: tuple[str, ...]

    def rgb(self) -> npt.NDArray[np.uint8]:
        """(10, 3) uint8."""
        return np.array([list(bytes.fromhex(color[1:])) for color in self.colors], np.uint8)


def _palette(name: str, colors: str) -> Palette:
    return Palette(name, tuple(colors.split()))


CLASSIC = _palette(
    "classic", "#000000 #0074d9 #ff4136 #2ecc40 #ffdc00 #aaaaaa #f012be #ff851b #7fdbff #870c25"
)
ARCPRIZE = _palette(
    "arcprize", "#000000 #1e93ff #f93c31 #4fcc30 #ffdc00 #999999 #e53aa3 #ff851b #87d8f1 #921231"
)
# Optimized so that the two closest colors stay apart under simulated protanopia, deuteranopia and
# tritanopia (three times farther than the classic ones), with each hue close to the classic one.
COLORBLIND = _palette(
    "colorblind", "#000000 #0414b7 #bf2d1c #0a7b92 #fbef3e #b1b1b1 #a83eff #ff8e02 #8dffe3 #5a0703"
)
PALETTES: Mapping[str, Palette] = {palette.name: palette for palette in (CLASSIC, ARCPRIZE, COLORBLIND)}


def _runs(values: npt.NDArray[np.generic]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Horizontal runs of equal values in reading order: rows, first columns, lengths and values."""
    height, width = values.shape
    edge = np.ones((height, width), bool)
    edge[:, 1:] = values[:, 1:] != values[:, :-1]
    starts = np.flatnonzero(edge)
    rows, columns = np.divmod(starts, width)
    lengths = np.diff(starts, append=height * width)
    return rows.tolist(), columns.tolist(), lengths.tolist(), values.ravel()[starts].astype(int).tolist()


def svg_grid(grid: Grid, wrong: npt.NDArray[np.bool_] | None = None) -> str:
    """An inline SVG in units of cells, with one stroked path per color, of classes `c0` to `c9`.

    With `wrong` (H, W) a last path of class `x` covers the right cells and outlines the wrong ones.
    """
    height, width = grid.shape
    paths: dict[int, list[str]] = {}
    for row, column, length, color in zip(*_runs(grid), strict=True):
        paths.setdefault(color, []).append(f"M{column} {row}h{length}")
    # The color with the longest path is one stroke as wide as the grid below the others: half the bytes.
    ground = max(sorted(paths), key=lambda color: len(paths[color]))
    drawn = f'<path class=c{ground} stroke-width={width} d="M{width / 2:g}-.5v{height}"/>'
    drawn += "".join(
        f'<path class=c{color} d="{"".join(paths[color])}"/>' for color in sorted(paths) if color != ground
    )
    if wrong is not None:
        drawn += f'<path class=x d="M0-.5h{width}v{height}h-{width}z{_outline(wrong)}"/>'
    # Rows are strokes of width 1 centered on integers, so the view box starts half a cell higher.
    return f'<svg viewBox="0 -.5 {width} {height}">{drawn}</svg>'


def _outline(wrong: npt.NDArray[np.bool_]) -> str:
    return "".join(
        f"M{column} {row - 0.5:g}h{length}v1h-{length}z"
        for row, column, length, marked in zip(*_runs(wrong), strict=True)
        if marked
    )


def grid_digits(grid: Grid) -> str:
    """The cells as digits, one line per row."""
    height, width = grid.shape
    lines = np.full((height, width + 1), ord("\n"), np.uint8)
    lines[:, :width] = grid + ord("0")
    return lines.tobytes().decode("ascii")[:-1]


def html_grid(grid: Grid, alt: str, wrong: npt.NDArray[np.bool_] | None = None) -> str:
    """The SVG of a grid, labeled `alt` for screen readers, with its digits laid over it.

    It scrolls if the page is narrower than the grid.
    """
    height, width = grid.shape
    return (
        f'<div class=s><div class=g style="--h:{height};--w:{width}" role=img '
        f'aria-label="{html.escape(alt)}">'
        f"{svg_grid(grid, wrong)}<pre>{grid_digits(grid)}</pre></div></div>"
    )
