"""Dense labels of mazes, for training: the direction of the goal at every cell.

The direction follows the rule of the labels: the first of down, left, right, up that gets closer. A cell can
know its direction once a wave from the goal has reached it; whether it is on the path, once a wave along the
path from the start has come back that far.
"""

import math

import numpy as np

from arc_solver.domains.maze.paths import FREE, GOAL, START, WALL, Cells, Distances, flood, place_of
from arc_solver.domains.protocols import NEVER, NOT_ASKED, Hints, Moves
from augment.kernel import inner, kernel
from augment.threads import spread


def maze_hints(questions: Cells) -> Hints:
    """The labels of mazes (n, L): 1 down, 2 left, 3 right, 4 up, 0 for cells out of reach."""
    questions = np.ascontiguousarray(questions, np.uint8)
    hints = Hints(
        np.zeros_like(questions),
        np.full(questions.shape, NEVER, np.int32),
        np.full(questions.shape, NOT_ASKED, np.int32),
    )
    side = math.isqrt(questions.shape[1])
    spread(lambda rows: _hint_range(questions[rows], side, *(part[rows] for part in hints)), len(questions))
    return hints


@inner
def _closer(distances: Distances, side: int, cell: int) -> tuple[int, int]:
    """The first of down (1), left (2), right (3), up (4) whose cell is one move closer, and that cell."""
    wanted, column = distances[cell] - 1, cell % side
    if cell + side < side * side and distances[cell + side] == wanted:
        return 1, cell + side
    if column > 0 and distances[cell - 1] == wanted:
        return 2, cell - 1
    if column + 1 < side and distances[cell + 1] == wanted:
        return 3, cell + 1
    return 4, cell - side


@kernel
def _hint_range(questions: Cells, side: int, labels: Cells, label_moves: Moves, target_moves: Moves) -> None:
    distances, parents, queue = np.zeros((3, side * side), np.int32)
    for row in range(questions.shape[0]):
        maze = questions[row]
        start, goal = place_of(maze, START), place_of(maze, GOAL)
        flood(maze, side, goal, distances, parents, queue)
        for cell in range(side * side):
            if maze[cell] == WALL or cell == goal:
                label_moves[row, cell] = NOT_ASKED
            elif distances[cell] > 0:
                labels[row, cell] = _closer(distances, side, cell)[0]
                label_moves[row, cell] = distances[cell]
            if maze[cell] == FREE:
                target_moves[row, cell] = 0
        cell, moves = start, distances[start]
        for step in range(1, moves):
            cell = _closer(distances, side, cell)[1]
            target_moves[row, cell] = moves + step
