"""Boards read from files, each checked by the rules of its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from arc_solver.domains.boards.board_csv import Complaints, PuzzleRow, csv_bytes
from arc_solver.domains.boards.board_reader import PuzzleReader
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.kind import BoardKind
from arc_solver.domains.protocols import Notice, Reading
from arc_solver.storage.text import DataError, count, label_of
from arc_solver.tasks.layouts import TAKEN

_REASONS = {
    "question has": "a wrong length",
    "answer has": "an answer of another length",
    "question holds": "a strange character",
    "answer holds": "a strange character in the answer",
    " holds ": "a strange character",
    "the answer is not": "a wrong answer",
    "no answer": "no answer",
    "rating": "a rating that is none",
    " where ": "missing columns",
    "a row of": "a row of another length",
    "a board of": "missing rows",
    "start S": "no one start and goal",
    "of a path": "a path marked in the question",
}


def read_kinds(
    kinds: Sequence[BoardKind], source: Path | str, reading: Reading, notice: Notice = lambda _: None
) -> tuple[BoardSet, list[str]]:
    """The boards of a file, of whichever of `kinds` its content shows, and complaints about bad rows.

    The file, or standard input for "-", is CSV, one board per line, or drawn; gzipped or not. Every question
    must be a proper puzzle, and an answer must be right. A bad row is a DataError that names file and row, or
    with `skip_bad` a complaint; a file without a good row is a DataError too. `notice` reports answers that
    are not the truth, since `predict` wrote them.
    """
    complaints = Complaints(label_of(source), reading.skip_bad)
    reader = PuzzleReader(tuple(kind.form for kind in kinds), reading.need_answers, notice)
    by_name = {kind.name: kind for kind in kinds}
    chunks = reader.chunks(source, complaints)
    parts = [_checked(by_name[form.kind], rows, complaints) for form, rows in chunks]
    if not sum(map(len, parts)):
        counts = _counted(complaints.label, complaints.texts)
        reason = f"all rows are bad; {counts}" if counts else f"no puzzle in the file; {TAKEN}"
        raise DataError(f"{complaints.label}: {reason}")
    return BoardSet.joined(parts), complaints.texts


def as_they_stand(kinds: Sequence[BoardKind], source: Path | str) -> BoardSet:
    """The boards of a file for display: right or wrong, with a whole answer, part of one, or none.

    DataError if a row does not have the form of a board, or if there are no rows.
    """
    # A partial answer has blanks.
    forms = tuple(kind.form._replace(answer=kind.form.question) for kind in kinds)
    by_name = {kind.name: kind for kind in kinds}
    complaints = Complaints(label_of(source))
    chunks = PuzzleReader(forms, keep_own=True).chunks(source, complaints)
    parts = [by_name[form.kind].unchecked(rows, rated=False) for form, rows in chunks]
    if not parts:
        raise DataError(f"{complaints.label}: no puzzle in the file; {TAKEN}")
    return BoardSet.joined(parts)


def complaints_line(source: Path | str, complaints: Sequence[str]) -> str:
    """How many boards are left out, why, and the first complaint."""
    number = count(len(complaints), "bad board")
    return f"{label_of(source)}: {number} left out: {_counted(label_of(source), complaints)}"


def csv_of(kind: BoardKind, boards: BoardSet, origin: str) -> Iterator[bytes]:
    """The CSV file of boards in pieces: blanks as dots, unknown answers empty, `origin` as source."""
    columns = zip(
        kind.texts(boards.questions),
        kind.texts(boards.answers),
        np.any(boards.answers, axis=1).tolist(),
        boards.ratings.tolist(),
        strict=True,
    )
    return csv_bytes(
        PuzzleRow(line, origin, question, answer if is_known else "", rating)
        for line, (question, answer, is_known, rating) in enumerate(columns, 2)
    )


def _checked(kind: BoardKind, rows: list[PuzzleRow], complaints: Complaints) -> BoardSet:
    """The rows that are proper boards; the others are reported."""
    boards = kind.unchecked(rows)
    faults = kind.faults(boards)
    for place, text in sorted(faults.items()):
        complaints.report(rows[place].line, text)
    good = np.ones(len(rows), np.bool_)
    good[list(faults)] = False
    return boards.take(good)


def _counted(label: str, complaints: Sequence[str]) -> str:
    """How many complaints there are for each reason, most frequent first, and the first complaint."""
    texts = [text.removeprefix(f"{label} ") for text in complaints]
    reasons = Counter(_reason(text.partition(": ")[2]) for text in texts)
    counts = ", ".join(f"{number} with {reason}" for reason, number in reasons.most_common())
    return f"{counts}; the first: {texts[0]}" if texts else ""


def _reason(text: str) -> str:
    for start, reason in _REASONS.items():
        if start in text:
            return reason
    return text.partition(",")[0].partition(":")[0]
