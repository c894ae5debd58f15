"""The definition of one kind of board. Shapes: n boards, N answers, L = side · side cells.

The value of a cell is an index into `characters`, its token is the value + 1.
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

# The value of a restored cell whose token is not that of a value.
NO_VALUE = 255


class Views(Protocol):
    """Views of boards of one side; number 0 is the identity."""

    def paint(self, questions: Cells, turns: Numbers, tokens: Bytes) -> None:
        """Write questions (N, L) under the views at `turns` (N,) into tokens (N, L)."""

    def restore(self, tokens: Bytes, turns: Numbers) -> Cells:
        """Cells (N, L) of answers with these views undone; `missing` for a token without a value."""


class Floors(NamedTuple):
    """Limits for generated boards; None: no limit."""

    min_rating: int | None = None
    min_givens: int | None = None
    min_path: int | None = None
    max_path: int | None = None


class DenseLabels(NamedTuple):
    """Labels for every cell besides the answer: the number of classes, the labels of boards (n, L), and
    whether a set of boards has such labels."""

    classes: int
    of: Callable[[Cells], Hints]
    exist: Callable[[BoardSet], bool]


@dataclass(frozen=True)
class Generator:
    """How boards are generated: `make(num, side, rng, floors, seen)` gives none that `seen` gives away."""

    make: Callable[[int, int, np.random.Generator, Floors, BoardSet | None], BoardSet]
    side: int  # by default
    floors: tuple[str, ...]  # fields of Floors that apply
    rating: str  # what a rating counts
    # `like(num, boards, rng, min_rating, seen)`: boards similar to others, instead of by side and floors.
    like: Callable[[int, BoardSet, np.random.Generator, int, BoardSet | None], BoardSet] | None = None


@dataclass(frozen=True)
class BoardKind:
    """The rules, files and views of one kind of board."""

    form: PuzzleForm
    characters: str
    num_values: Callable[[int], int]  # of a cell, by side
    views: Callable[[int, int, int], Views]  # (side, number of views, seed)
    painter: Callable[[BoardSet, int], Callable[[int, Bytes, Bytes], None]]  # (boards, seed)
    keeps_the_rules: Callable[[Cells, Cells], Flags]  # (questions, answers (N, L)), without any search
    solves: Callable[[Cells, Cells], Flags]  # the same for scores, where a search is allowed
    faults: Callable[[BoardSet], dict[int, str]]  # what is wrong with the boards of a file, by index
    rules_decide: bool = False  # whether no two answers keep the rules; value 0 is then a blank
    broken: Callable[[Cells], Flags] | None = None  # whether boards with blanks break a rule
    completed: Callable[[Cells, Cells], Cells] | None = None  # (questions, answers): only allowed changes
    labels: DenseLabels | None = None
    missing: int = NO_VALUE  # in restored answers, for a token without a value
    max_views: int | None = None
    rate: Callable[[Cells], Numbers] | None = None  # of questions; None: as in the file
    election: str = "first"
    training_file: str | None = None
    groups: Callable[[int], Groups] | None = (
        None  # of boards with this many cells; ConfigError if there are none
    )
    look: Callable[[int], Look] | None = None
    generator: Generator | None = None

    @property
    def name(self) -> str:
        """As in BoardSet.kind."""
        return self.form.kind

    def vocabulary(self, side: int) -> int:
        """Tokens for boards of a side: PAD and one per cell value."""
        return 1 + self.num_values(side)

    def num_views(self, wanted: int) -> int:
        """How many of the views wanted exist."""
        return wanted if self.max_views is None else min(wanted, self.max_views)

    def texts(self, cells: Cells) -> list[str]:
        """Boards as text."""
        return texts_of(cells, self.characters)

    def cells(self, side: int, texts: Sequence[str]) -> Cells:
        """The inverse of `texts`; DataError for a wrong length or character."""
        characters = self.characters[: self.num_values(side)]
        for text in texts:
            if len(text) != side * side or not set(characters).issuperset(text):
                raise DataError(f"{text[:100]!r}: expected {side * side} characters of {characters!r}")
        return cells_of(texts, characters).reshape(len(texts), side * side)

    def unchecked(self, rows: Sequence[PuzzleRow], *, rated: bool = True) -> BoardSet:
        """The rows as boards, unchecked, unknown answers all 0; `rated` lets `rate` replace their ratings."""
        known = np.array([bool(row.answer) for row in rows])
        blank = self.characters[0] * len(rows[0].question)
        questions = self._read([row.question for row in rows])
        answers = np.where(known[:, None], self._read([row.answer or blank for row in rows]), 0)
        given = np.array([row.rating for row in rows], np.int64)
        ratings = self.rate(questions) if rated and self.rate else given
        return BoardSet(self.name, questions, answers.astype(np.uint8), ratings)

    def _read(self, texts: Sequence[str]) -> Cells:
        # The other characters of a question are further ways to write a blank.
        for other in set(self.form.question) - set(self.characters):
            texts = [text.replace(other, self.characters[0]) for text in texts]
        return cells_of(texts, self.characters)
