"""A kind of puzzle that the program does not know: Latin squares of letters, with some of them blank.

It is one object, LATIN; `tests/arc_solver/test_one_path.py` registers it and goes through the commands.
"""

from collections.abc import Callable

import numpy as np

from arc_solver.config import Groups
from arc_solver.domains.boards.board_csv import PuzzleForm
from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet, Cells, collect
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.kind import BoardKind, Floors, Generator
from arc_solver.domains.protocols import Bytes, Flags, Numbers

SIDE = 4
LETTERS = ".ABCD"


class Identity:
    """The only view: the board as it stands."""

    def paint(self, questions: Cells, turns: Numbers, tokens: Bytes) -> None:
        tokens[:] = questions + 1

    def restore(self, tokens: Bytes, turns: Numbers) -> Cells:
        return np.where((tokens > 0) & (tokens <= len(LETTERS)), tokens - 1, 0).astype(np.uint8)


def latin(questions: Cells, answers: Cells) -> Flags:
    """Whether the letters of the question stay, and every row and column has each letter once."""
    kept = ((questions == answers) | (questions == 0)).all(axis=1)
    squares = answers.reshape(-1, SIDE, SIDE)
    wanted = np.arange(1, SIDE + 1)
    ruled = [
        (np.sort(squares, axis=axis).swapaxes(1, axis) == wanted[:, None]).all((1, 2)) for axis in (1, 2)
    ]
    return kept & ruled[0] & ruled[1]


def faults(boards: BoardSet) -> dict[int, str]:
    """What is wrong with the answers, by place."""
    wrong = boards.answers.any(axis=1) & ~latin(boards.questions, boards.answers)
    return {int(place): "the answer is no Latin square" for place in np.flatnonzero(wrong)}


def painter(boards: BoardSet, seed: int) -> Callable[[int, Bytes, Bytes], None]:
    """The boards one after the other."""

    def paint(first: int, tokens: Bytes, targets: Bytes) -> None:
        places = (seed + first + np.arange(len(tokens))) % len(boards)
        tokens[:], targets[:] = boards.questions[places] + 1, boards.answers[places] + 1

    return paint


def make(num: int, side: int, rng: np.random.Generator, floors: Floors, seen: BoardSet | None) -> BoardSet:
    """Squares whose rows are shifted, under random letters, with a third of them blank."""
    del floors, seen

    def some(wanted: int) -> BoardSet:
        shifted = (np.arange(side)[:, None] + np.arange(side)) % side
        answers = np.array([rng.permutation(side)[shifted].ravel() + 1 for _ in range(wanted)], np.uint8)
        answers = answers.reshape(wanted, side * side)
        questions = np.where(rng.random(answers.shape) < 1 / 3, 0, answers).astype(np.uint8)
        return BoardSet("latin", questions, answers, np.full(wanted, UNKNOWN_RATING, np.int64))

    return collect(num, some)


def groups(length: int) -> Groups:
    """Rows and columns."""
    assert length == SIDE**2
    return Groups((SIDE, SIDE), ((1,), (0,)))


LATIN = BoardDomain(
    BoardKind(
        PuzzleForm("latin", LETTERS, LETTERS[1:], lambda length: length == SIDE**2, "16"),
        LETTERS,
        num_values=lambda side: side + 1,
        views=lambda side, num, seed: Identity(),
        painter=painter,
        keeps_the_rules=latin,
        solves=latin,
        faults=faults,
        missing=0,
        max_views=1,
        groups=groups,
        generator=Generator(make, SIDE, (), "steps"),
    )
)
