"""Mazes of any side: random walls with a floor on the shortest path, their labels and their scores.

A maze is a row of side² places in CHARACTERS, in reading order. Its edge is open like any other cell. Walls
are drawn as in Maze-Hard, whose mazes they resemble: every cell is one with the same chance, which is itself
drawn evenly from 30 to 50 % for each maze; few walls or many leave no long way, so that kept mazes have 37 %.
"""

import math

import numpy as np
import numpy.typing as npt

from arc_solver.sources.board_set import BoardSet, Cells, collect, in_chunks
from arc_solver.sources.maze_paths import (
    GOAL,
    MAX_DRAWS,
    PATH,
    START,
    WALL,
    check_range,
    follow_range,
    generate_range,
    solve_range,
)
from arc_solver.sources.randomness import draw_seeds
from arc_solver.task import DataError
from augment.threads import spread

MIN_SIDE = 5
MAX_SIDE = 128
WALLS_PER_MILLE = (300, 500)
_CHUNK = 16
_HARD_SIDE, _HARD_MOVES = 30, 110


def default_moves(side: int) -> int:
    """A floor as hard for `side` as Maze-Hard's for 30 (longer than 110): it grows as side ** 1.5."""
    return 1 + int(_HARD_MOVES * (side / _HARD_SIDE) ** 1.5)


def generate_mazes(
    num: int,
    side: int,
    rng: np.random.Generator,
    min_moves: int | None = None,
    exclude: BoardSet | None = None,
) -> BoardSet:
    """`num` different mazes with shortest paths of at least `min_moves` (`default_moves`), none in `exclude`.

    Raises DataError where the side is out of range, or so many or such long ones are not found.
    """
    if not MIN_SIDE <= side <= MAX_SIDE:
        raise DataError(f"maze side {side}: expected {MIN_SIDE} to {MAX_SIDE}")
    floor = max(1, default_moves(side) if min_moves is None else min_moves)

    def generate(num_wanted: int) -> BoardSet:
        found = _generated(num_wanted, side, rng, floor)
        return found if exclude is None else apart(found, exclude)

    return collect(num, generate)


def _generated(num: int, side: int, rng: np.random.Generator, min_moves: int) -> BoardSet:
    seeds = draw_seeds(num, rng)
    pairs = np.zeros((num, 2, side * side), np.uint8)
    moves = np.zeros(num, np.int64)

    def make(rows: slice) -> None:
        generate_range(seeds[rows], side, WALLS_PER_MILLE, min_moves, pairs[rows], moves[rows])
        if (moves[rows] < 0).any():
            raise DataError(
                f"no {side}x{side} maze with {min_moves} moves in {MAX_DRAWS} drawn; lower the path floor"
            )

    in_chunks(make, num, _CHUNK)
    return BoardSet("maze", pairs[:, 0].copy(), pairs[:, 1].copy(), moves)


def apart(mazes: BoardSet, seen: BoardSet) -> BoardSet:
    """The mazes whose walls are those of none in `seen`, wherever start and goal stand."""
    return mazes.without(mazes.questions == WALL, seen.questions == WALL)


def solve_mazes(questions: Cells) -> tuple[Cells, npt.NDArray[np.int64]]:
    """Answers (n, L) with a shortest path marked, and its moves (n,), -1 without start, goal or path."""
    questions = np.ascontiguousarray(questions, np.uint8)
    answers, moves = np.empty_like(questions), np.empty(len(questions), np.int64)
    side = math.isqrt(questions.shape[1])
    spread(lambda rows: solve_range(questions[rows], side, answers[rows], moves[rows]), len(questions))
    return answers, moves


def exact_mazes(answers: Cells, truth: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether every cell of `answers` (n, L) is the one of `truth`."""
    return (answers == truth).all(1)


def valid_mazes(questions: Cells, answers: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether `answers` (n, L) are the questions with one shortest path marked and nothing else."""
    questions, answers = (np.ascontiguousarray(cells, np.uint8) for cells in (questions, answers))
    verdicts = np.zeros(len(questions), np.bool_)
    side = math.isqrt(questions.shape[1])
    spread(lambda rows: check_range(questions[rows], answers[rows], side, verdicts[rows]), len(questions))
    return verdicts


def connected_mazes(questions: Cells, answers: Cells) -> npt.NDArray[np.bool_]:
    """(n,): whether `answers` (n, L) are the questions with a path of any length from start to goal marked.

    It follows the marks and searches for nothing, so it may be asked while a maze is being answered.
    """
    questions, answers = (np.ascontiguousarray(cells, np.uint8) for cells in (questions, answers))
    verdicts = np.zeros(len(questions), np.bool_)
    side = math.isqrt(questions.shape[1])
    spread(lambda rows: follow_range(questions[rows], answers[rows], side, verdicts[rows]), len(questions))
    return verdicts


def maze_faults(mazes: BoardSet) -> dict[int, str]:
    """What is wrong with the mazes that are no proper puzzles, by place: start, goal, path or answer."""
    known = mazes.answers.any(1)
    wrong = known & ~valid_mazes(mazes.questions, mazes.answers)
    faults = {}
    for row, question in enumerate(mazes.questions):
        counts = np.bincount(question, minlength=5)
        if counts[PATH]:
            faults[row] = 'the question marks cells "o" of a path'
        elif counts[START] != 1 or counts[GOAL] != 1:
            faults[row] = f"{counts[START]} start S and {counts[GOAL]} goal G, expected one of each"
        elif mazes.ratings[row] < 0:
            faults[row] = "no path from S to G"
        elif wrong[row]:
            faults[row] = "the answer is not the question with one shortest path marked"
    return faults
