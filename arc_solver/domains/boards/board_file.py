"""Sudoku and Maze files: read with every board checked, and written."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from arc_solver.domains.boards.board_csv import (
    Complaints,
    PuzzleForm,
    PuzzleRow,
    cells_of,
    csv_bytes,
    texts_of,
)
from arc_solver.domains.boards.board_lines import maze_cells, sudoku_cells
from arc_solver.domains.boards.board_reader import PuzzleReader
from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet, Cells
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
    sudoku_cells,
)
_REASONS = {
    "question has": "a wrong length",
    "answer has": "an answer of another length",
    "question holds": "a strange character",
    "answer holds": "a strange character in the answer",
    "the answer is not": "a wrong answer",
    "no answer": "no answer",
    "rating": "a rating that is none",
    "columns, expected": "missing columns",
    "a row of": "a row of another length",
    "a board of": "missing rows",
    "start S": "no one start and goal",
    "of a path": "a path marked in the question",
}
MAZE = PuzzleForm(
    "maze",
    CHARACTERS,
    CHARACTERS,
    lambda length: length == math.isqrt(length) ** 2 and MIN_SIDE <= math.isqrt(length) <= MAX_SIDE,
    f"the square of a side from {MIN_SIDE} to {MAX_SIDE}",
    maze_cells,
)


def read_boards(
    source: Path | str,
    forms: tuple[PuzzleForm, ...] = (SUDOKU, MAZE),
    need_answers: bool = False,
    skip_bad: bool = False,
    notice: Callable[[str], None] = lambda _: None,
) -> tuple[BoardSet, list[str]]:
    """The boards of a file, of that of `forms` which its content shows, and complaints about rows.

    CSV, a board a line or drawn, gzipped or not, "-" for standard input. Every question must have one
    solution, or one start, goal and a path; an answer that is given must be right. A bad row raises
    DataError, naming file and row, or with `skip_bad` is left out and complained of. A file without any good
    row raises it as well. `notice` hears of answers that are no truth, since `predict` wrote them.
    """
    complaints = Complaints(label_of(source), skip_bad)
    reader = PuzzleReader(forms, need_answers, notice)
    parts = [_checked(form, rows, complaints) for form, rows in reader.chunks(source, complaints)]
    if not sum(map(len, parts)):
        counts = _counted(complaints.label, complaints.texts)
        reason = f"all rows are bad; {counts}" if counts else "no puzzle in the file"
        raise DataError(f"{complaints.label}: {reason}")
    return BoardSet.joined(parts), complaints.texts


def boards_as_they_stand(source: Path | str) -> BoardSet:
    """The boards of a file for looking at: right or wrong, with an answer, with part of one or without.

    DataError where a row has not the form of a board, or where there is none.
    """
    complaints = Complaints(label_of(source))
    # An answer under way has blanks.
    reader = PuzzleReader((SUDOKU._replace(answer=SUDOKU.question), MAZE), keep_own=True)
    parts = [_as_it_stands(rows, form.kind, complaints) for form, rows in reader.chunks(source, complaints)]
    if not parts:
        raise DataError(f"{complaints.label}: no puzzle in the file")
    return BoardSet.joined(parts)


def sudoku_from_text(text: str) -> BoardSet:
    """One Sudoku of 16, 36 or 81 cells, a digit or a dot each, as it stands; DataError for another digit."""
    row = PuzzleRow(1, "", text, "", UNKNOWN_RATING)
    return _as_it_stands([row], SUDOKU.kind, Complaints("this Sudoku"))


def _as_it_stands(rows: list[PuzzleRow], kind: str, complaints: Complaints) -> BoardSet:
    read = _digits if kind == "sudoku" else _maze_cells
    questions = read([row.question for row in rows])
    answers = np.zeros_like(questions)
    known = [place for place, row in enumerate(rows) if row.answer]
    if known:
        answers[known] = read([rows[place].answer for place in known])
    side = math.isqrt(questions.shape[1])
    largest = np.maximum(questions, answers).max(axis=1).tolist()
    for row, digit in zip(rows, largest, strict=True):
        if kind == "sudoku" and digit > side:
            complaints.report(row.line, f"the digit {digit} on a board of side {side}")
    return BoardSet(kind, questions, answers, np.array([row.rating for row in rows], np.int64))


def complaints_line(source: Path | str, complaints: Sequence[str]) -> str:
    """How many boards are left out, why, and the first of them."""
    number = "1 bad board" if len(complaints) == 1 else f"{len(complaints)} bad boards"
    return f"{label_of(source)}: {number} left out: {_counted(label_of(source), complaints)}"


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


def _maze_cells(texts: Sequence[str]) -> Cells:
    return cells_of(texts, CHARACTERS)


def _counted(label: str, complaints: Sequence[str]) -> str:
    """How many complaints there are for each reason, most frequent first, and the first of them."""
    texts = [text.removeprefix(f"{label} ") for text in complaints]
    reasons = Counter(_reason(text.partition(": ")[2]) for text in texts)
    counts = ", ".join(f"{number} with {reason}" for reason, number in reasons.most_common())
    return f"{counts}; the first: {texts[0]}" if texts else ""


def _reason(text: str) -> str:
    for start, reason in _REASONS.items():
        if start in text:
            return reason
    return text.partition(",")[0].partition(":")[0]


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
        questions = _maze_cells([row.question for row in rows])
        answers = np.where(known[:, None], _maze_cells(texts), 0).astype(np.uint8)
        boards = BoardSet(form.kind, questions, answers, solve_mazes(questions)[1])
        faults = maze_faults(boards)
    for place, text in sorted(faults.items()):
        complaints.report(rows[place].line, text)
    good = np.ones(len(rows), np.bool_)
    good[list(faults)] = False
    return boards.take(good)
