"""What one kind of board says of itself. Shapes: n boards, N answers, L = side · side cells.

A cell's value is its place in `characters`, its token the value + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from arc_solver.config import Groups
from arc_solver.domains.boards.board_csv import PuzzleForm, PuzzleRow, cells_of, texts_of
from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.protocols import Bytes, Flags, Hints, Look, Numbers
from arc_solver.storage.text import DataError

# No cell has this value; it stands where a token was none of a cell.
NO_VALUE = 255


class Views(Protocol):
    """Views of boards of one side, numbered from the identity on."""

    def paint(self, questions: Cells, turns: Numbers, tokens: Bytes) -> None:
        """Write questions (N, L) under the views at `turns` (N,) into tokens (N, L)."""

    def restore(self, tokens: Bytes, turns: Numbers) -> Cells:
        """Cells (N, L) of answers under these views; `missing` where a token is no value."""


class Floors(NamedTuple):
    """What generated boards have at least, and at most; None where it is not said."""

    min_rating: int | None = None
    min_givens: int | None = None
    min_path: int | None = None
    max_path: int | None = None


class DenseLabels(NamedTuple):
    """Labels of all cells beside the answer: of how many classes, those of boards (n, L), who has them."""

    classes: int
    of: Callable[[Cells], Hints]
    exist: Callable[[BoardSet], bool]


@dataclass(frozen=True)
class Generator:
    """How boards of a kind are made: `make(num, side, rng, floors, seen)`, none that `seen` gives away."""

    make: Callable[[int, int, np.random.Generator, Floors, BoardSet | None], BoardSet]
    side: int  # where none is said
    floors: tuple[str, ...]  # fields of Floors that mean something here
    rating: str  # what a rating counts
    # The same from boards to be like, at least so hard, in place of a side and floors.
    like: Callable[[int, BoardSet, np.random.Generator, int, BoardSet | None], BoardSet] | None = None


@dataclass(frozen=True)
class BoardKind:
    """The rules, files and views of one kind of board."""

    form: PuzzleForm
    characters: str
    num_values: Callable[[int], int]  # that a cell has on boards of a side
    views: Callable[[int, int, int], Views]  # of a side, so many, drawn with a seed
    painter: Callable[[BoardSet, int], Callable[[int, Bytes, Bytes], None]]  # of boards, seed
    keeps_the_rules: Callable[[Cells, Cells], Flags]  # questions, answers (N, L); without any search
    solves: Callable[[Cells, Cells], Flags]  # the same for scores, where a search may be needed
    faults: Callable[[BoardSet], dict[int, str]]  # what is wrong with the boards of a file, by place
    rules_decide: bool = False  # whether no two answers keep the rules; value 0 is then a blank
    broken: Callable[[Cells], Flags] | None = None  # of boards with blanks: whether what stands breaks a rule
    completed: Callable[[Cells, Cells], Cells] | None = None  # questions, answers: what these can only change
    labels: DenseLabels | None = None
    missing: int = NO_VALUE  # in a restored answer, where there is no value
    max_views: int | None = None
    rate: Callable[[Cells], Numbers] | None = None  # of questions; None: as the file says
    election: str = "first"
    training_file: str | None = None
    groups: Callable[[int], Groups] | None = None  # of so many cells; ConfigError where no board has them
    look: Callable[[int], Look] | None = None
    generator: Generator | None = None

    @property
    def name(self) -> str:
        """As in BoardSet.kind."""
        return self.form.kind

    def vocabulary(self, side: int) -> int:
        """Tokens on boards of a side: PAD and one for every cell value."""
        return 1 + self.num_values(side)

    def num_views(self, wanted: int) -> int:
        """How many of the views asked for there are."""
        return wanted if self.max_views is None else min(wanted, self.max_views)

    def texts(self, cells: Cells) -> list[str]:
        """Boards as text."""
        return texts_of(cells, self.characters)

    def cells(self, side: int, texts: Sequence[str]) -> Cells:
        """The inverse of `texts`; DataError for another length or another character."""
        characters = self.characters[: self.num_values(side)]
        for text in texts:
            if len(text) != side * side or not set(characters).issuperset(text):
                raise DataError(f"{text[:100]!r}: expected {side * side} characters of {characters!r}")
        return cells_of(texts, characters).reshape(len(texts), side * side)

    def unchecked(self, rows: Sequence[PuzzleRow], *, rated: bool = True) -> BoardSet:
        """The rows as they stand, answers all 0 where unknown; rated only if that is wanted."""
        known = np.array([bool(row.answer) for row in rows])
        blank = self.characters[0] * len(rows[0].question)
        questions = self._read([row.question for row in rows])
        answers = np.where(known[:, None], self._read([row.answer or blank for row in rows]), 0)
        given = np.array([row.rating for row in rows], np.int64)
        ratings = self.rate(questions) if rated and self.rate else given
        return BoardSet(self.name, questions, answers.astype(np.uint8), ratings)

    def _read(self, texts: Sequence[str]) -> Cells:
        # Another character that a question may hold is another way to write a blank.
        for other in set(self.form.question) - set(self.characters):
            texts = [text.replace(other, self.characters[0]) for text in texts]
        return cells_of(texts, self.characters)
