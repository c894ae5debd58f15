"""Boards as people write them without a table: one per line, or drawn over several lines, with comments.

Kinds are told apart by content: a Sudoku has digits and blanks, a maze has walls, start and goal.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from arc_solver.domains.boards.board_csv import NO_RATING, Complaints, PuzzleRow, Table, table_of
from arc_solver.storage.text import count, quoted
from augment.maze import CHARACTERS
from augment.sudoku import BOX_SHAPES

_SIDES = tuple(BOX_SHAPES)
_LENGTHS = tuple(side * side for side in _SIDES)
# How people write blanks of a Sudoku, and what may stand in a cell, in words.
BLANKS = ".0*_-?xX"
SUDOKU_CELLS = f"digits, and {' '.join(BLANKS[:-2])} or x for blanks"
MAZE_CELLS = "# for walls, S, G, o for a path, and spaces or dots"
_DIGITS_AND_BLANKS = set("123456789" + BLANKS)
_SPACED = set("123456789 ")
_FRAME = "".join(map(chr, range(0x2500, 0x2580)))  # box drawing
_RULES = set("-=+*|.:'`~ \t" + _FRAME)  # lines between the rows of a drawn board
_ABOVE_ONE = set("23456789")
_CELL_LETTERS = set("SGosgxX")
_SECTION = re.compile(r"\[(\w+)\]")
_FIELDS = re.compile(r"[,;\t ]+")
_COLUMNS = re.compile(r"[,;\t]")
_NOTHING = str.maketrans("", "", " |!,;\t\r\n\"'" + _FRAME)
_AS_DOTS = str.maketrans(dict.fromkeys(BLANKS, "."))
_IN_A_ROW = _DIGITS_AND_BLANKS | set(map(chr, _NOTHING))
_WORD = re.compile(r"[^\W\d_]{2}")


def sudoku_cells(text: str) -> str:
    """A Sudoku without what stands between its cells, its blanks as dots; any other text as it is."""
    whole = text.strip("\r\n")
    cells = whole.replace(" ", ".") if len(whole) in _LENGTHS and set(whole) <= _SPACED else whole
    cells = cells.translate(_NOTHING)
    return cells.translate(_AS_DOTS) if set(cells) <= _DIGITS_AND_BLANKS else whole


def maze_cells(text: str) -> str:
    """A maze without line ends, its free cells as spaces even if they were dots."""
    cells = text.replace("\r", "").replace("\n", "")
    return cells.replace(".", " ") if set(cells) <= set(CHARACTERS + ".") else cells


def is_comment(line: str) -> bool:
    """Whether a line begins with "#" and cannot be a row of a maze, even with strange letters, or a list."""
    text = line.strip()
    strange = set(text) - set(CHARACTERS + 'sg.,;\t"')
    is_row = len(text) >= _SIDES[0] and any(map(str.isalpha, strange)) and not _WORD.search(text)
    return text.startswith("#") and bool(strange) and not is_row


def kind_of_lines(lines: Iterable[str], *, guess: bool = False) -> str | None:
    """ "sudoku" or "maze", by the first line (or question of a table) that clearly is one; else None.

    With `guess`, lines with a start, a goal and no digit above 1 count as a maze, whatever its walls are.
    """
    walls, may_be_sudoku, letters = False, False, set[str]()
    table: Table | Literal[False] | None = None
    for line in lines:
        if not table and (not line.strip() or is_comment(line)):
            continue
        if table is None:
            table = table_of(line) or False
            if table:
                continue
        whole = table.question_of(line) if table else line.strip("\r\n")
        letters |= set(whole)
        if any(map(_is_of_maze, _COLUMNS.split(whole))):
            walls |= "#" in whole
            if "S" in whole or "G" in whole:
                return "maze"
        elif "##" in whole:
            walls = True
        elif any(map(_may_be_sudoku, [whole] if table else [whole, *_FIELDS.split(whole.strip())])):
            may_be_sudoku = True
            if letters & _ABOVE_ONE:
                return "sudoku"
    if walls or (guess and {"S", "G"} <= letters and not letters & _ABOVE_ONE):
        return "maze"
    return "sudoku" if guess and may_be_sudoku else None


def sudoku_rows(lines: Iterable[str], head: Sequence[str], complaints: Complaints) -> Iterator[PuzzleRow]:
    """The Sudokus in plain lines: drawn, if the lines of `head` are as short as rows of a board."""
    rows = [line for line in head if not (_is_beside(line) or _is_rule(line))]
    boards = (sudoku_cells(_uncommented(line)) for line in rows if line.strip())
    side = next((len(cells) for cells in boards if set(cells) <= _DIGITS_AND_BLANKS), 0)
    if side in _SIDES:
        return _drawn_sudokus(lines, side, "-" in head_blanks(rows), complaints)
    return _sudokus_a_line(lines)


def head_blanks(rows: Iterable[str]) -> set[str]:
    """The characters for blanks in rows with a digit."""
    return set().union(*(set(row) & set(".0*_-") for row in rows if any(map(str.isdigit, row))))


def maze_rows(lines: Iterable[str], head: Sequence[str], complaints: Complaints) -> Iterator[PuzzleRow]:
    """The mazes in plain lines: one per line if the first has start and goal, else drawn ones."""
    rows = [line.rstrip("\r\n") for line in head if line.strip() and not _is_beside(line)]
    first = maze_cells(_COLUMNS.split(rows[0])[0]) if rows else ""
    if len(rows) == 1 or ("S" in first and "G" in first and math.isqrt(len(first)) ** 2 == len(first)):
        return _mazes_a_line(lines)
    # Editors strip spaces at the end of a row, and people leave some there.
    sides = [max(map(len, rows), default=0), max((len(row.rstrip()) for row in rows), default=0)]
    side = next((side for side in sides if side and len(rows) % side == 0), sides[0])
    return _drawn_mazes(lines, side, complaints)


def _sudokus_a_line(lines: Iterable[str]) -> Iterator[PuzzleRow]:
    for number, line in enumerate(lines, 1):
        text = _uncommented(line)
        is_short_heading = _is_heading(line) and len(text) <= _LENGTHS[0]
        if not text.strip() or is_comment(line) or is_short_heading:
            continue
        question, answer = sudoku_cells(text), ""
        if len(question) not in _LENGTHS or not set(question) <= _DIGITS_AND_BLANKS:
            boards = [each for each in map(sudoku_cells, _FIELDS.split(text)) if _is_board(each)]
            if boards:
                question, *more = boards
                answer = more[0] if more and "." not in more[0] else ""
        yield PuzzleRow(number, "", question, answer, NO_RATING)


def _drawn_sudokus(
    lines: Iterable[str], side: int, dashes: bool, complaints: Complaints
) -> Iterator[PuzzleRow]:
    rows: list[str] = []
    first, number, passing = 0, 0, False
    complaints.unit = "line"
    for number, line in enumerate(lines, 1):
        if _is_heading(line):
            section = _SECTION.fullmatch(line.strip())
            passing = section is not None and section[1].lower() != "puzzle"
            _complain_of_part(rows, side, first, complaints)
        elif (
            line.strip()
            and not passing
            and not is_comment(line)
            and not _is_rule(line, side if dashes else 0)
        ):
            row = sudoku_cells(_uncommented(line))
            if len(row) != side or not set(row) <= _DIGITS_AND_BLANKS:
                length = f"a row of {count(len(row), 'cell')}, expected {side}; or one board a line"
                strange = _strange(_uncommented(line), _IN_A_ROW, SUDOKU_CELLS)
                complaints.report(number, strange or length)
                rows.clear()
                continue
            first = first if rows else number
            rows.append(row)
            if len(rows) == side:
                yield PuzzleRow(first, "", "".join(rows), "", NO_RATING)
                rows.clear()
    _complain_of_part(rows, side, first, complaints)


def _mazes_a_line(lines: Iterable[str]) -> Iterator[PuzzleRow]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not _is_beside(line):
            question, *more = _COLUMNS.split(line.rstrip("\r\n"))
            yield PuzzleRow(number, "", question, more[0] if more else "", NO_RATING)


def _drawn_mazes(lines: Iterable[str], side: int, complaints: Complaints) -> Iterator[PuzzleRow]:
    """Mazes drawn row by row; a blank line within a board is a row of free cells."""
    rows: list[str] = []
    first = 0
    complaints.unit = "line"
    for number, line in enumerate(lines, 1):
        row = line.rstrip("\r\n")
        if _is_beside(line) or not (rows or row.strip()):
            continue
        if strange := _strange(row, set(CHARACTERS + "."), MAZE_CELLS):
            complaints.report(number, strange)
        first = first if rows else number
        rows.append((row if len(row) <= side else row.rstrip()).ljust(side))
        if len(rows) == side:
            yield PuzzleRow(first, "", "".join(rows), "", NO_RATING)
            rows.clear()
    _complain_of_part(rows, side, first, complaints)


def _strange(line: str, allowed: set[str], wanted: str) -> str | None:
    """Where a line of a drawn board first has a character that is not allowed."""
    found = next(((place, each) for place, each in enumerate(line, 1) if each not in allowed), None)
    return found and f"column {found[0]} holds {quoted(found[1])}, expected {wanted}"


def _complain_of_part(rows: list[str], side: int, first: int, complaints: Complaints) -> None:
    if rows:
        num = len(rows)
        rows.clear()
        complaints.report(
            first, f"a board of {count(num, 'row')}, expected {side} of {side} cells; or one board a line"
        )


def _is_of_maze(text: str) -> bool:
    return (
        len(text) > _SIDES[0]
        and bool(text.strip())
        and set(text) <= set(CHARACTERS + ".")
        and text.strip(".") != ""
    )


def _may_be_sudoku(text: str) -> bool:
    cells = text.translate(_NOTHING)
    return len(cells) >= _SIDES[0] and set(cells) <= _DIGITS_AND_BLANKS and not _is_rule(text)


def _uncommented(line: str) -> str:
    return line.split("#")[0]


def _is_board(cells: str) -> bool:
    return len(cells) in _LENGTHS and set(cells) <= set(".123456789")


def _is_beside(line: str) -> bool:
    return is_comment(line) or _is_heading(line)


def _is_heading(line: str) -> bool:
    text = line.strip()
    is_words = text[:1].isalpha() and len(set(filter(str.isalpha, text)) - _CELL_LETTERS) > 1
    return is_words or _SECTION.fullmatch(text) is not None


def _is_rule(line: str, side_of_dashes: int = 0) -> bool:
    """Whether this line only separates rows of a drawn board; a row of `side_of_dashes` dashes does not."""
    text = line.strip()
    if not text or not set(text) <= _RULES:
        return False
    if not any(line in text for line in ("--", "==", "-+-", "──", "━━", "══")):
        return False
    cells = text.translate(_NOTHING)
    return not (set(cells) == {"-"} and len(cells) == side_of_dashes)
