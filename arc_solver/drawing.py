"""How a grid looks: palettes, pixels, a compact HTML fragment, and colored text for a terminal."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.task import Pair, Task
from augment.grid import Grid

RESET = "\x1b[0m"


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
# Searched so that the nearest two colors stay apart under simulated protanopia, deuteranopia and
# tritanopia (three times farther than the classic ones), with each hue close to its classic name.
COLORBLIND = _palette(
    "colorblind", "#000000 #0414b7 #bf2d1c #0a7b92 #fbef3e #b1b1b1 #a83eff #ff8e02 #8dffe3 #5a0703"
)
PALETTES: Mapping[str, Palette] = {palette.name: palette for palette in (CLASSIC, ARCPRIZE, COLORBLIND)}


def printable(text: str, limit: int = 128) -> str:
    """`text` with every control, format and lone surrogate character escaped, cut to `limit` characters."""
    # One escaped character is at most ten long, so more input than `limit` never shows.
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def grid_rgb(grid: Grid, palette: Palette = CLASSIC, cell: int = 1) -> npt.NDArray[np.uint8]:
    """The (H * cell, W * cell, 3) uint8 picture of a grid, each cell `cell` pixels wide."""
    return np.kron(palette.rgb()[grid], np.ones((cell, cell, 1), np.uint8))


def _runs(values: npt.NDArray[np.generic]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Horizontal runs of equal values: their rows, first columns, lengths and values, in reading order."""
    height, width = values.shape
    edge = np.ones((height, width), bool)
    edge[:, 1:] = values[:, 1:] != values[:, :-1]
    starts = np.flatnonzero(edge)
    rows, columns = np.divmod(starts, width)
    lengths = np.diff(starts, append=height * width)
    return rows.tolist(), columns.tolist(), lengths.tolist(), values.ravel()[starts].astype(int).tolist()


def svg_grid(grid: Grid, wrong: npt.NDArray[np.bool_] | None = None) -> str:
    """An inline SVG, one stroked path of classes `c0`..`c9` a color, in units of cells.

    With `wrong` (H, W) a last path of class `x` covers the right cells and outlines the wrong ones.
    """
    height, width = grid.shape
    paths: dict[int, list[str]] = {}
    for row, column, length, color in zip(*_runs(grid), strict=True):
        paths.setdefault(color, []).append(f"M{column} {row}h{length}")
    # The color with the longest path is one stroke as wide as the grid, below the others: half the bytes.
    ground = max(sorted(paths), key=lambda color: len(paths[color]))
    drawn = f'<path class=c{ground} stroke-width={width} d="M{width / 2:g}-.5v{height}"/>'
    drawn += "".join(
        f'<path class=c{color} d="{"".join(paths[color])}"/>' for color in sorted(paths) if color != ground
    )
    if wrong is not None:
        drawn += f'<path class=x d="M0-.5h{width}v{height}h-{width}z{_outline(wrong)}"/>'
    # Rows are strokes of width 1 around whole numbers, so the box starts half a cell higher.
    return f'<svg viewBox="0 -.5 {width} {height}">{drawn}</svg>'


def _outline(wrong: npt.NDArray[np.bool_]) -> str:
    return "".join(
        f"M{column} {row - 0.5:g}h{length}v1h-{length}z"
        for row, column, length, marked in zip(*_runs(wrong), strict=True)
        if marked
    )


def grid_digits(grid: Grid) -> str:
    """The cells as digits, one line a row."""
    height, width = grid.shape
    lines = np.full((height, width + 1), ord("\n"), np.uint8)
    lines[:, :width] = grid + ord("0")
    return lines.tobytes().decode("ascii")[:-1]


def html_grid(grid: Grid, alt: str, wrong: npt.NDArray[np.bool_] | None = None) -> str:
    """The SVG of a grid in a box named `alt` for screen readers, its digits laid over it.

    The outer box scrolls where the page is narrower than the grid.
    """
    height, width = grid.shape
    return (
        f'<div class=s><div class=g style="--h:{height};--w:{width}" role=img '
        f'aria-label="{html.escape(alt)}">'
        f"{svg_grid(grid, wrong)}<pre>{grid_digits(grid)}</pre></div></div>"
    )


def wants_color(environ: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether text may carry color: a terminal that is not dumb, and no NO_COLOR (no-color.org)."""
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


@dataclass(frozen=True)
class Block:
    """Lines of terminal text that each take `width` columns, escape sequences not counted."""

    lines: tuple[str, ...]
    width: int


def ansi_grid(grid: Grid, palette: Palette = CLASSIC, *, color: bool = True, dense: bool = False) -> Block:
    """A grid as text: 24-bit colored cells, or digits without color.

    A cell is two columns wide; with `dense` it is one column, and two rows share a line when in color.
    """
    height, width = grid.shape
    if not color:
        separator = "" if dense else " "
        rows = [separator.join(digits) for digits in grid_digits(grid).split("\n")]
        return Block(tuple(rows), len(rows[0]))
    codes = [";".join(map(str, rgb)) for rgb in palette.rgb().tolist()]
    if not dense:
        return Block(tuple(_painted(row, codes) for row in grid.tolist()), 2 * width)
    return half_blocks(grid, codes)


def half_blocks(cells: npt.NDArray[np.uint8], codes: Sequence[str]) -> Block:
    """Cells (H, W) as text, one column a cell and two rows a line; `codes[v]` is the color `r;g;b` of value v."""
    height, width = cells.shape
    pairs = [(cells[row], cells[row + 1] if row + 1 < height else None) for row in range(0, height, 2)]
    return Block(tuple(_halves(upper, lower, codes) for upper, lower in pairs), width)


def _painted(row: list[int], codes: list[str]) -> str:
    previous = -1
    line = ""
    for value in row:
        line += ("" if value == previous else f"\x1b[48;2;{codes[value]}m") + "  "
        previous = value
    return line + RESET


def _halves(upper: Grid, lower: Grid | None, codes: Sequence[str]) -> str:
    line = ""
    for column, value in enumerate(upper.tolist()):
        below = "" if lower is None else f"\x1b[48;2;{codes[int(lower[column])]}m"
        line += f"\x1b[38;2;{codes[value]}m{below}▀"
    return line + RESET


def titled(title: str, block: Block) -> Block:
    """The block below its title; it widens to hold up to 16 columns of title."""
    width = max(block.width, min(len(title), 16))
    wide = _widened(block, width)
    return Block((printable(title, width).ljust(width), *wide.lines), width)


def _widened(block: Block, width: int) -> Block:
    margin = " " * (width - block.width)
    return Block(tuple(line + margin for line in block.lines), width)


def beside(blocks: Sequence[Block], gap: int) -> Block:
    """The blocks side by side, `gap` columns apart, aligned at the top."""
    height = max(len(block.lines) for block in blocks)
    columns = [(*block.lines, *(" " * block.width,) * (height - len(block.lines))) for block in blocks]
    lines = tuple((" " * gap).join(line) for line in zip(*columns, strict=True))
    return Block(lines, sum(block.width for block in blocks) + gap * (len(blocks) - 1))


def shelved(blocks: Sequence[Block], width: int, gap: int) -> Block:
    """The blocks in reading order, as many side by side as fit `width` columns, else below each other."""
    shelves: list[list[Block]] = []
    used = width
    for block in blocks:
        if used + gap + block.width > width:
            shelves.append([])
            used = -gap
        shelves[-1].append(block)
        used += gap + block.width
    rows = [beside(shelf, gap) for shelf in shelves]
    widest = max(row.width for row in rows)
    lines = [line for row in rows for line in ("", *_widened(row, widest).lines)]
    return Block(tuple(line or " " * widest for line in lines[1:]), widest)


def ansi_task(
    task: Task,
    width: int,
    palette: Palette = CLASSIC,
    *,
    color: bool = True,
    attempts: Sequence[Sequence[Grid | None]] = (),
) -> str:
    """The task's id and all its pairs, wrapped at `width` columns, without a closing line break.

    Dense where a pair would not fit side by side otherwise. `attempts[i]` are guesses for test input i, None
    for one that is no grid; each is marked right or wrong where the output is known.
    """
    dense = max(2 * _columns(pair) + 2 for pair in (*task.train, *task.test)) > width

    def drawn(title: str, grid: Grid | None, unknown: str = "?") -> Block:
        marker = Block((unknown,), len(unknown))
        return titled(title, marker if grid is None else ansi_grid(grid, palette, color=color, dense=dense))

    def pictured(name: str, number: int, pair: Pair, guesses: Sequence[Grid | None]) -> Block:
        blocks = [drawn(f"{name} {number + 1}", pair.input), drawn("output", pair.output)]
        for place, guess in enumerate(guesses, start=1):
            blocks.append(drawn(f"attempt {place}{_verdict(guess, pair.output)}", guess, "no grid"))
        return shelved(blocks, width, gap=2)

    pairs = [pictured("train", number, pair, ()) for number, pair in enumerate(task.train)]
    pairs += [
        pictured("test", number, pair, attempts[number] if number < len(attempts) else ())
        for number, pair in enumerate(task.test)
    ]
    lines = shelved(pairs, width, gap=6).lines
    return "\n".join([printable(task.id), "", *(line.rstrip(" ") for line in lines)])


def _verdict(guess: Grid | None, output: Grid | None) -> str:
    if output is None:
        return ""
    return " right" if guess is not None and np.array_equal(guess, output) else " wrong"


def _columns(pair: Pair) -> int:
    return pair.input.shape[1] + (0 if pair.output is None else pair.output.shape[1])
