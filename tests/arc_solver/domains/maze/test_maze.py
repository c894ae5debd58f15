from collections import deque

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from arc_solver.domains.boards.board_csv import cells_of, texts_of
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.maze.generate import WALLS_PER_MILLE, apart, default_moves, generate_mazes
from arc_solver.domains.maze.rules import maze_faults, solve_mazes, valid_mazes
from arc_solver.storage.text import DataError
from augment.maze import CHARACTERS

WALL, FREE, START, GOAL, PATH = range(5)


def mazes_of(*texts: str) -> BoardSet:
    questions = cells_of([text.replace("\n", "") for text in texts], CHARACTERS)
    return BoardSet("maze", questions, np.zeros_like(questions), solve_mazes(questions)[1])


def random_mazes(num: int, side: int, seed: int) -> np.ndarray:
    """Mazes with start and goal anywhere, so that some have no path."""
    rng = np.random.default_rng(seed)
    mazes = np.where(rng.random((num, side * side)) < 0.35, WALL, FREE).astype(np.uint8)
    for maze in mazes:
        maze[rng.permutation(side * side)[:2]] = START, GOAL
    return mazes


def graph_moves(maze: np.ndarray) -> int:
    """The shortest path by another library, -1 without one."""
    side = int(maze.size**0.5)
    cells = np.arange(maze.size).reshape(side, side)
    steps = np.concatenate(
        [
            np.stack([cells[:, 1:].ravel(), cells[:, :-1].ravel()]),
            np.stack([cells[1:].ravel(), cells[:-1].ravel()]),
        ],
        axis=1,
    )
    steps = steps[:, (maze[steps] != WALL).all(0)]
    graph = coo_array((np.ones(steps.shape[1]), tuple(steps)), shape=(maze.size, maze.size)).tocsr()
    start, goal = (int(np.flatnonzero(maze == kind)[0]) for kind in (START, GOAL))
    found = dijkstra(graph, directed=False, indices=start, unweighted=True)[goal]
    return int(found) if np.isfinite(found) else -1


def naively_valid(question: np.ndarray, answer: np.ndarray) -> bool:
    """Follows the marks from the start; a shortest path leaves none over."""
    side = int(question.size**0.5)
    marked = answer == PATH
    if not (np.where(marked, FREE, answer) == question).all():
        return False
    start, goal = (int(np.flatnonzero(question == kind)[0]) for kind in (START, GOAL))
    queue, seen = deque([start]), {start}
    while queue:
        cell = queue.popleft()
        row, column = divmod(cell, side)
        for r, c in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            near = r * side + c
            if 0 <= r < side and 0 <= c < side and near not in seen and (marked[near] or near == goal):
                seen.add(near)
                queue.append(near)
    return goal in seen and marked.sum() == graph_moves(question) - 1


@pytest.mark.parametrize("side", [5, 9, 14])
def test_shortest_paths_equal_another_librarys(side: int) -> None:
    questions = random_mazes(60, side, seed=side)
    answers, moves = solve_mazes(questions)
    assert moves.tolist() == [graph_moves(maze) for maze in questions]
    assert {-1} < set(moves.tolist())
    found = moves > 0
    assert valid_mazes(questions, answers).tolist() == found.tolist()
    assert all(naively_valid(q, a) for q, a in zip(questions[found], answers[found], strict=True))
    assert (answers[~found] == questions[~found]).all()


@pytest.mark.parametrize("side", [5, 8])
def test_valid_equals_a_slow_check_on_spoiled_answers(side: int) -> None:
    rng = np.random.default_rng(side)
    mazes = generate_mazes(150, side, rng, min_moves=3)
    answers = mazes.answers.copy()
    for answer in answers[10:]:
        cells = rng.choice(side * side, rng.integers(1, 3), replace=False)
        answer[cells] = rng.integers(0, 5, len(cells))
    expected = [naively_valid(q, a) for q, a in zip(mazes.questions, answers, strict=True)]
    assert valid_mazes(mazes.questions, answers).tolist() == expected
    assert 10 <= sum(expected) < 150


def test_any_shortest_path_is_valid_and_only_the_label_is_exact() -> None:
    question = "S  ##   ##  G###########"
    mazes = mazes_of(question + " ")
    label, other, detour = cells_of(
        ["S  ##o  ##ooG########### ", "Soo##  o##  G########### ", "Soo##ooo##ooG########### "], CHARACTERS
    )
    assert (solve_mazes(mazes.questions)[0] == label).all()
    answers = np.stack([label, other, detour])
    assert valid_mazes(np.repeat(mazes.questions, 3, axis=0), answers).tolist() == [True, True, False]
    assert (answers == label).all(axis=1).tolist() == [True, False, False]


def test_labels_prefer_down_then_left_right_and_up() -> None:
    mazes = mazes_of("#####\n#S  #\n#   #\n#  G#\n#####", "#####\n#G  #\n#   #\n#  S#\n#####")
    answers, moves = solve_mazes(mazes.questions)
    assert moves.tolist() == [4, 4]
    assert texts_of(answers, CHARACTERS) == ["######S  ##o  ##ooG######", "######G  ##o  ##ooS######"]


@pytest.mark.parametrize("side", [5, 9, 13])
def test_generated_mazes_are_proper_and_different(side: int) -> None:
    mazes = generate_mazes(100, side, np.random.default_rng(side))
    assert (mazes.kind, mazes.side, len(mazes)) == ("maze", side, 100)
    assert len({question.tobytes() for question in mazes.questions}) == 100
    assert mazes.ratings.min() >= default_moves(side)
    assert mazes.ratings.tolist() == [graph_moves(maze) for maze in mazes.questions]
    assert valid_mazes(mazes.questions, mazes.answers).all()
    assert (solve_mazes(mazes.questions)[0] == mazes.answers).all()
    assert maze_faults(mazes) == {}


def test_walls_are_drawn_from_their_range_and_everywhere() -> None:
    mazes = generate_mazes(3000, 9, np.random.default_rng(0), min_moves=1)
    walls = mazes.questions == WALL
    low, high = WALLS_PER_MILLE
    # An easy floor hardly selects: the mean is that of the range, and no cell is preferred.
    assert abs(walls.mean() - (low + high) / 2000) < 0.02
    assert np.ptp(walls.mean(0)) < 0.1
    assert walls.mean(1).std() > 0.06  # wider than one chance for all mazes, 0.054, would be


def test_the_floor_of_side_thirty_is_that_of_maze_hard() -> None:
    assert [default_moves(side) for side in (5, 9, 13, 30)] == [8, 19, 32, 111]
    assert generate_mazes(1, 30, np.random.default_rng(0)).ratings[0] > 110


def test_generation_depends_on_the_seed_and_never_gives_excluded_walls() -> None:
    seen = generate_mazes(50, 7, np.random.default_rng(3))
    again = generate_mazes(50, 7, np.random.default_rng(3))
    other = generate_mazes(50, 7, np.random.default_rng(3), exclude=seen)
    assert (seen.questions == again.questions).all()
    walls = {row.tobytes() for row in seen.questions == WALL}
    assert not {row.tobytes() for row in other.questions == WALL} & walls
    assert len(apart(seen, again)) == 0


def test_luck_does_not_run_out_for_lengths_that_exist() -> None:
    # At this floor plain drawing gives up after 20,000 draws; the longest way in 9x9 has 48 moves or so.
    mazes = generate_mazes(3, 9, np.random.default_rng(0), min_moves=38)
    assert mazes.ratings.min() >= 38
    assert mazes.ratings.tolist() == [graph_moves(maze) for maze in mazes.questions]
    assert (solve_mazes(mazes.questions)[0] == mazes.answers).all()
    assert maze_faults(mazes) == {}


def test_lengths_are_spread_evenly_between_limits() -> None:
    mazes = generate_mazes(200, 30, np.random.default_rng(7), min_moves=109, max_moves=153)
    assert mazes.ratings.tolist() == [graph_moves(maze) for maze in mazes.questions]
    assert (solve_mazes(mazes.questions)[0] == mazes.answers).all()
    assert (mazes.ratings.min() >= 109, mazes.ratings.max() <= 153) == (True, True)
    assert abs(mazes.ratings.mean() - 131) < 5
    assert maze_faults(mazes) == {}


def test_a_ceiling_alone_lowers_the_floor_and_crossed_limits_are_refused() -> None:
    assert generate_mazes(20, 9, np.random.default_rng(0), max_moves=6).ratings.tolist() == [6] * 20
    with pytest.raises(DataError, match="at least 9 moves and at most 8"):
        generate_mazes(1, 9, np.random.default_rng(0), min_moves=9, max_moves=8)


def test_impossible_wishes_are_said_so() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="no 5x5 maze with 24 moves in 20000"):
        generate_mazes(1, 5, rng, min_moves=24)
    for side in (4, 129):
        with pytest.raises(DataError, match=f"^maze side {side}: expected 5 to 128$"):
            generate_mazes(1, side, rng)


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("G" + " " * 24, "0 start S and 1 goal G, expected one of each"),
        ("S" + " " * 24, "1 start S and 0 goal G, expected one of each"),
        ("SSG" + " " * 22, "2 start S and 1 goal G, expected one of each"),
        ("S G" + "o" * 22, 'the question marks cells "o" of a path'),
        ("S#G##" + "#" * 20, "no path from S to G"),
    ],
)
def test_faults_name_what_is_wrong(question: str, fault: str) -> None:
    assert maze_faults(mazes_of(question)) == {0: fault}


def test_a_wrong_answer_is_a_fault() -> None:
    mazes = generate_mazes(2, 5, np.random.default_rng(0))
    answers = mazes.answers.copy()
    answers[1, np.flatnonzero(answers[1] == PATH)[0]] = FREE
    wrong = BoardSet("maze", mazes.questions, answers, mazes.ratings)
    assert maze_faults(wrong) == {1: "the answer is not the question with one shortest path marked"}
    assert (answers == mazes.answers).all(axis=1).tolist() == [True, False]
