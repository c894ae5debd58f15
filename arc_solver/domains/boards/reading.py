"""Boards out of files, each checked by the rules of its kind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from arc_solver.domains.boards.board_csv import Complaints, PuzzleReader, PuzzleRow, csv_bytes
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.kind import BoardKind
from arc_solver.domains.protocols import Reading
from arc_solver.storage.head import head_of
from arc_solver.storage.text import DataError, label_of

NUM_LOOKED_AT = 100


def looks_like(kind: BoardKind, source: str) -> bool:
    """Whether one of the first questions of a source could be a board of this kind."""
    lines = head_of(source).decode("utf-8", "replace").removeprefix("\ufeff").splitlines(keepends=True)
    reader, quiet = PuzzleReader((kind.form,)), Complaints("", skip_bad=True)
    try:
        rows = list(itertools.islice(reader.rows(iter(lines), quiet), NUM_LOOKED_AT))
    except DataError:
        return False
    allowed = set(kind.form.question)
    return any(set(row.question) <= allowed and kind.form.is_length(len(row.question)) for row in rows)


def read_kinds(
    kinds: Sequence[BoardKind], source: Path | str, reading: Reading, *, checked: bool = True
) -> tuple[BoardSet, list[str]]:
    """The boards of a file, of the first of `kinds` that fits its first question, and complaints about rows.

    CSV or plain lines, gzipped or not, "-" for standard input. Where they are `checked`, every question must
    be a proper puzzle, and an answer that is given must be right. A bad row raises DataError, naming file and
    row, or with `skip_bad` is left out and complained of. A file without any good row raises it as well.
    """
    complaints = Complaints(label_of(source), reading.skip_bad)
    reader = PuzzleReader(tuple(kind.form for kind in kinds), reading.need_answers)
    by_name = {kind.name: kind for kind in kinds}
    parts = []
    for form, rows in reader.chunks(source, complaints):
        kind = by_name[form.kind]
        parts.append(_checked(kind, rows, complaints) if checked else kind.unchecked(rows))
    if not sum(map(len, parts)):
        reason = f"all rows are bad; {complaints.texts[0]}" if complaints.texts else "no puzzle in the file"
        raise DataError(f"{complaints.label}: {reason}")
    return BoardSet.joined(parts), complaints.texts


def csv_of(kind: BoardKind, boards: BoardSet, origin: str) -> Iterator[bytes]:
    """The CSV file of `boards` in pieces: blanks as dots, unknown answers empty, `origin` as source."""
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
