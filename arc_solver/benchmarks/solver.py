"""The speed of solving hard Sudokus and proving their solutions unique."""

from __future__ import annotations

from typing import Any

import numpy as np

from arc_solver.benchmarks.figures import figure, seconds
from arc_solver.domains.boards.board_csv import cells_of
from arc_solver.domains.boards.board_set import Cells
from arc_solver.domains.sudoku.solver import solve_boards
from augment.sudoku import SudokuView

# From our generator, rated 20 to 29 guesses; Sudoku-Extreme takes 41 on average.
HARD = (
    "5...........2..8..3649...........7.39..4.1.8..8...6.2............1..3..9..7...2..",
    "3..2....68.........6.1..9.3......1......82....956....8.83..4....4.....7.9...7.4..",
    "....524..6.....31.........6...1.7...2...3.5...38.......8......73.2..8....79.....5",
    "...6..17..639.........2.4....2.3......6.8...437.........8.612.5.1.....8.6........",
    "7......9.8..437.......9...8.9....453.2...5...........75...7.......2...4...1..8.69",
    "....37.6..9.....4.5....1.3...9.4..8.4..........769..2.....2...5......8...163.....",
    ".4.8..9....6....12....1...............53...6....5.64.87....28...69.7.......9....1",
    "5..7..93...76.95....8......42..96...963....5....5.......2.7.3.....92.8.........7.",
    "...1..6...41...5.89......1.8..........2.46.......823...6..7..8..3..9..5....3..4..",
    "........3..89..1..12..6..5..5..32...6.4.5...........852.............9.6....1459..",
    "46.........7.28..4....9.........5...7....9.3..4.3....6......9....2.8.4.5.15...38.",
    "...........5..2.69.9..46..79...1..2......57..62.............1.3..6.2.4.....1.3...",
)


def hard_boards(num: int, seed: int = 0) -> Cells:
    """(num, 81) boards: HARD in turn, each under a random view."""
    rng = np.random.default_rng(seed)
    boards = cells_of(HARD, ".123456789").reshape(-1, 9, 9)
    views = (SudokuView.draw(rng, 9).apply(boards[number % len(HARD)]) for number in range(num))
    return np.stack([board.ravel() for board in views])


def bench_solver(runs: int, boards: Cells | None = None) -> list[dict[str, Any]]:
    """`sudoku.solve_puzzles_per_s` for `boards` (n, 81), by default hard ones, with the usual threads."""
    boards = hard_boards(4096) if boards is None else boards
    rates = [len(boards) / taken for taken in seconds(lambda: solve_boards(boards), runs)]
    return [figure("sudoku.solve_puzzles_per_s", rates, "puzzles/s")]
