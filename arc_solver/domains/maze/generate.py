"""Random mazes, each with its label.

Walls are drawn as in Maze-Hard: each cell of a maze is a wall with the same chance, drawn uniformly from 30
to 50 % for every maze. Very few walls, or very many, leave no long path, so the mazes kept have 37 %.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from arc_solver.domains.boards.board_set import BoardSet, Cells, collect, in_chunks
from arc_solver.domains.maze.long_paths import generate_long_range
from arc_solver.domains.maze.paths import MAX_DRAWS, WALL, generate_range
from arc_solver.domains.maze.rules import MAX_SIDE, MIN_SIDE
from arc_solver.storage.text import DataError
from augment.kernel_rng import Source, draw_seeds

Moves = npt.NDArray[np.int64]
WALLS_PER_MILLE = (300, 500)
_CHUNK = 16
_HARD_SIDE, _HARD_MOVES = 30, 110


def default_moves(side: int) -> int:
    """A floor as hard for `side` as Maze-Hard's for 30 (longer than 110): it grows as side ** 1.5."""
    return 1 + int(_HARD_MOVES * (side / _HARD_SIDE) ** 1.5)


class _OutOfLuck(Exception):
    """Plain drawing found no maze in MAX_DRAWS draws."""


def generate_mazes(
    num: int,
    side: int,
    rng: np.random.Generator,
    min_moves: int | None = None,
    exclude: BoardSet | None = None,
    max_moves: int | None = None,
) -> BoardSet:
    """`num` different mazes with shortest paths of at least `min_moves` (`default_moves`), none in `exclude`.

    With `max_moves` lengths are spread evenly over `min_moves` to `max_moves`; without, longer is rarer.
    DataError if the side is out of range, or if not that many, or none that long, are found.
    """
    if not MIN_SIDE <= side <= MAX_SIDE:
        raise DataError(f"maze side {side}: expected {MIN_SIDE} to {MAX_SIDE}")
    evenly = max_moves is not None
    most = side * side if max_moves is None else max_moves
    least = max(1, min(default_moves(side), most) if min_moves is None else min_moves)
    if most < least:
        raise DataError(f"at least {least} moves and at most {most}: the minimum exceeds the maximum")
    plain = not evenly  # draw until one is hard enough; given up where such mazes are too rare

    def generate(num_wanted: int) -> BoardSet:
        nonlocal plain
        seeds = draw_seeds(num_wanted, rng)
        try:
            found = _plain(seeds, side, least) if plain else _long(seeds, side, (least, most), evenly)
        except _OutOfLuck:
            plain = False
            found = _long(seeds, side, (least, most), evenly)
        return found if exclude is None else apart(found, exclude)

    return collect(num, generate)


def _plain(seeds: Source, side: int, least: int) -> BoardSet:
    """A maze per seed, drawn until it has `least` moves; _OutOfLuck if that takes too many draws."""

    def make(rows: slice, pairs: Cells, moves: Moves) -> None:
        generate_range(seeds[rows], side, WALLS_PER_MILLE, least, pairs, moves)
        if (moves < 0).any():
            raise _OutOfLuck

    return _generated(len(seeds), side, make)


def _long(seeds: Source, side: int, limits: tuple[int, int], evenly: bool) -> BoardSet:
    """A maze per seed within the limits, however rare; DataError if one is not found."""

    def make(rows: slice, pairs: Cells, moves: Moves) -> None:
        generate_long_range(seeds[rows], side, WALLS_PER_MILLE, limits, evenly, pairs, moves)
        if (moves < 0).any():
            wanted = f"{limits[0]} to {limits[1]}" if evenly else str(limits[0])
            raise DataError(
                f"no {side}x{side} maze with {wanted} moves in {MAX_DRAWS} drawn; lower the path floor"
            )

    return _generated(len(seeds), side, make)


def _generated(num: int, side: int, make: Callable[[slice, Cells, Moves], None]) -> BoardSet:
    pairs = np.zeros((num, 2, side * side), np.uint8)
    moves = np.zeros(num, np.int64)
    in_chunks(lambda rows: make(rows, pairs[rows], moves[rows]), num, _CHUNK)
    return BoardSet("maze", pairs[:, 0].copy(), pairs[:, 1].copy(), moves)


def apart(mazes: BoardSet, seen: BoardSet) -> BoardSet:
    """The mazes whose walls are those of no maze in `seen`, wherever start and goal stand."""
    return mazes.without(mazes.questions == WALL, seen.questions == WALL)
