"""Puzzles as text: CSV with `source,question,answer,rating`, or one question per line.

Only the form is judged here (columns, lengths, characters); what a board means is checked by its own module.
"""

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.storage.line_reader import read_lines
from arc_solver.storage.text import DataError, quoted, shown

COLUMNS = ("source", "question", "answer", "rating")
NO_RATING = -1
CHUNK = 4096
_MAX_RATING_DIGITS = 9


class PuzzleRow(NamedTuple):
    """One question as text; `answer` is "" where unknown, `rating` NO_RATING, `line` counts from 1."""

    line: int
    source: str
    question: str
    answer: str
    rating: int


class PuzzleForm(NamedTuple):
    """What the rows of a kind look like: characters of a question and of an answer, and the lengths."""

    kind: str
    question: str
    answer: str
    is_length: Callable[[int], bool]
    lengths: str


@dataclass
class Complaints:
    """What is done about a bad row: DataError at once, or with `skip_bad` its line is kept in `texts`."""

    label: str
    skip_bad: bool = False
    texts: list[str] = field(default_factory=list)

    def report(self, line: int, text: str) -> None:
        """Complain about the row in `line` of the file."""
        message = f"{self.label} row {line}: {text}"
        if not self.skip_bad:
            raise DataError(message)
        self.texts.append(message)


@dataclass
class PuzzleReader:
    """Reads rows of the first of `forms` that fits the file's first question; all rows have one length."""

    forms: tuple[PuzzleForm, ...]
    need_answers: bool = False

    def chunks(
        self, source: Path | str, complaints: Complaints
    ) -> Iterator[tuple[PuzzleForm, list[PuzzleRow]]]:
        """The rows of a file, or of standard input for "-", CHUNK at a time, bad ones left to `complaints`.

        Raises DataError for a file that cannot be read or lacks the columns.
        """
        parsed = self._parsed(read_lines(source), complaints)
        first = next(parsed, None)
        form = self.forms[0] if first is None else self._form_of(first)
        good = self._well_formed(itertools.chain(() if first is None else (first,), parsed), form, complaints)
        while rows := list(itertools.islice(good, CHUNK)):
            yield form, rows

    def _question(self, line: str) -> str:
        """A plain line without its end, and without outer spaces where they are no cells."""
        stripped = line.strip()
        spaceless = (set(form.question) for form in self.forms if " " not in form.question)
        return stripped if any(set(stripped) <= each for each in spaceless) else line.rstrip("\r\n")

    def _form_of(self, row: PuzzleRow) -> PuzzleForm:
        fitting = (form for form in self.forms if row.question and set(row.question) <= set(form.question))
        return next(fitting, self.forms[0])

    def _well_formed(
        self, rows: Iterable[PuzzleRow], form: PuzzleForm, complaints: Complaints
    ) -> Iterator[PuzzleRow]:
        length = None
        for row in rows:
            fault = _fault(row, form, length)
            if fault is None and self.need_answers and not row.answer:
                fault = "no answer, expected one"
            if fault is None:
                length = len(row.question)
                yield row
            else:
                complaints.report(row.line, fault)

    def _parsed(self, lines: Iterator[str], complaints: Complaints) -> Iterator[PuzzleRow]:
        """Rows as they stand in the file; its first line decides between CSV and plain lines."""
        first = next(lines, "")
        lines = itertools.chain((first,), lines)
        if "," not in first and first.strip() not in COLUMNS:
            for number, text in enumerate(lines, 1):
                if text.strip():
                    yield PuzzleRow(number, "", self._question(text), "", NO_RATING)
            return
        reader = csv.reader(lines, strict=True)
        try:
            columns = _columns(next(reader), self.need_answers, complaints.label)
            for values in reader:
                if values:
                    row = _row(values, columns, reader.line_num, complaints)
                    if row is not None:
                        yield row
        except csv.Error as error:
            raise DataError(f"{complaints.label} row {reader.line_num}: not CSV: {shown(error)}") from error


def cells_of(texts: Sequence[str], characters: str) -> npt.NDArray[np.uint8]:
    """(n, L) places in `characters` of equally long texts that hold nothing else."""
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


def _columns(header: list[str], need_answers: bool, label: str) -> dict[str, int]:
    """Where each known column stands; DataError where one that is needed is missing, or one stands twice."""
    names = [name.strip() for name in header]
    needed = ("question", "answer") if need_answers else ("question",)
    missing = [name for name in needed if name not in names]
    if missing:
        wanted = f"no column {' and '.join(missing)} in {quoted(','.join(names))}"
        raise DataError(f"{label} row 1: {wanted}; expected {','.join(COLUMNS)}")
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise DataError(f"{label} row 1: the column {twice[0]} appears twice; keep one")
    return {name: names.index(name) for name in COLUMNS if name in names}


def _row(values: list[str], columns: dict[str, int], line: int, complaints: Complaints) -> PuzzleRow | None:
    num_wanted = 1 + max(columns.values())
    if len(values) < num_wanted:
        complaints.report(line, f"{len(values)} columns, expected {num_wanted}")
        return None
    found = {name: values[index] for name, index in columns.items()}
    rating = found.get("rating", "").strip()
    if rating and not (rating.isascii() and rating.isdigit() and len(rating) <= _MAX_RATING_DIGITS):
        complaints.report(line, f"rating {quoted(rating)}, expected a whole number or nothing")
        return None
    number = int(rating) if rating else NO_RATING
    return PuzzleRow(line, found.get("source", ""), found["question"], found.get("answer", ""), number)


def _fault(row: PuzzleRow, form: PuzzleForm, length: int | None) -> str | None:
    """What is wrong with the form of a row; `length` is that of the rows before it."""
    found = len(row.question)
    if length is not None and found != length:
        return f"question has {found} characters, expected {length} as in the rows before"
    if not form.is_length(found):
        return f"question has {found} characters, expected {form.lengths}"
    if row.answer and len(row.answer) != found:
        return f"answer has {len(row.answer)} characters, expected {found}"
    return _strange("question", row.question, form.question) or _strange("answer", row.answer, form.answer)


def _strange(name: str, text: str, allowed: str) -> str | None:
    """Where `text` first leaves the `allowed` characters."""
    outside = set(text) - set(allowed)
    if not outside:
        return None
    place, found = next((place, each) for place, each in enumerate(text, 1) if each in outside)
    return f"{name} holds {quoted(found)} at character {place}, expected only {quoted(allowed)}"
