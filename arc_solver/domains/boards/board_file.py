"""Sudoku and Maze files: read with every board checked, and written."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from arc_solver.domains.boards.board_csv import (
    Complaints,
    PuzzleForm,
    PuzzleReader,
    PuzzleRow,
    cells_of,
    csv_bytes,
    texts_of,
)
from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.maze.rules import MAX_SIDE, MIN_SIDE, maze_faults, solve_mazes
from arc_solver.domains.sudoku.rules import sudoku_faults
from arc_solver.storage.text import DataError, label_of
from augment.maze import CHARACTERS
from augment.sudoku import BOX_SHAPES

_DIGITS = ".123456789"
SUDOKU = PuzzleForm(
    "sudoku",
    "0" + _DIGITS,
    _DIGITS[1:],
    lambda length: length in {side * side for side in BOX_SHAPES},
    "16, 36 or 81",
)
MAZE = PuzzleForm(
    "maze",
    CHARACTERS,
    CHARACTERS,
    lambda length: length == math.isqrt(length) ** 2 and MIN_SIDE <= math.isqrt(length) <= MAX_SIDE,
    f"the square of a side from {MIN_SIDE} to {MAX_SIDE}",
)


def read_boards(
    source: Path | str,
    forms: tuple[PuzzleForm, ...] = (SUDOKU, MAZE),
    need_answers: bool = False,
    skip_bad: bool = False,
) -> tuple[BoardSet, list[str]]:
    """The boards of a file, of the first of `forms` that fits its first question, and complaints about rows.

    CSV or plain lines, gzipped or not, "-" for standard input. Every question must have one solution, or one
    start, goal and a path; an answer that is given must be right. A bad row raises DataError, naming file and
    row, or with `skip_bad` is left out and complained of. A file without any good row raises it as well.
    """
    complaints = Complaints(label_of(source), skip_bad)
    reader = PuzzleReader(forms, need_answers)
    parts = [_checked(form, rows, complaints) for form, rows in reader.chunks(source, complaints)]
    if not sum(map(len, parts)):
        reason = f"all rows are bad; {complaints.texts[0]}" if complaints.texts else "no puzzle in the file"
        raise DataError(f"{complaints.label}: {reason}")
    return BoardSet.joined(parts), complaints.texts


def board_csv(boards: BoardSet, origin: str) -> Iterator[bytes]:
    """The CSV file of `boards` in pieces: blanks as dots, unknown answers empty, `origin` as source."""
    known = boards.answers.any(1)
    columns = zip(
        texts_from_cells(boards.kind, boards.questions),
        texts_from_cells(boards.kind, boards.answers),
        known.tolist(),
        boards.ratings.tolist(),
        strict=True,
    )
    return csv_bytes(
        PuzzleRow(line, origin, question, answer if is_known else "", rating)
        for line, (question, answer, is_known, rating) in enumerate(columns, 2)
    )


def texts_from_cells(kind: str, cells: Cells) -> list[str]:
    """Boards of a kind as text, blanks as dots."""
    return texts_of(cells, _DIGITS if kind == "sudoku" else CHARACTERS)


def cells_from_texts(kind: str, side: int, texts: Sequence[str]) -> Cells:
    """The inverse of `texts_from_cells`; DataError for another length or another character."""
    characters = _DIGITS[: side + 1] if kind == "sudoku" else CHARACTERS
    for text in texts:
        if len(text) != side * side or not set(characters).issuperset(text):
            raise DataError(f"{text[:100]!r}: expected {side * side} characters of {characters!r}")
    return cells_of(texts, characters).reshape(len(texts), side * side)


def _digits(texts: Sequence[str]) -> Cells:
    return cells_of([text.replace("0", ".") for text in texts], _DIGITS)


def _checked(form: PuzzleForm, rows: list[PuzzleRow], complaints: Complaints) -> BoardSet:
    """The rows that are proper boards; the others are reported."""
    known = np.array([bool(row.answer) for row in rows])
    blank = form.question[0] * len(rows[0].question)
    texts = [row.answer or blank for row in rows]
    ratings = np.array([row.rating for row in rows], np.int64)
    if form is SUDOKU:
        questions = _digits([row.question for row in rows])
        boards = BoardSet(form.kind, questions, _digits(texts), ratings)
        faults = sudoku_faults(boards)
    else:
        questions = cells_of([row.question for row in rows], CHARACTERS)
        answers = np.where(known[:, None], cells_of(texts, CHARACTERS), 0).astype(np.uint8)
        boards = BoardSet(form.kind, questions, answers, solve_mazes(questions)[1])
        faults = maze_faults(boards)
    for place, text in sorted(faults.items()):
        complaints.report(rows[place].line, text)
    good = np.ones(len(rows), np.bool_)
    good[list(faults)] = False
    return boards.take(good)
