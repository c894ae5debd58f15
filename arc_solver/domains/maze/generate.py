"""Mazes with one label each, drawn at random."""

import numpy as np

from arc_solver.domains.boards.board_set import BoardSet, collect, in_chunks
from arc_solver.domains.maze.paths import MAX_DRAWS, WALL, generate_range
from arc_solver.domains.maze.rules import MAX_SIDE, MIN_SIDE
from arc_solver.storage.text import DataError
from augment.kernel_rng import draw_seeds

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
