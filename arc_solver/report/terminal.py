"""Grids and tasks as text for a terminal, in color or as digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.report.grid_drawing import CLASSIC, Palette, grid_digits
from arc_solver.report.shelves import shelves
from arc_solver.storage.text import printable
from arc_solver.tasks.task import Pair, Task
from augment.grid import Grid

RESET = "\x1b[0m"


def wants_color(environ: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether text may carry color: a terminal that is not dumb, and no NO_COLOR (no-color.org)."""
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


@dataclass(frozen=True)
class Block:
    """Lines of terminal text, each `width` columns wide, not counting escape sequences."""

    lines: tuple[str, ...]
    width: int


def ansi_grid(grid: Grid, palette: Palette = CLASSIC, *, color: bool = True, dense: bool = False) -> Block:
    """A grid as text: 24-bit colored cells, or digits without color.

    A cell is two columns wide; with `dense` one column, and in color two rows share a line.
    """
    if not color:
        separator = "" if dense else " "
        rows = [separator.join(digits) for digits in grid_digits(grid).split("\n")]
        return Block(tuple(rows), len(rows[0]))
    codes = [";".join(map(str, rgb)) for rgb in palette.rgb().tolist()]
    if not dense:
        return Block(tuple(_painted(row, codes) for row in grid.tolist()), 2 * grid.shape[1])
    return half_blocks(grid, codes)


def half_blocks(cells: npt.NDArray[np.uint8], codes: Sequence[str]) -> Block:
    """Cells (H, W) as text, one column per cell, two rows per line; `codes[v]` is `r;g;b` of value v."""
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


def titled(title: str, block: Block, max_title: int = 16) -> Block:
    """The block below its title, widened for up to `max_title` columns of title."""
    width = max(block.width, min(len(title), max_title))
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
    """The blocks in reading order, as many in a row as fit `width` columns."""
    rows = [beside(row, gap) for row in shelves(blocks, width, gap)]
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
    """The task's id and all its pairs, wrapped at `width` columns, without a final line break.

    Dense if some pair would not fit side by side otherwise. `attempts[i]` are guesses for test input i, None
    for a malformed one; each is marked right or wrong if the output is known.
    """
    widest = max(2 * _columns(pair) + 2 for pair in (*task.train, *task.test))
    guessed = [2 * guess.shape[1] for each in attempts for guess in each if guess is not None]
    dense = max([widest, *guessed]) > width

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


def ansi_answer(
    title: str,
    pair: Pair,
    attempts: Sequence[Grid | None],
    notes: Sequence[str],
    width: int,
    palette: Palette = CLASSIC,
    *,
    color: bool = True,
) -> str:
    """A test input beside the attempts at it and the output, if known, wrapped at `width` columns.

    A line for each attempt, with its note, says whether it is right; no final line break.
    """
    named = [
        ("test input", pair.input),
        *((f"attempt {n}", g) for n, g in enumerate(attempts, 1) if g is not None),
    ]
    named += [("right answer", pair.output)] if pair.output is not None else []
    dense = 2 * max(grid.shape[1] for _, grid in named) > width
    blocks = [titled(name, ansi_grid(grid, palette, color=color, dense=dense)) for name, grid in named]
    verdicts = [_verdict(guess, pair.output) if guess is not None else "" for guess in attempts]
    lines = [
        printable(f"attempt {n}:{verdict}{',' if verdict else ''} {note}", width)
        for n, (verdict, note) in enumerate(zip(verdicts, notes, strict=True), 1)
    ]
    drawn = [line.rstrip(" ") for line in shelved(blocks, width, gap=3).lines]
    return "\n".join([printable(title, width), "", *drawn, "", *lines])


def _verdict(guess: Grid | None, output: Grid | None) -> str:
    if output is None:
        return ""
    return " right" if guess is not None and np.array_equal(guess, output) else " wrong"


def _columns(pair: Pair) -> int:
    return pair.input.shape[1] + (0 if pair.output is None else pair.output.shape[1])
