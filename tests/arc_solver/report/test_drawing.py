"""Pictures hold exactly the grid: each is read back, and palettes are told apart by color-blind eyes."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arc_solver.report import grid_drawing, terminal
from arc_solver.report.grid_drawing import PALETTES, grid_digits, svg_grid
from arc_solver.report.terminal import ansi_grid, ansi_task
from arc_solver.storage.text import printable
from arc_solver.tasks.task import Pair, Task

GRIDS = arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 9))
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
VISIONS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "full": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def nearest_pair(palette: grid_drawing.Palette, vision: str) -> float:
    srgb = palette.rgb() / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(VISIONS[vision]).T, 0, 1)
    lab = np.cbrt(seen @ CONES.T) @ OKLAB.T
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(lab, 2))


def from_svg(svg: str) -> np.ndarray:
    """A painter of its own: strokes laid over each other in the order of the paths."""
    width, height = map(int, re.search(r'viewBox="0 -.5 (\d+) (\d+)"', svg).groups())
    grid = np.full((height, width), 99, np.uint8)
    for color, attributes, path in re.findall(r'<path class=c(\d)( stroke-width=\d+)? d="([^"]*)"/>', svg):
        if attributes:
            assert attributes == f" stroke-width={width}"
            assert path == f"M{width / 2:g}-.5v{height}"
            grid[:] = int(color)
        for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)", path):
            part = grid[int(row), int(column) : int(column) + int(length)]
            assert len(part) == int(length)
            part[:] = int(color)
    return grid


def from_ansi(line: str) -> list[tuple[str, str, str]]:
    """Each visible character of a line with its foreground and background."""
    front = back = ""
    seen = []
    for escape, character in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
        if character:
            seen.append((character, front, back))
        elif escape == "0":
            front = back = ""
        elif escape.startswith("38;2;"):
            front = escape[5:]
        else:
            assert escape.startswith("48;2;")
            back = escape[5:]
    return seen


@given(GRIDS)
@settings(max_examples=60)
def test_svg_paints_the_grid(grid: np.ndarray) -> None:
    assert np.array_equal(from_svg(svg_grid(grid)), grid)


@given(GRIDS, st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_mask_outlines_just_the_wrong_cells(grid: np.ndarray, seed: int) -> None:
    wrong = np.random.default_rng(seed).random(grid.shape) < 0.2
    svg = svg_grid(grid, wrong)
    assert np.array_equal(from_svg(svg), grid)
    (mask,) = re.findall(r'<path class=x d="([^"]*)"/>', svg)
    height, width = grid.shape
    frame = f"M0-.5h{width}v{height}h-{width}z"
    assert mask.startswith(frame)
    outlined = np.zeros(grid.shape, bool)
    for column, top, length, back in re.findall(r"M(\d+) ([-\d.]+)h(\d+)v1h-(\d+)z", mask[len(frame) :]):
        assert length == back
        outlined[round(float(top) + 0.5), int(column) : int(column) + int(length)] = True
    assert np.array_equal(outlined, wrong)


@given(GRIDS)
@settings(max_examples=30)
def test_digits_and_plain_text_hold_the_grid(grid: np.ndarray) -> None:
    rows = [[int(digit) for digit in line] for line in grid_digits(grid).split("\n")]
    assert rows == grid.tolist()
    for dense in (False, True):
        plain = ansi_grid(grid, color=False, dense=dense)
        assert [[int(digit) for digit in line if digit != " "] for line in plain.lines] == grid.tolist()
        assert {len(line) for line in plain.lines} == {plain.width}


@given(GRIDS)
@settings(max_examples=30)
def test_colored_text_holds_the_grid(grid: np.ndarray) -> None:
    codes = [";".join(map(str, rgb)) for rgb in grid_drawing.CLASSIC.rgb().tolist()]
    wide = ansi_grid(grid)
    assert wide.width == 2 * grid.shape[1]
    assert all(line.endswith("\x1b[0m") for line in wide.lines)
    seen = [[back for character, _, back in from_ansi(line) if character == " "] for line in wide.lines]
    assert seen == [[codes[value] for value in row for _ in range(2)] for row in grid.tolist()]
    dense = ansi_grid(grid, dense=True)
    halves = [from_ansi(line) for line in dense.lines]
    assert all(len(line) == dense.width == grid.shape[1] for line in halves)
    rows = [[cell[side] for cell in line] for line in halves for side in (1, 2)]
    expected = [[codes[value] for value in row] for row in grid.tolist()]
    assert rows[: len(expected)] == expected
    assert all(cell == "" for row in rows[len(expected) :] for cell in row)


def test_color_blind_palette_keeps_its_colors_apart() -> None:
    for vision in VISIONS:
        assert nearest_pair(PALETTES["colorblind"], vision) > 0.155, vision
    assert nearest_pair(PALETTES["classic"], "deuteranopia") < 0.05
    for palette in PALETTES.values():
        assert len(set(palette.colors)) == 10
        assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in palette.colors)


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_color_is_for_willing_terminals(environ: dict[str, str], is_terminal: bool, expected: bool) -> None:
    assert terminal.wants_color(environ, is_terminal) is expected


@given(st.text(max_size=300), st.integers(1, 140))
def test_printable_text_is_one_short_line(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert all(character.isprintable() for character in shown)
    if len(text) <= limit and text.isprintable():
        assert shown == text


def task(task_id: str, *sides: int) -> Task:
    rng = np.random.default_rng(5)
    grids = [rng.integers(0, 10, (side, side + 1), np.uint8) for side in sides]
    pairs = tuple(Pair(grid, grid.T.copy()) for grid in grids)
    return Task(task_id, pairs, (Pair(grids[0], None),))


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("width", [62, 80, 200])
def test_task_fits_the_terminal(width: int, color: bool) -> None:
    text = ansi_task(task("abc", 3, 12, 28), width, color=color)
    lines = [ESCAPE.sub("", line) for line in text.split("\n")]
    assert lines[0] == "abc"
    assert max(map(len, lines)) <= width
    assert sum(line.count("output") for line in lines) == 4
    assert sum(line.count("train") for line in lines) == 3
    assert any("?" in line for line in lines)
    assert ("\x1b" in text) is color


def test_blocks_share_a_line_as_long_as_they_fit() -> None:
    blocks = [
        terminal.Block(("a" * 4,), 4),
        terminal.Block(("b" * 3, "b" * 3), 3),
        terminal.Block(("c",), 1),
    ]
    assert terminal.shelved(blocks, 12, gap=2).lines == ("aaaa  bbb  c", "      bbb   ")
    assert terminal.shelved(blocks, 11, gap=2).lines == ("aaaa  bbb", "      bbb", " " * 9, "c        ")
    assert terminal.shelved(blocks, 1, gap=2).width == 4


def test_task_without_color_shows_its_rows() -> None:
    grid = np.array([[1, 2], [3, 4]], np.uint8)
    text = ansi_task(Task("t", (Pair(grid, grid[:1]),), (Pair(grid, None),)), 80, color=False)
    assert text.split("\n") == [
        "t",
        "",
        "train 1  output      test 1  output",
        "1 2      1 2         1 2     ?",
        "3 4                  3 4",
    ]


@pytest.mark.parametrize("task_id", ["\x1b]0;owned\x07", "a\nb", "\x1b[2J" * 2000, "\u202ecba", "\ud800"])
def test_hostile_id_stays_one_plain_line(task_id: str) -> None:
    lines = ansi_task(task(task_id, 2), 80, color=False).split("\n")
    assert len(lines[0]) <= 128
    assert all(line.isprintable() and line.isascii() for line in lines[1:])
    assert lines[0].isprintable()
    assert lines[1] == ""
