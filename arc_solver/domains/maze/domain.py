"""Mazes as a domain: cells are indices into "# SGo": wall, free, start, goal, path."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from arc_solver.domains.boards.board_csv import PuzzleForm
from arc_solver.domains.boards.board_lines import MAZE_CELLS, kind_of_lines, maze_cells, maze_rows
from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.kind import BoardKind, DenseLabels, Floors, Generator
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.maze.hints import maze_hints
from arc_solver.domains.maze.paths import FREE, PATH
from arc_solver.domains.maze.rules import (
    MAX_SIDE,
    MIN_SIDE,
    connected_mazes,
    maze_faults,
    solve_mazes,
    valid_mazes,
)
from arc_solver.domains.protocols import Bytes, Look, Numbers
from augment.maze import CHARACTERS, MazePairs, paint_maze_views, paint_mazes, restore_mazes

NUM_VIEWS = 8
NUM_HINTS = 5  # the four directions, and "not yet known"


class MazeViews:
    """The eight symmetries."""

    def paint(self, questions: Cells, turns: Numbers, tokens: Bytes) -> None:
        paint_maze_views(questions, turns.astype(np.uint8), tokens)

    def restore(self, tokens: Bytes, turns: Numbers) -> Cells:
        return restore_mazes(tokens, turns.astype(np.uint8))


def painter(mazes: BoardSet, seed: int) -> Callable[[int, Bytes, Bytes], None]:
    """Paints each maze once per epoch, under a fresh symmetry if its label can follow.

    Of several shortest paths one is the label, by a rule that no symmetry preserves: a turned maze is labeled
    anew, and if the labels follow another rule than ours, mazes are not turned.
    """
    ruled = follow_our_rule(mazes)
    pairs = MazePairs(mazes.questions, mazes.answers)

    def paint(first: int, tokens: Bytes, targets: Bytes) -> None:
        paint_mazes(pairs, seed, first, tokens, targets, symmetries=ruled)
        if ruled:
            targets[:] = solve_mazes(tokens - 1)[0] + 1

    return paint


def follow_our_rule(mazes: BoardSet) -> bool:
    """Whether the answers are, of several shortest paths, the ones that our rule picks."""
    return bool((solve_mazes(mazes.questions)[0] == mazes.answers).all())


def marked(questions: Cells, answers: Cells) -> Cells:
    """Mazes (n, L) with the marks of answers on free cells; an answer can change nothing else."""
    return np.where((answers == PATH) & (questions == FREE), np.uint8(PATH), questions)


def look(side: int) -> Look:
    """Walls dark, the path a strong color, S and G as letters."""
    del side
    colors = [(45, 48, 54), (255, 255, 255), (31, 95, 191), (19, 105, 60), (255, 176, 32)]
    names = ("wall", "", "start", "goal", "path")
    return Look(np.array(colors, np.uint8), ("", "", "S", "G", ""), letters=CHARACTERS, names=names)


def make(num: int, side: int, rng: np.random.Generator, floors: Floors, seen: BoardSet | None) -> BoardSet:
    """Generated mazes."""
    return generate_mazes(num, side, rng, floors.min_path, seen, floors.max_path)


MAZE = BoardDomain(
    BoardKind(
        PuzzleForm(
            "maze",
            CHARACTERS,
            CHARACTERS,
            lambda length: length == math.isqrt(length) ** 2 and MIN_SIDE <= math.isqrt(length) <= MAX_SIDE,
            f"the square of a side from {MIN_SIDE} to {MAX_SIDE}",
            maze_cells,
            lambda lines, guess: kind_of_lines(lines, guess=guess) == "maze",
            maze_rows,
            MAZE_CELLS,
        ),
        CHARACTERS,
        num_values=lambda side: len(CHARACTERS),
        views=lambda side, num, seed: MazeViews(),
        painter=painter,
        keeps_the_rules=connected_mazes,
        solves=valid_mazes,
        faults=maze_faults,
        completed=marked,
        labels=DenseLabels(NUM_HINTS, maze_hints, follow_our_rule),
        max_views=NUM_VIEWS,
        rate=lambda questions: solve_mazes(questions)[1],
        election="vote",
        training_file="maze_hard_1k_train.csv",
        look=look,
        generator=Generator(make, 30, ("min_path", "max_path"), "moves of the shortest path"),
    )
)
