"""Puzzles as rows of text, and tables of them: CSV with `source,question,answer,rating` or common synonyms.

Only the form is checked here (columns, lengths, characters); the rules of a board are in its own module.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.storage.text import DataError, count, quoted, shown

COLUMNS = ("source", "question", "answer", "rating")
NO_RATING = -1
CHUNK = 4096
# Common synonyms of our column names.
_NAMES = {
    **dict.fromkeys(("questions", "quiz", "quizzes", "puzzle", "puzzles", "problem", "problems"), "question"),
    **dict.fromkeys(("sudoku", "sudokus", "maze", "mazes", "board", "boards", "grid", "input"), "question"),
    **dict.fromkeys(("unsolved", "initial"), "question"),
    **dict.fromkeys(("answers", "solution", "solutions", "solved", "output", "target", "label"), "answer"),
    **dict.fromkeys(("ratings", "difficulty"), "rating"),
}
_RATING = re.compile(r"([0-9]{1,9})(\.[0-9]+)?")


class PuzzleRow(NamedTuple):
    """One question as text; an unknown `answer` is "", an unknown `rating` NO_RATING; `line` is from 1."""

    line: int
    source: str
    question: str
    answer: str
    rating: int


class PuzzleForm(NamedTuple):
    """What the rows of a kind look like: the characters of questions and answers, and their lengths.

    `clean` removes what stands between cells. `matches` says whether the first lines of a file are of this
    kind, with True as second argument also on weak evidence; `rows` parses lines that are not a table, given
    the first of them. Without these two, a line is a board that fits the form. `cells` says in words what
    `question` and `clean` take.
    """

    kind: str
    question: str
    answer: str
    is_length: Callable[[int], bool]
    lengths: str
    clean: Callable[[str], str] = str.strip
    matches: Callable[[Sequence[str], bool], bool] | None = None
    rows: "Callable[[Iterator[str], Sequence[str], Complaints], Iterator[PuzzleRow]] | None" = None
    cells: str = ""


@dataclass
class Complaints:
    """Collects bad rows: DataError at once, or with `skip_bad` the text is kept under its line."""

    label: str
    skip_bad: bool = False
    unit: str = "row"  # what a complaint names: a row of a table, or a line of a drawing
    by_line: dict[int, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The complaints in the order of the file."""
        return [text for _, text in sorted(self.by_line.items())]

    def report(self, line: int, text: str) -> None:
        """Complain about the row in `line` of the file."""
        message = f"{self.label} {self.unit} {line}: {text}"
        if not self.skip_bad:
            raise DataError(message)
        self.by_line.setdefault(line, message)


@dataclass(frozen=True)
class Table:
    """The columns of a file with a header: the delimiter, and the index of each of COLUMNS."""

    delimiter: str
    places: dict[str, int]

    def question_of(self, line: str) -> str:
        """The question in a line that is a row by itself."""
        values = _fields(line, self.delimiter)
        return values[self.places["question"]] if len(values) > self.places["question"] else ""

    def rows(self, lines: Iterable[str], before: int, complaints: Complaints) -> Iterator[PuzzleRow]:
        """The rows below the header, which is the first of `lines`, with `before` lines before it.

        Comments and empty lines are skipped.
        """
        reader = csv.reader(lines, strict=True, delimiter=self.delimiter)
        try:
            next(reader)
            for values in reader:
                if values and not self._is_comment(values):
                    row = _row(values, self.places, before + reader.line_num, complaints)
                    if row is not None:
                        yield row
        except csv.Error as error:
            place = f"{complaints.label} row {before + reader.line_num}"
            raise DataError(f"{place}: not CSV: {shown(error)}") from error

    def _is_comment(self, values: list[str]) -> bool:
        return values[0].lstrip().startswith("#") and len(values) <= self.places["question"] + 1 > 1


def table_of(line: str) -> Table | None:
    """The table whose header a line is, if it names a column of questions; else None."""
    for delimiter in ",;\t|":
        known = _known_names(line, delimiter)
        if "question" in known:
            return Table(delimiter, {name: known.index(name) for name in COLUMNS if name in known})
    return None


def _known_names(header: str, delimiter: str) -> list[str]:
    names = [name.strip().lower() for name in _fields(header, delimiter)]
    known = [_NAMES.get(name, name) for name in names]
    if "question" in known:
        return known
    # One of several words: "Sudoku puzzle", "puzzle_string", "sudoku_solution".
    words = [[_NAMES.get(word, word) for word in re.split(r"[^a-z]+", name)] for name in names]
    roles = [next((role for role in ("answer", "question") if role in each), "") for each in words]
    return roles if {"answer", "question"} <= set(roles) else known


def _fields(line: str, delimiter: str) -> list[str]:
    """The fields of a single line, even if it is not CSV, which reading the file will report."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def check_header(line: str, need_answers: bool, place: str) -> None:
    """DataError if a header lacks a needed column, or has one twice."""
    table = table_of(line)
    known = _known_names(line, table.delimiter if table else ",")
    needed = ("question", "answer") if need_answers else ("question",)
    missing = [name for name in needed if name not in known]
    if missing:
        wanted = f"no column {' and '.join(missing)} in {quoted(line.strip())}"
        raise DataError(f"{place}: {wanted}; expected {','.join(COLUMNS)}")
    twice = [name for name in COLUMNS if known.count(name) > 1]
    if twice:
        raise DataError(f"{place}: the column {twice[0]} appears twice; keep one")


def cells_of(texts: Sequence[str], characters: str) -> npt.NDArray[np.uint8]:
    """(n, L) indices in `characters` of texts of equal length that hold nothing else."""
    table = np.zeros(256, np.uint8)
    table[np.frombuffer(characters.encode(), np.uint8)] = np.arange(len(characters))
    flat = np.frombuffer("".join(texts).encode("ascii"), np.uint8)
    return table[flat].reshape(len(texts), -1)


def texts_of(cells: npt.NDArray[np.uint8], characters: str) -> list[str]:
    """The inverse of `cells_of`."""
    table = np.frombuffer(characters.encode(), np.uint8)
    return [row.tobytes().decode("ascii") for row in table[cells]]


def csv_bytes(rows: Iterable[PuzzleRow]) -> Iterator[bytes]:
    """The CSV file of `rows`, in pieces."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, 1):
        rating = "" if row.rating == NO_RATING else row.rating
        writer.writerow((row.source, row.question, row.answer, rating))
        if number % CHUNK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _row(values: list[str], columns: dict[str, int], line: int, complaints: Complaints) -> PuzzleRow | None:
    num_wanted = 1 + max(columns.values())
    if len(values) < num_wanted:
        complaints.report(line, f"{count(len(values), 'column')} where {num_wanted} are expected")
        return None
    found = {name: values[index] for name, index in columns.items()}
    rating = found.get("rating", "").strip()
    match = _RATING.fullmatch(rating)
    if match is None and any(map(str.isdigit, rating)):  # words such as "nan" or "hard" are no rating
        complaints.report(line, f"rating {quoted(rating)}, expected a whole number or nothing")
        return None
    number = round(float(rating)) if match else NO_RATING
    return PuzzleRow(line, found.get("source", ""), found["question"], found.get("answer", ""), number)


def fault_of(row: PuzzleRow, form: PuzzleForm, length: int | None) -> str | None:
    """What is wrong with the form of a row; `length` is that of the questions before it."""
    found = len(row.question)
    if length is not None and found != length:
        return f"question has {count(found, 'character')}, expected {length} as in the rows before"
    if not form.is_length(found):
        remedy = "; one board a line" if found < min(map(len, (form.question, "0" * 16))) else ""
        return f"question has {count(found, 'character')}, expected {form.lengths}{remedy}"
    if row.answer and len(row.answer) != found:
        return f"answer has {count(len(row.answer), 'character')}, expected {found}"
    return _strange("question", row.question, form.question, form.cells) or _strange(
        "answer", row.answer, form.answer
    )


def _strange(name: str, text: str, allowed: str, wanted: str = "") -> str | None:
    """Where `text` first has a character that is not `allowed`, in words `wanted`."""
    outside = set(text) - set(allowed)
    if not outside:
        return None
    place, found = next((place, each) for place, each in enumerate(text, 1) if each in outside)
    return f"{name} holds {quoted(found)} at character {place}, expected only {wanted or quoted(allowed)}"
