"""Answers to boards scored against the truth in another file: matched by question, nothing refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.domains.boards.board_csv import Complaints
from arc_solver.domains.boards.board_file import board_domain, read_boards
from arc_solver.domains.boards.board_reader import PuzzleReader
from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet
from arc_solver.domains.protocols import Flags
from arc_solver.storage.text import DataError, count, label_of, shown


@dataclass(frozen=True)
class BoardScore:
    """The boards of the truth, and which of them are answered, answered exactly, and by the rules."""

    boards: BoardSet
    answered: Flags
    exact: Flags
    valid: Flags
    num_foreign: int  # answers to boards that the truth does not hold

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values; `by_rating` only if the truth has ratings."""
        found: dict[str, Any] = {
            "boards": len(self.boards),
            "answered": int(self.answered.sum()),
            "exact": float(self.exact.mean()),
            "valid": float(self.valid.mean()),
            "foreign": self.num_foreign,
        }
        bands = self.bands()
        return found | ({"by_rating": bands} if bands else {})

    def bands(self) -> dict[str, dict[str, float]]:
        """The shares by powers of ten of the rating."""
        ratings = self.boards.ratings
        lows = [0, *(10**power for power in range(10))]
        found = {}
        for low, high in zip(lows, [*lows[1:], 10**10], strict=True):
            band = (ratings >= low) & (ratings < high) & (ratings != UNKNOWN_RATING)
            if band.any():
                name = str(low) if high == low + 1 else f"{low} to {high - 1}"
                shares = {"exact": float(self.exact[band].mean()), "valid": float(self.valid[band].mean())}
                found[name] = {"boards": int(band.sum()), **shares}
        return found

    def table(self) -> str:
        """The shares as plain text."""
        total = len(self.boards)
        lines = [
            f"{name}: {100 * flags.mean():.2f} % {flags.sum()}/{total}"
            for name, flags in (("exact", self.exact), ("valid", self.valid))
        ]
        lines += [
            f"rating {name}: exact {100 * band['exact']:.2f} %, valid {100 * band['valid']:.2f} % "
            f"of {count(int(band['boards']), 'board')}"
            for name, band in self.bands().items()
        ]
        missing = total - int(self.answered.sum())
        lines += (
            [f"without an answer: {missing} of {count(total, 'board')} (counted as wrong)"] if missing else []
        )
        lines += (
            [f"answers to boards not in the truth, ignored: {self.num_foreign}"] if self.num_foreign else []
        )
        return "\n".join(lines) + "\n"


def score_boards(answers: Path | str, solutions: Path | str, *, only_submitted: bool = False) -> BoardScore:
    """Score a file of answers, as `predict` writes it, against boards with answers in another file.

    A board of the truth without an answer, or with a malformed one, counts as wrong. DataError if no board of
    the truth is answered.
    """
    boards, _ = read_boards(solutions, need_answers=True)
    kind = board_domain(boards.kind).kind
    places: dict[str, list[int]] = {}
    for place, question in enumerate(kind.texts(boards.questions)):
        places.setdefault(question, []).append(place)
    cells, answered = np.zeros_like(boards.answers), np.zeros(len(boards), np.bool_)
    num_foreign = 0
    reader = PuzzleReader((kind.form,), need_answers=True)
    for _, rows in reader.chunks(answers, Complaints(label_of(answers), skip_bad=True)):
        for row in rows:
            found = places.get(row.question.replace("0", "."), [])
            num_foreign += not found
            if found:
                try:
                    cells[found] = kind.cells(boards.side, [row.answer])
                except DataError:
                    continue
                answered[found] = True
    if not answered.any():
        raise DataError(
            f"{shown(answers)}: answers no board of {shown(solutions)}, so there is nothing to score"
        )
    if only_submitted:
        boards, cells, answered = boards.take(answered), cells[answered], answered[answered]
    valid = answered & kind.solves(boards.questions, cells)
    exact = answered & (cells == boards.answers).all(axis=1)
    return BoardScore(boards, answered, exact, valid, num_foreign)
