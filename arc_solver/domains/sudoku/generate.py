"""Random Sudokus with one solution."""

import numpy as np

from arc_solver.domains.boards.board_set import BoardSet, collect, in_chunks
from arc_solver.domains.sudoku.bit_tables import box_of
from arc_solver.domains.sudoku.dig import NUM_GRIDS, exchange_range, generate_range
from arc_solver.domains.sudoku.solver import solve_boards
from arc_solver.storage.text import DataError
from augment.kernel_rng import draw_seeds
from augment.sudoku import BOX_SHAPES

_CHUNK = 32
FLOOR_SHARE = 0.6  # of the rating of the puzzle whose givens are exchanged
MAX_EACH = 64  # puzzles of one walk
_FEW_GRIDS_SIDE = 4  # only 288 grids exist, so that only questions are compared


def generate_sudoku(
    num: int,
    side: int,
    rng: np.random.Generator,
    min_rating: int = 0,
    exclude: BoardSet | None = None,
    min_givens: int = 0,
) -> BoardSet:
    """`num` different puzzles with one solution, `apart` from `exclude`.

    Every given is needed, unless they are filled up again to `min_givens`, which makes easy puzzles. The
    rating is the number of guesses of our solver, the proof of uniqueness included. DataError if not that
    many, or none that hard, are found.
    """
    if side not in BOX_SHAPES:
        raise DataError(f"Sudoku side {side}: expected 4, 6 or 9")
    if min_rating and min_givens:
        raise DataError("a Sudoku has a least rating or a least number of givens, not both")
    if min_givens >= side * side:
        raise DataError(f"{min_givens} givens leave no blank on a {side}x{side} board; ask for fewer")

    def generate(num_wanted: int) -> BoardSet:
        found = _generated(num_wanted, side, rng, min_rating)
        if min_givens:
            found = _filled_up(found, min_givens, rng)
        return found if exclude is None else apart(found, exclude)

    return collect(num, generate)


def _generated(num: int, side: int, rng: np.random.Generator, min_rating: int) -> BoardSet:
    seeds = draw_seeds(num, rng)
    pairs = np.zeros((num, 2, side * side), np.uint8)
    ratings = np.zeros(num, np.int64)

    def make(rows: slice) -> None:
        generate_range(box_of(side), seeds[rows], min_rating, pairs[rows], ratings[rows])
        if (ratings[rows] < min_rating).any():
            raise DataError(
                f"no {side}x{side} Sudoku rated {min_rating} in {NUM_GRIDS} grids; lower the rating floor"
            )

    in_chunks(make, num, _CHUNK)
    return BoardSet("sudoku", pairs[:, 0].copy(), pairs[:, 1].copy(), ratings)


def exchanged_givens(
    num: int, like: BoardSet, rng: np.random.Generator, min_rating: int = 0, exclude: BoardSet | None = None
) -> BoardSet:
    """`num` puzzles about as hard as those of `like`, which have answers, found by exchanging their givens.

    They have the grids of `like` and are rated at least `min_rating` and FLOOR_SHARE of the puzzle they come
    from. Removing givens of random grids rarely makes a puzzle that needs tens of guesses, but near such a
    puzzle there are many. None has a question of `exclude`. DataError if not that many are found.
    """
    least = max(1, min_rating)
    guesses = solve_boards(like.questions).guesses
    starts = like.take(guesses >= least)
    if not len(starts) or not starts.answers.any(1).all():
        raise DataError(f"no puzzle with an answer is rated {least}; lower the rating floor")
    floors = np.maximum(min_rating, (FLOOR_SHARE * guesses[guesses >= least]).astype(np.int64))

    def generate(num_wanted: int) -> BoardSet:
        each = max(1, min(MAX_EACH, -(-num_wanted // len(starts))))
        seeds = draw_seeds(len(starts), rng)
        found = np.zeros((len(starts), each, starts.questions.shape[1]), np.uint8)
        ratings = np.full((len(starts), each), -1, np.int64)

        def make(rows: slice) -> None:
            exchange_range(
                box_of(starts.side),
                seeds[rows],
                starts.questions[rows],
                starts.answers[rows],
                floors[rows],
                found[rows],
                ratings[rows],
            )

        in_chunks(make, len(starts) if num_wanted else 0, _CHUNK)
        kept = ratings >= 0
        answers = np.repeat(starts.answers, kept.sum(1), axis=0)
        boards = BoardSet("sudoku", found[kept], answers, ratings[kept])
        boards = boards.take(rng.permutation(len(boards))[:num_wanted])
        return boards if exclude is None else boards.without(boards.questions, exclude.questions)

    return collect(num, generate)


def _filled_up(boards: BoardSet, min_givens: int, rng: np.random.Generator) -> BoardSet:
    """The boards, with random blanks filled in if they have fewer givens."""
    blank = boards.questions == 0
    # Blanks first, in random order; the first `missing` of them become givens.
    order = np.argsort(np.where(blank, rng.random(blank.shape), 2.0), axis=1)
    ranks = np.argsort(order, axis=1)
    missing = min_givens - (~blank).sum(1, keepdims=True)
    questions = np.where(blank & (ranks < missing), boards.answers, boards.questions)
    return BoardSet("sudoku", questions, boards.answers, solve_boards(questions).guesses)


def apart(boards: BoardSet, seen: BoardSet) -> BoardSet:
    """The boards that `seen` does not give away: other questions and, from side 6 on, other answers."""
    boards = boards.without(boards.questions, seen.questions)
    if boards.side == _FEW_GRIDS_SIDE:
        return boards
    return boards.without(boards.answers, seen.answers[seen.answers.any(1)])
