"""The kernel that draws mazes with a shortest path of a given length, however rare such mazes are.

Most draws are rejected at once, by the path between two cells that are about as far apart as any. If no draw
has a path long enough, walls of the best one are flipped, as long as its longest path does not shrink.
"""

import numpy as np
import numpy.typing as npt

from arc_solver.domains.maze.paths import (
    FREE,
    GOAL,
    START,
    WALL,
    Cells,
    Distances,
    draw_walls,
    flood,
    mark_path,
)
from augment.kernel import inner, kernel
from augment.kernel_rng import Source, draw

MAX_TRIES = 400
MAX_WALL_FLIPS = 40_000
_STARTS = 8
_FLIPS = 3


@inner
def _far_end(
    maze: Cells, side: int, cell: int, distances: Distances, parents: Distances, queue: Distances
) -> tuple[int, int]:
    """An end of a path about as long as any around `cell` (free): from the cell farthest from it to the
    cell farthest from that. Returns that end and the moves of the path.
    """
    reached = flood(maze, side, cell, distances, parents, queue)
    far = queue[reached - 1]
    reached = flood(maze, side, far, distances, parents, queue)
    return far, distances[queue[reached - 1]]


@inner
def _far_apart(
    source: Source, side: int, density: tuple[int, int], min_moves: int, maze: Cells, space: Distances
) -> int:
    """Draw `maze` until it has a path of `min_moves`, then flip walls; returns an end of the path, or -1."""
    distances, parents, queue = space
    best, best_end, best_moves = maze.copy(), -1, -1
    for _ in range(MAX_TRIES):
        cell = draw_walls(source, density, maze)
        end, moves = _far_end(maze, side, cell, distances, parents, queue)
        if moves > best_moves:
            best[:] = maze
            best_end, best_moves = end, moves
        if best_moves >= min_moves:
            break
    for _ in range(MAX_WALL_FLIPS):
        if best_moves >= min_moves:
            maze[:] = best
            return best_end
        maze[:] = best
        for _ in range(1 + draw(source, _FLIPS)):
            cell = draw(source, maze.shape[0])
            if cell != best_end:
                maze[cell] = FREE if maze[cell] == WALL else WALL
        end, moves = _far_end(maze, side, best_end, distances, parents, queue)
        if moves >= best_moves:
            best[:] = maze
            best_end, best_moves = end, moves
    return -1


@kernel
def generate_long_range(
    seeds: Source,
    side: int,
    density: tuple[int, int],
    limits: tuple[int, int],
    evenly: bool,
    puzzles: Cells,
    moves: npt.NDArray[np.int64],
) -> None:
    """Write a maze per seed to `puzzles` (n, 2, L), question and answer, and its path length to `moves` (n,).

    `limits` are the least and the most moves; with `evenly` the length of each maze is drawn from them. The
    start is a random cell with another one that far away, if a few draws find one, and the goal a random one
    of those. `moves` is -1 where no maze was found, and for all after it.
    """
    length = side * side
    space = np.zeros((3, length), np.int32)
    distances, parents, queue = space
    source = np.zeros(1, np.uint64)
    moves[:] = -1
    for row in range(seeds.shape[0]):
        source[0] = seeds[row]
        question = puzzles[row, 0]
        least, most = limits
        if evenly:
            least += draw(source, most - least + 1)
            most = least
        end = _far_apart(source, side, density, least, question, space)
        if end < 0:
            break
        connected = queue[: flood(question, side, end, distances, parents, queue)].copy()
        for attempt in range(_STARTS + 1):
            start = connected[draw(source, len(connected))] if attempt < _STARTS else end
            reached = flood(question, side, start, distances, parents, queue)
            if distances[queue[reached - 1]] >= least:
                break
        near = 0
        while distances[queue[near]] < least:
            near += 1
        far = near
        while far < reached and distances[queue[far]] <= most:
            far += 1
        goal = queue[near + draw(source, far - near)]
        question[start], question[goal] = START, GOAL
        puzzles[row, 1] = question
        moves[row] = distances[goal]
        mark_path(puzzles[row, 1], parents, goal, moves[row])
