"""Views of Sudoku boards: digits renamed, bands, stacks, rows and columns reordered, the board transposed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from augment.counter_rng import bounded, hash64, item_of_epoch, mix64
from augment.kernel import inner, kernel
from augment.threads import spread

Boards = npt.NDArray[np.uint8]
"""Boards in reading order, (n, side * side): digits 1..side, 0 blank."""

BOX_SHAPES = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
"""Rows and columns of a box, by side."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@dataclass(frozen=True)
class SudokuView:
    """A view that keeps valid boards valid: transposed if `transpose`, then reordered, then relabeled.

    Row r of the result is row rows[r], columns likewise; `digits[old] == new`, digits[0] == 0 for blanks.
    """

    digits: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    transpose: bool = False

    def __post_init__(self) -> None:
        side = len(self.rows)
        if side not in BOX_SHAPES or len(self.columns) != side:
            raise ValueError(
                f"{side} rows and {len(self.columns)} columns, expected as many, {list(BOX_SHAPES)}"
            )
        if self.digits[:1] != (0,) or sorted(self.digits) != list(range(side + 1)):
            raise ValueError(f"digits {self.digits}, expected 0 and then each of 1..{side} once")
        box_rows, box_columns = BOX_SHAPES[side]
        for name, lines, size in (("rows", self.rows, box_rows), ("columns", self.columns, box_columns)):
            groups = [lines[start : start + size] for start in range(0, side, size)]
            together = all(len({line // size for line in group}) == 1 for group in groups)
            if sorted(lines) != list(range(side)) or not together:
                raise ValueError(f"{name} {lines}, expected each of 0..{side - 1} once, in groups of {size}")
        if self.transpose and box_rows != box_columns:
            raise ValueError(f"a transposed board of side {side}, expected square boxes")

    def apply(self, board: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The board (side, side) as this view shows it."""
        turned = board.T if self.transpose else board
        return np.array(self.digits, dtype=np.uint8)[turned[np.ix_(self.rows, self.columns)]]

    def inverse(self) -> "SudokuView":
        """The view that undoes this one."""
        rows, columns = _inverted(self.rows), _inverted(self.columns)
        if self.transpose:
            rows, columns = columns, rows
        return SudokuView(_inverted(self.digits), rows, columns, self.transpose)

    @staticmethod
    def identity(side: int) -> "SudokuView":
        lines = tuple(range(side))
        return SudokuView(tuple(range(side + 1)), lines, lines)

    @staticmethod
    def draw(rng: np.random.Generator, side: int) -> "SudokuView":
        """A uniform view of boards of this side."""
        box_rows, box_columns = BOX_SHAPES[side]
        digits = (0, *(1 + rng.permutation(side)).tolist())
        rows, columns = _drawn_lines(rng, side, box_rows), _drawn_lines(rng, side, box_columns)
        return SudokuView(digits, rows, columns, box_rows == box_columns and bool(rng.integers(2)))


class BoardViews(NamedTuple):
    """V views of boards of one side, for kernels."""

    digits: npt.NDArray[np.uint8]  # (V, side + 1)
    rows: npt.NDArray[np.uint8]  # (V, side)
    columns: npt.NDArray[np.uint8]  # (V, side)
    transposes: npt.NDArray[np.bool_]  # (V,)


def tabulate(views: Sequence[SudokuView]) -> BoardViews:
    """The views, all of one side and at least one, as arrays."""
    return BoardViews(
        np.array([view.digits for view in views], dtype=np.uint8),
        np.array([view.rows for view in views], dtype=np.uint8),
        np.array([view.columns for view in views], dtype=np.uint8),
        np.array([view.transpose for view in views], dtype=np.bool_),
    )


def paint_boards(
    questions: Boards, answers: Boards, seed: int, counter: int, inputs: Boards, targets: Boards
) -> None:
    """Fill inputs and targets (B, side * side) with examples counter, counter + 1, ...: tokens are digit + 1.

    Each board comes once in every n examples under a uniform view; example i is a function of (seed, i).
    """
    side = _side(questions)
    fits = questions.shape == answers.shape and inputs.shape == targets.shape == (len(inputs), side * side)
    if not fits:
        shapes = f"{questions.shape}, {answers.shape} into {inputs.shape}, {targets.shape}"
        raise ValueError(f"boards of shape {shapes}; expected questions like answers, inputs like targets")

    def paint(part: slice) -> None:
        pairs = _BoardPairs(questions, answers, *BOX_SHAPES[side])
        _paint_boards(pairs, np.uint64(seed), counter + part.start, inputs[part], targets[part])

    spread(paint, len(inputs))


def paint_board_views(questions: Boards, views: BoardViews, inputs: Boards) -> None:
    """Fill inputs (B, side * side) with the tokens of question b under view b."""
    if _side(questions) != views.rows.shape[1] or not len(questions) == len(views.rows) == len(inputs):
        counts = f"{questions.shape} boards, {views.rows.shape} views, {inputs.shape} inputs"
        raise ValueError(f"{counts}; expected as many of each, of one side")

    def paint(part: slice) -> None:
        _paint_board_views(questions[part], _part_of(views, part), inputs[part])

    spread(paint, len(inputs))


def restore_boards(tokens: Boards, views: BoardViews) -> Boards:
    """The boards whose tokens under view b are tokens[b]; a token that is not a digit gives 0."""
    if _side(tokens) != views.rows.shape[1] or len(tokens) != len(views.rows):
        raise ValueError(f"{tokens.shape} tokens and {views.rows.shape} views; expected as many, of one side")
    boards = np.empty_like(tokens)

    def restore(part: slice) -> None:
        _restore_boards(tokens[part], _part_of(views, part), boards[part])

    spread(restore, len(tokens))
    return boards


def _side(boards: Boards) -> int:
    side = math.isqrt(boards.shape[1]) if boards.ndim == 2 else 0
    if side not in BOX_SHAPES or side * side != boards.shape[1] or boards.dtype != np.uint8:
        raise ValueError(f"boards {boards.dtype} {boards.shape}; expected uint8 (n, 16), (n, 36) or (n, 81)")
    return side


def _part_of(views: BoardViews, part: slice) -> BoardViews:
    return BoardViews(views.digits[part], views.rows[part], views.columns[part], views.transposes[part])


def _inverted(order: Sequence[int]) -> tuple[int, ...]:
    return tuple(np.argsort(order).tolist())


def _drawn_lines(rng: np.random.Generator, side: int, size: int) -> tuple[int, ...]:
    groups = rng.permutation(side // size)
    return tuple(int(group * size + line) for group in groups for line in rng.permutation(size))


class _BoardPairs(NamedTuple):
    questions: Boards
    answers: Boards
    box_rows: int
    box_columns: int


@kernel
def _paint_boards(pairs: _BoardPairs, seed: np.uint64, counter: int, inputs: Boards, targets: Boards) -> None:
    side = pairs.box_rows * pairs.box_columns
    tokens = np.empty(side + 1, dtype=np.uint8)
    rows, columns = np.empty(side, dtype=np.uint64), np.empty(side, dtype=np.uint64)
    for number in range(len(inputs)):
        example = counter + number
        board = item_of_epoch(example, len(pairs.questions), seed)
        key = hash64(seed, example, 1)
        for digit in range(side + 1):
            tokens[digit] = digit + 1
        _shuffle(tokens, 1, side, mix64(key + _ONE))
        _draw_lines(rows, pairs.box_rows, mix64(key + np.uint64(2)))
        _draw_lines(columns, pairs.box_columns, mix64(key + np.uint64(3)))
        transposed = pairs.box_rows == pairs.box_columns and bounded(key, 2) == 1
        strided = columns if transposed else rows
        strided *= np.uint64(side)
        cell = _ZERO
        for row in rows:
            for column in columns:
                inputs[number, cell] = tokens[np.uint64(pairs.questions[board, row + column])]
                targets[number, cell] = tokens[np.uint64(pairs.answers[board, row + column])]
                cell += _ONE


@inner
def _draw_lines(lines: npt.NDArray[np.uint64], size: int, key: np.uint64) -> None:
    """Shuffle the groups of `size` lines, then the lines of each group."""
    num_groups = len(lines) // size
    for group in range(num_groups):
        lines[group] = group
    _shuffle(lines, 0, num_groups, key)
    for group in range(num_groups - 1, -1, -1):
        first = lines[group] * np.uint64(size)
        for line in range(size):
            lines[group * size + line] = first + np.uint64(line)
    for group in range(num_groups):
        _shuffle(lines, group * size, size, mix64(key + np.uint64(group + 1)))


@inner
def _shuffle(values: npt.NDArray[np.generic], start: int, length: int, key: np.uint64) -> None:
    """Permute values[start : start + length] by the key."""
    for last in range(length - 1, 0, -1):
        other = start + bounded(mix64(key ^ np.uint64(last)), last + 1)
        values[start + last], values[other] = values[other], values[start + last]


@kernel
def _paint_board_views(questions: Boards, views: BoardViews, inputs: Boards) -> None:
    side = views.rows.shape[1]
    for number in range(len(inputs)):
        for cell in range(side * side):
            digit = questions[number, _source(views, number, cell)]
            inputs[number, cell] = views.digits[number, digit] + np.uint8(1)


@kernel
def _restore_boards(tokens: Boards, views: BoardViews, boards: Boards) -> None:
    side = views.rows.shape[1]
    original = np.zeros(256, dtype=np.uint8)
    for number in range(len(tokens)):
        for digit in range(side + 1):
            original[views.digits[number, digit] + 1] = digit
        for cell in range(side * side):
            boards[number, _source(views, number, cell)] = original[tokens[number, cell]]


@inner
def _source(views: BoardViews, number: int, cell: int) -> np.int64:
    """The cell of the board that view `number` shows at `cell`."""
    side = np.int64(views.rows.shape[1])
    row, column = np.int64(views.rows[number, cell // side]), np.int64(views.columns[number, cell % side])
    return column * side + row if views.transposes[number] else row * side + column
