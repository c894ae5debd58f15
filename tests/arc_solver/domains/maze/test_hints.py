"""Dense labels of mazes, against a plain search by another library's graphs."""

import networkx
import numpy as np

from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.maze.hints import maze_hints
from arc_solver.domains.maze.paths import FREE, GOAL, PATH, START, WALL
from arc_solver.domains.protocols import NEVER, NOT_ASKED

SIDE = 9


def distances_to_goal(maze: np.ndarray) -> dict[int, int]:
    graph = networkx.grid_2d_graph(SIDE, SIDE)
    graph.remove_nodes_from([divmod(int(cell), SIDE) for cell in np.flatnonzero(maze == WALL)])
    goal = divmod(int(np.flatnonzero(maze == GOAL)[0]), SIDE)
    found = networkx.single_source_shortest_path_length(graph, goal)
    return {row * SIDE + column: moves for (row, column), moves in dict(found).items()}


def test_every_cell_has_the_first_direction_that_gets_closer() -> None:
    mazes = generate_mazes(40, SIDE, np.random.default_rng(0), min_moves=5)
    hints = maze_hints(mazes.questions)
    steps = {1: SIDE, 2: -1, 3: 1, 4: -SIDE}
    for maze, labels, moves in zip(mazes.questions, hints.labels, hints.label_moves, strict=True):
        far = distances_to_goal(maze)
        for cell in range(SIDE * SIDE):
            if maze[cell] in (WALL, GOAL):
                assert (labels[cell], moves[cell]) == (0, NOT_ASKED)
            elif cell not in far:
                assert (labels[cell], moves[cell]) == (0, NEVER)
            else:
                assert moves[cell] == far[cell]
                closer = [
                    label
                    for label, step in steps.items()
                    if far.get(cell + step) == far[cell] - 1
                    and (label in (1, 4) or (cell + step) // SIDE == cell // SIDE)
                ]
                assert labels[cell] == closer[0]


def test_the_path_is_due_once_the_wave_came_back() -> None:
    mazes = generate_mazes(40, SIDE, np.random.default_rng(1), min_moves=5)
    hints = maze_hints(mazes.questions)
    for maze, answer, moves, due in zip(
        mazes.questions, mazes.answers, hints.label_moves, hints.target_moves, strict=True
    ):
        length = moves[maze == START][0]
        on_path = answer == PATH
        assert sorted(due[on_path]) == list(range(length + 1, 2 * length))
        assert (due[on_path] == 2 * length - moves[on_path]).all()
        assert (due[(maze == FREE) & ~on_path] == 0).all()
        assert (due[maze != FREE] == NOT_ASKED).all()
