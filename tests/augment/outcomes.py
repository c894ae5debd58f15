"""One small run of every kernel, as a digest; `python -m tests.augment.outcomes` prints it."""

import hashlib

import numpy as np

from augment.batch import paint_inputs, paint_pairs, restore_answers
from augment.maze import MazePairs, paint_maze_views, paint_mazes, restore_mazes
from augment.sampler import DRAW, draw_examples
from augment.sudoku import SudokuView, paint_board_views, paint_boards, restore_boards, tabulate
from augment.view import distinct_views
from tests.augment.datasets import random_data_set


def outcomes(seed: int) -> str:
    """The SHA-256 of all that the kernels give for inputs drawn with this seed."""
    rng = np.random.default_rng(seed)
    digest = hashlib.sha256()
    data = random_data_set(seed, num_tasks=4)
    table = distinct_views([data.grids[number] for number in range(len(data.grids))], 20, seed)
    draws = np.zeros(20, DRAW)
    draw_examples(data.catalog, seed, 3, True, 11, draws)
    visits = np.zeros(20, DRAW)
    draw_examples(data.catalog, seed, 3, True, 11, visits, all_pairs=True)
    canvases = np.zeros((3, 20, 121), np.uint8)
    paint_pairs(data.grids, data.catalog, data.views, draws, canvases[0], canvases[1])
    rows = draws["view"].astype(np.int64)
    paint_inputs(data.grids, data.views, rng.integers(len(data.grids), size=20), rows, canvases[2])
    answers = restore_answers(canvases[2], data.views.take(rows))
    for array in (table.dihedrals, table.colors, draws, visits, canvases, *answers):
        digest.update(array.tobytes())
    boards = rng.integers(0, 10, size=(4, 20, 81)).astype(np.uint8)
    paint_boards(boards[0], boards[1], seed, 5, boards[2], boards[3])
    views = tabulate([SudokuView.draw(rng, 9) for _ in range(20)])
    paint_board_views(boards[0], views, boards[1])
    digest.update(boards.tobytes() + restore_boards(boards[3], views).tobytes())
    mazes = rng.integers(0, 5, size=(5, 20, 36)).astype(np.uint8)
    paint_mazes(MazePairs(mazes[0], mazes[1]), seed, 5, mazes[2], mazes[3])
    dihedrals = rng.integers(0, 8, size=20).astype(np.uint8)
    paint_maze_views(mazes[0], dihedrals, mazes[4])
    digest.update(mazes.tobytes() + restore_mazes(mazes[4], dihedrals).tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    print(outcomes(5))
