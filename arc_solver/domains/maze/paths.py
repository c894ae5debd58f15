"""Maze kernels: shortest paths by breadth-first search, the check of an answer, and random walls.

Of several shortest paths, the label is the one that the search from the start finds when it tries neighbors
in the order down, left, right, up: the rule that the labels of Maze-Hard follow.
"""

import numpy as np
import numpy.typing as npt

from augment.kernel import inner, kernel
from augment.kernel_rng import Source, draw

Cells = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.int32]
WALL, FREE, START, GOAL, PATH = range(5)
MAX_DRAWS = 20_000
_PER_MILLE = 1000
_UNSEEN = -1


@inner
def flood(
    maze: Cells, side: int, start: int, distances: Distances, parents: Distances, queue: Distances
) -> int:
    """Write the moves from `start` to every cell to `distances` (L,), -1 if out of reach.

    The cells reached are written to `queue` (L,) in the order found, where each was reached from to `parents`
    (L,); returns how many there are.
    """
    distances[:] = _UNSEEN
    distances[start] = 0
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        cell = queue[head]
        head += 1
        column = cell % side
        for direction in range(4):
            if direction == 0 and cell + side < side * side:
                near = cell + side
            elif direction == 1 and column > 0:
                near = cell - 1
            elif direction == 2 and column + 1 < side:
                near = cell + 1
            elif direction == 3 and cell >= side:
                near = cell - side
            else:
                continue
            if distances[near] == _UNSEEN and maze[near] != WALL:
                distances[near] = distances[cell] + 1
                parents[near] = cell
                queue[tail] = near
                tail += 1
    return tail


@inner
def place_of(maze: Cells, kind: int) -> int:
    """The first cell of `kind`, or -1."""
    for cell in range(maze.shape[0]):
        if maze[cell] == kind:
            return cell
    return -1


@kernel
def solve_range(questions: Cells, side: int, answers: Cells, moves: npt.NDArray[np.int64]) -> None:
    """Mark a shortest path of each maze (n, L) in `answers`; its length goes to `moves` (n,), -1 if none.

    A maze without start or goal counts as one without a path.
    """
    distances, parents, queue = np.zeros((3, side * side), np.int32)
    for row in range(questions.shape[0]):
        answer = answers[row]
        answer[:] = questions[row]
        start, goal = place_of(answer, START), place_of(answer, GOAL)
        moves[row] = _UNSEEN
        if start >= 0 and goal >= 0:
            flood(answer, side, start, distances, parents, queue)
            moves[row] = distances[goal]
            mark_path(answer, parents, goal, distances[goal])


@inner
def mark_path(answer: Cells, parents: Distances, goal: int, num_moves: int) -> None:
    """Mark the cells between the goal and the start, `num_moves` away along `parents`."""
    cell = goal
    for _ in range(num_moves - 1):
        cell = parents[cell]
        answer[cell] = PATH


@inner
def _num_marked(question: Cells, answer: Cells) -> int:
    """How many free cells an answer marks, or -1 if it changes anything else."""
    num = 0
    for cell in range(question.shape[0]):
        if answer[cell] == PATH and question[cell] == FREE:
            num += 1
        elif answer[cell] != question[cell]:
            return -1
    return num


@kernel
def check_range(questions: Cells, answers: Cells, side: int, verdicts: npt.NDArray[np.bool_]) -> None:
    """Write to `verdicts` (n,) whether each answer (n, L) is its question with just one shortest path."""
    distances, parents, queue = np.zeros((3, side * side), np.int32)
    corridor = np.zeros(side * side, np.uint8)
    for row in range(questions.shape[0]):
        question, answer = questions[row], answers[row]
        verdicts[row] = False
        num_marked = _num_marked(question, answer)
        start, goal = place_of(question, START), place_of(question, GOAL)
        if num_marked < 0 or start < 0 or goal < 0:
            continue
        flood(question, side, start, distances, parents, queue)
        if distances[goal] != num_marked + 1:
            continue
        for cell in range(side * side):
            corridor[cell] = answer[cell] if answer[cell] > FREE else WALL
        flood(corridor, side, start, distances, parents, queue)
        verdicts[row] = distances[goal] != _UNSEEN


@kernel
def follow_range(questions: Cells, answers: Cells, side: int, verdicts: npt.NDArray[np.bool_]) -> None:
    """Write to `verdicts` (n,) whether the marks of each answer (n, L) lead from its start to its goal.

    Nothing else of the question may be changed, and the marks must form one path without forks, which is
    followed from the start. Its length does not matter, and nothing is searched.
    """
    steps = np.array([side, -1, 1, -side])
    for row in range(questions.shape[0]):
        question, answer = questions[row], answers[row]
        verdicts[row] = False
        num_marked = _num_marked(question, answer)
        cell, came_from = place_of(question, START), _UNSEEN
        if num_marked < 0 or cell < 0:
            continue
        for moves in range(1, num_marked + 2):
            next_cell, num_next = _UNSEEN, 0
            for direction in range(4):
                near = cell + steps[direction]
                beyond = near < 0 or near >= side * side
                if beyond or near == came_from or (direction in (1, 2) and near // side != cell // side):
                    continue
                if answer[near] == PATH or answer[near] == GOAL:
                    next_cell, num_next = near, num_next + 1
            if num_next != 1:
                break
            came_from, cell = cell, next_cell
            if answer[cell] == GOAL:
                verdicts[row] = moves == num_marked + 1
                break


@inner
def draw_walls(source: Source, density: tuple[int, int], maze: Cells) -> int:
    """Draw `maze` (L,), cells being walls with a chance from `density` (per mille); returns a free cell."""
    walls = density[0] + draw(source, density[1] - density[0] + 1)
    for cell in range(maze.shape[0]):
        maze[cell] = WALL if draw(source, _PER_MILLE) < walls else FREE
    cell = draw(source, maze.shape[0])
    maze[cell] = FREE
    return cell


@kernel
def generate_range(
    seeds: Source,
    side: int,
    density: tuple[int, int],
    min_moves: int,
    puzzles: Cells,
    moves: npt.NDArray[np.int64],
) -> None:
    """Write a maze per seed to `puzzles` (n, 2, L), question and answer, and its path length to `moves` (n,).

    A maze has a chance of walls drawn uniformly from `density` (low, high; per mille), a random start, and a
    goal drawn from the cells at least `min_moves` away. If there is no such cell, all is drawn anew; after
    MAX_DRAWS attempts `moves` is -1.
    """
    length = side * side
    distances, parents, queue = np.zeros((3, length), np.int32)
    source = np.zeros(1, np.uint64)
    for row in range(seeds.shape[0]):
        source[0] = seeds[row]
        question = puzzles[row, 0]
        moves[row] = _UNSEEN
        for _ in range(MAX_DRAWS):
            start = draw_walls(source, density, question)
            question[start] = START
            reached = flood(question, side, start, distances, parents, queue)
            far = reached
            while far > 1 and distances[queue[far - 1]] >= min_moves:
                far -= 1
            if far == reached:
                continue
            goal = queue[far + draw(source, reached - far)]
            question[goal] = GOAL
            puzzles[row, 1] = question
            moves[row] = distances[goal]
            mark_path(puzzles[row, 1], parents, goal, moves[row])
            break
