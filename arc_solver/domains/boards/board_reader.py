"""Puzzles as rows out of a file, whose kind and layout are recognized by its first lines."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from arc_solver.domains.boards.board_csv import (
    CHUNK,
    NO_RATING,
    Complaints,
    PuzzleForm,
    PuzzleRow,
    check_header,
    fault_of,
    table_of,
)
from arc_solver.domains.boards.board_lines import is_comment, kind_of_lines
from arc_solver.storage.line_reader import read_lines
from arc_solver.storage.source import read_head
from arc_solver.storage.text import count

HEAD_LINES = 200
# The `source` of answers that `predict` writes.
OWN_SOURCE = "arc-solver"


def matches(form: PuzzleForm, lines: Sequence[str], *, guess: bool = False) -> bool:
    """Whether the first lines of a file are of this form."""
    if form.matches is not None:
        return form.matches(lines, guess)
    shown = [line for line in lines if line.strip() and not is_comment(line)]
    table = table_of(shown[0]) if shown else None
    questions = [table.question_of(line) for line in shown[1:]] if table else shown
    return any(_fits(form, form.clean(question)) for question in questions)


def looks_like(form: PuzzleForm, source: Path | str, *, guess: bool = False) -> bool:
    """Whether the first lines of a source, "-" for standard input, are of this form.

    With `guess`, whether they are more likely of this form than anything else.
    """
    text = read_head(source).decode("utf-8", "replace").removeprefix("\ufeff")
    return matches(form, text.splitlines()[:HEAD_LINES], guess=guess)


@dataclass
class PuzzleReader:
    """Reads rows of the first of `forms` that matches the file; all questions have one length.

    Answers that `predict` wrote are not the truth: they are dropped, with a `notice`, unless answers are
    needed or `keep_own`.
    """

    forms: tuple[PuzzleForm, ...]
    need_answers: bool = False
    notice: Callable[[str], None] = lambda _: None
    keep_own: bool = False
    num_own: int = 0

    def chunks(
        self, source: Path | str, complaints: Complaints
    ) -> Iterator[tuple[PuzzleForm, list[PuzzleRow]]]:
        """The rows of a file, or of standard input for "-", CHUNK at a time, bad ones left to `complaints`.

        DataError for a file that cannot be read or lacks the columns.
        """
        lines = read_lines(source)
        head = list(itertools.islice(lines, HEAD_LINES))
        form = next((form for form in self.forms if matches(form, head, guess=True)), self.forms[0])
        rows = self._parsed(itertools.chain(head, lines), head, form, complaints)
        good = self._well_formed(rows, form, complaints)
        while chunk := list(itertools.islice(good, CHUNK)):
            yield form, chunk
        if self.num_own:
            own = count(self.num_own, "answer")
            self.notice(f"{complaints.label}: {own} by arc-solver itself, no truth to score by")

    def _well_formed(
        self, rows: Iterable[PuzzleRow], form: PuzzleForm, complaints: Complaints
    ) -> Iterator[PuzzleRow]:
        length = None
        for row in rows:
            is_own = (
                row.source == OWN_SOURCE and bool(row.answer) and not (self.need_answers or self.keep_own)
            )
            self.num_own += is_own
            answer = "" if is_own else form.clean(row.answer)
            row = row._replace(question=form.clean(row.question), answer=answer)
            fault = fault_of(row, form, length)
            if fault is None and self.need_answers and not row.answer:
                fault = "no answer, expected one"
            if fault is None:
                length = len(row.question)
                yield row
            else:
                complaints.report(row.line, fault)

    def _parsed(
        self, lines: Iterator[str], head: list[str], form: PuzzleForm, complaints: Complaints
    ) -> Iterator[PuzzleRow]:
        """The rows of the file, unchecked: below a header, or of one or several lines each."""
        place = next((n for n, line in enumerate(head) if line.strip() and not is_comment(line)), None)
        if place is None:
            return iter(())
        table = table_of(head[place])
        if table is None and not _is_header(head[place]):
            return (form.rows or _rows_a_line)(lines, head, complaints)
        check_header(head[place], self.need_answers, f"{complaints.label} row {place + 1}")
        assert table is not None
        return table.rows(itertools.islice(lines, place, None), place, complaints)


def _rows_a_line(lines: Iterable[str], head: Sequence[str], complaints: Complaints) -> Iterator[PuzzleRow]:
    """A board in every line that is neither empty nor a comment."""
    del head, complaints
    for number, line in enumerate(lines, 1):
        if line.strip() and not is_comment(line):
            yield PuzzleRow(number, "", line.rstrip("\r\n"), "", NO_RATING)


def _fits(form: PuzzleForm, question: str) -> bool:
    return bool(question) and set(question) <= set(form.question) and form.is_length(len(question))


def _is_header(line: str) -> bool:
    """Whether a line with commas names columns, known or not, and is no board."""
    return "," in line and kind_of_lines([line]) is None and any(map(str.isalpha, line))
