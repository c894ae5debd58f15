"""Sudokus of side 4, 6 and 9 as a domain: cells are digits, 0 for a blank."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from arc_solver.config import ConfigError, Groups
from arc_solver.domains.boards.board_csv import PuzzleForm
from arc_solver.domains.boards.board_lines import SUDOKU_CELLS, kind_of_lines, sudoku_cells, sudoku_rows
from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.kind import BoardKind, Floors, Generator
from arc_solver.domains.protocols import Bytes, Look, Numbers
from arc_solver.domains.sudoku.generate import exchanged_givens, generate_sudoku
from arc_solver.domains.sudoku.rules import broken_boards, sudoku_faults, valid_boards
from augment.sudoku import (
    BOX_SHAPES,
    BoardViews,
    SudokuView,
    paint_board_views,
    paint_boards,
    restore_boards,
    tabulate,
)

DIGITS = ".123456789"


class SudokuViews:
    """The identity, and random views among those that keep valid boards valid."""

    def __init__(self, side: int, num: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        drawn = [SudokuView.draw(rng, side) for _ in range(num - 1)]
        self._table = tabulate([SudokuView.identity(side), *drawn])

    def paint(self, questions: Cells, turns: Numbers, tokens: Bytes) -> None:
        paint_board_views(questions, self._of(turns), tokens)

    def restore(self, tokens: Bytes, turns: Numbers) -> Cells:
        return restore_boards(tokens, self._of(turns))

    def _of(self, turns: Numbers) -> BoardViews:
        digits, rows, columns, transposes = self._table
        return BoardViews(digits[turns], rows[turns], columns[turns], transposes[turns])


def painter(boards: BoardSet, seed: int) -> Callable[[int, Bytes, Bytes], None]:
    """Paints each board once per epoch, under a fresh view."""
    return lambda first, tokens, targets: paint_boards(
        boards.questions, boards.answers, seed, first, tokens, targets
    )


def look(side: int) -> Look:
    """Digits 0 (blank) to `side` on white, with the boxes of a board of side 4, 6 or 9."""
    if side not in BOX_SHAPES:
        raise ConfigError(f"a Sudoku of side {side}, expected 4, 6 or 9")
    colors, digits = np.full((side + 1, 3), 255, np.uint8), tuple(map(str, range(1, side + 1)))
    return Look(colors, ("", *digits), BOX_SHAPES[side], DIGITS[: side + 1])


def groups(length: int) -> Groups:
    """Rows, columns and boxes, for cells laid out as (band, row in it, stack, column in it)."""
    side = math.isqrt(length)
    if side not in BOX_SHAPES or side * side != length:
        raise ConfigError(f"length={length}: group_sums needs that of a Sudoku, 16, 36 or 81")
    height, width = BOX_SHAPES[side]
    return Groups((side // height, height, side // width, width), ((2, 3), (0, 1), (1, 3)))


def make(num: int, side: int, rng: np.random.Generator, floors: Floors, seen: BoardSet | None) -> BoardSet:
    """Generated Sudokus; ConfigError for floors that exclude each other."""
    if floors.min_rating and floors.min_givens:
        raise ConfigError("give --min-rating or --min-givens: more givens make a Sudoku easier")
    return generate_sudoku(num, side, rng, floors.min_rating or 0, seen, floors.min_givens or 0)


SUDOKU = BoardDomain(
    BoardKind(
        PuzzleForm(
            "sudoku",
            "0" + DIGITS,
            DIGITS[1:],
            lambda length: length in {side * side for side in BOX_SHAPES},
            "16, 36 or 81",
            sudoku_cells,
            lambda lines, guess: kind_of_lines(lines, guess=guess) == "sudoku",
            sudoku_rows,
            SUDOKU_CELLS,
        ),
        DIGITS,
        num_values=lambda side: side + 1,
        views=SudokuViews,
        painter=painter,
        keeps_the_rules=valid_boards,
        solves=valid_boards,
        faults=sudoku_faults,
        rules_decide=True,
        broken=broken_boards,
        missing=0,
        training_file="sudoku_extreme_1k_train.csv",
        groups=groups,
        look=look,
        generator=Generator(make, 9, ("min_rating", "min_givens"), "guesses of the solver", exchanged_givens),
    )
)
