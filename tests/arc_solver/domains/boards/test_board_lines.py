"""Sudokus and mazes as people have them, told by content."""

import gzip
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from arc_solver.domains.boards.board_file import read_boards
from arc_solver.domains.boards.board_lines import BLANKS, SUDOKU_CELLS
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.reading import complaints_line
from arc_solver.domains.domains import domain_of
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.protocols import Reading
from arc_solver.storage.text import DataError
from tests.boards import texts_from_cells

NINE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
ROWS = [NINE[start : start + 9] for start in range(0, 81, 9)]
MAZES = generate_mazes(3, 7, np.random.default_rng(0))
QUESTIONS = texts_from_cells("maze", MAZES.questions)
ANSWERS = texts_from_cells("maze", MAZES.answers)


def looks_like_boards(source: Path | str) -> bool:
    return isinstance(domain_of(str(source)), BoardDomain)


def barred(rule: str, rows: list[str] = ROWS) -> str:
    """Nine rows with bars, and a rule behind every third."""
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(" | ".join(" ".join(row[start : start + 3]) for start in (0, 3, 6)))
        lines += [rule] if number in (3, 6) else []
    return "\n".join(lines)


def drawn(maze: str) -> str:
    return "\n".join(maze[start : start + 7] for start in range(0, 49, 7))


def put(folder: Path, text: str, name: str = "boards") -> Path:
    path = folder / name
    path.write_text(text)
    return path


SUDOKUS = {
    "a line": NINE,
    "zeros": NINE.replace(".", "0"),
    "stars": NINE.replace(".", "*"),
    "underscores": NINE.replace(".", "_"),
    "dashes": NINE.replace(".", "-"),
    "spaces": " ".join(NINE),
    "commas": ",".join(NINE.replace(".", "0")),
    "a comment": f"# one of many\n{NINE}",
    "a comment behind": f"{NINE}  # easy",
    "question and answer": f"{NINE},{ANSWER}",
    "name, question, rating": f"0000183b305c {NINE.replace('.', '0')} 1.2",
    "rows": "\n".join(ROWS),
    "spaced rows": "\n".join(map(" ".join, ROWS)),
    "rows with commas": "\n".join(map(",".join, ROWS)),
    "rows with dashes": "\n".join(row.replace(".", "-") for row in ROWS),
    "bars": barred("------+-------+------"),
    "bars of dashes": barred("---------------------"),
    "nine dashes": barred("---------"),
    "nine dashes, zeros": barred("---------").replace(".", "0"),
    "double rule": barred("======+=======+======"),
    "dashes and rules": barred("------+-------+------", [row.replace(".", "-") for row in ROWS]),
    "bands": "\n\n".join("\n".join(ROWS[start : start + 3]) for start in (0, 3, 6)),
    "framed": "*-----------*\n"
    + "\n".join(f"|{row[:3]}|{row[3:6]}|{row[6:]}|" for row in ROWS)
    + "\n*-----------*",
    "sdk": "#A me\n#D hard\n[Puzzle]\n" + "\n".join(ROWS) + "\n[State]\n" + "\n".join(ROWS),
    "box drawing": "┌───────────┐\n"
    + "\n├───┼───┼───┤\n".join("\n".join(f"│ {row} │" for row in ROWS[at : at + 3]) for at in (0, 3, 6))
    + "\n└───────────┘",
    "names of words": f"Sudoku_Puzzle,Sudoku_Solution,n\n{NINE},{ANSWER},7",
    "no rating": f"question,answer,rating\n{NINE},{ANSWER},NaN",
    "quizzes": f"quizzes,solutions\n{NINE.replace('.', '0')},{ANSWER}",
    "capitals": f"Puzzle,Solution\n{NINE},{ANSWER}",
    "semicolons": f"puzzle;solution\n{NINE};{ANSWER}",
    "tabs": f"PUZZLE\tSOLUTION\n{NINE}\t{ANSWER}",
    "index": f",question,answer,rating\n0,{NINE},{ANSWER},3.0",
    "more columns": f"id,puzzle,solution,clues,difficulty\n1,{NINE},{ANSWER},30,2.2",
    "a comment before a header": f"# set\nquestion,answer\n{NINE},{ANSWER}",
    "rows in a cell": 'question,answer\n"' + "\n".join(ROWS) + f'",{ANSWER}',
    "a byte order mark": f"\ufeff{NINE}",
    "question marks": NINE.replace(".", "?"),
    "quoted free cells": f'question,answer\n"{NINE.replace(".", " ")}",{ANSWER}',
    "a rating in words": f"puzzle,solution,difficulty\n{NINE},{ANSWER},very hard",
    "carriage returns": f"question,answer\r{NINE},{ANSWER}\r",
}


@pytest.mark.parametrize("name", SUDOKUS)
def test_a_sudoku_is_told_by_its_content(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, SUDOKUS[name])
    assert looks_like_boards(path)
    boards, complaints = read_boards(path)
    assert (boards.kind, complaints) == ("sudoku", [])
    assert texts_from_cells("sudoku", boards.questions) == [NINE]
    if boards.answers.any():
        assert texts_from_cells("sudoku", boards.answers) == [ANSWER]
    for data in (SUDOKUS[name].encode(), gzip.compress(SUDOKUS[name].encode())):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert looks_like_boards("-")
        again, _ = read_boards("-")
        assert np.array_equal(again.questions, boards.questions)


LISTS = {
    "rows": "\n".join([*ROWS, *ROWS]),
    "rows apart": "\n".join([*ROWS, "", *ROWS]),
    "headings": "\n".join(["Grid 01", *ROWS, "Grid 02", *ROWS]),
    "lines": f"{NINE}\n\n# the same\n{NINE}\n",
    "headed lines": f"Puzzle 1\n{NINE}\nPuzzle 2\n{NINE}\n",
    "rows that begin with x": "\n".join(2 * ROWS).replace(".", "x"),
    "carriage returns": f"{NINE}\r{NINE}\r",
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_sudokus(tmp_path: Path, name: str) -> None:
    boards, _ = read_boards(put(tmp_path, LISTS[name]))
    assert texts_from_cells("sudoku", boards.questions) == [NINE, NINE]


MAZE_FILES = {
    "a line each": "\n".join(QUESTIONS),
    "a comment": "# three of them\n" + "\n".join(QUESTIONS),
    "drawn": "\n".join(map(drawn, QUESTIONS)),
    "drawn apart": "\n\n".join(map(drawn, QUESTIONS)),
    "headings": "\n\n".join(f"Maze {n}\n{drawn(maze)}" for n, maze in enumerate(QUESTIONS)),
    "headed lines": "\n".join(f"Maze {n}\n{maze}" for n, maze in enumerate(QUESTIONS)),
    "dots": "\n".join(map(drawn, QUESTIONS)).replace(" ", "."),
    "a table": "Maze;Solution\n" + "\n".join(map(";".join, zip(QUESTIONS, ANSWERS, strict=True))),
    "usual names": ",input,output\n"
    + "\n".join(f"7,{q},{a}" for q, a in zip(QUESTIONS, ANSWERS, strict=True)),
    "no header": "\n".join(map(",".join, zip(QUESTIONS, ANSWERS, strict=True))),
    "rows in a cell": "question\n" + "\n".join(f'"{drawn(maze)}"' for maze in QUESTIONS),
}


@pytest.mark.parametrize("name", MAZE_FILES)
def test_a_maze_is_told_by_its_content(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, MAZE_FILES[name])
    assert looks_like_boards(path)
    boards, complaints = read_boards(path)
    assert (boards.kind, complaints) == ("maze", [])
    assert np.array_equal(boards.questions, MAZES.questions)


def test_spaces_at_the_end_of_rows_may_be_lost(tmp_path: Path) -> None:
    text = "\n".join(line.rstrip() for line in drawn(QUESTIONS[0]).splitlines())
    boards, _ = read_boards(put(tmp_path, text))
    assert np.array_equal(boards.questions, MAZES.questions[:1])


@pytest.mark.parametrize(
    "text",
    [
        QUESTIONS[0].replace("#", "X"),
        drawn(QUESTIONS[0]).replace("#", "@"),
        drawn(QUESTIONS[0]).replace("#", "1").replace(" ", "0"),
        f"maze\n{QUESTIONS[0].replace('G', 'E')}",
        QUESTIONS[0][:-3],
        drawn(QUESTIONS[0])[:-20],
        QUESTIONS[0].replace("G", " "),
        QUESTIONS[0].replace("S", " ").replace("G", " "),
    ],
)
def test_a_maze_is_never_told_of_digits(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text, "maze.txt")
    for read in (read_boards, lambda path: domain_of(str(path)).read(str(path), Reading(), print)):
        with pytest.raises(DataError) as caught:
            read(path)
        assert "81" not in str(caught.value)
        assert "123" not in str(caught.value)


def test_a_row_of_a_maze_with_a_strange_letter_is_no_comment(tmp_path: Path) -> None:
    text = drawn(QUESTIONS[0]).replace("G", "E")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "E" in row)
    column = 1 + text.splitlines()[line - 1].index("E")
    with pytest.raises(DataError, match=f'line {line}: column {column} holds "E", expected # for walls'):
        read_boards(put(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(ROWS),
        "# mine\n" + barred("---+---+---"),
        "\n\n" + " ".join(ROWS[0]) + "\n" + "\n".join(ROWS[1:]),
    ],
)
def test_a_letter_in_a_drawn_sudoku_is_named_by_line_and_column(tmp_path: Path, text: str) -> None:
    lines = text.splitlines()
    at = next(number for number in range(len(lines) - 1, 0, -1) if set(lines[number]) & set(BLANKS[:2]))
    column = max(map(lines[at].rfind, BLANKS[:2]))
    lines[at] = lines[at][:column] + "a" + lines[at][column + 1 :]
    with pytest.raises(DataError) as caught:
        read_boards(put(tmp_path, "\n".join(lines)))
    assert f'line {at + 1}: column {column + 1} holds "a", expected {SUDOKU_CELLS}' in str(caught.value)


def test_the_blanks_of_the_docs_are_those_that_are_read() -> None:
    for page in ("watch", "prediction"):
        text = (Path(__file__).parents[4] / "docs" / f"{page}.md").read_text()
        (words,) = re.findall(r"[Bb]lanks (?:of a Sudoku are|as) ([^;.]*`\.`[^;]*?`x`)", text)
        assert set(re.findall("`(.)`", words)) == set(BLANKS.lower())
    assert set(SUDOKU_CELLS.partition("and ")[2]) >= set(BLANKS.lower())


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[[0, 1], [2, 3]]", "", "some words", "null"])
def test_what_is_no_board(tmp_path: Path, text: str) -> None:
    assert not looks_like_boards(put(tmp_path, text))
    assert looks_like_boards(put(tmp_path, text, "x.csv")) == (text[:1] not in ("{", "["))
    assert not looks_like_boards(tmp_path)
    assert not looks_like_boards(tmp_path / "none")


def test_reasons_are_counted(tmp_path: Path) -> None:
    several = "1..............."
    path = put(tmp_path, f"# list\n{several}\n{several}\n{several}\n")
    with pytest.raises(DataError, match=r": all rows are bad; 3 with several solutions; the first: row 2: "):
        read_boards(path, skip_bad=True)
    good = ".2343.1.21.3.321"
    put(tmp_path, f"{good}\n{several}\n{good[:-1]}\n{several}\n11{good[2:]}\n123....4........\n")
    boards, complaints = read_boards(path, skip_bad=True)
    assert len(boards) == 1
    assert complaints_line(path, complaints) == (
        f"{path}: 5 bad boards left out: 2 with several solutions, 1 with a wrong length, "
        "1 with contradictory givens, 1 with no solution; the first: row 2: several solutions"
    )


def test_part_of_a_drawn_board_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"line 1: a board of 7 rows, expected 9 of 9 cells; or one board a line"
    ):
        read_boards(put(tmp_path, "\n".join(ROWS[:7])))
    boards, complaints = read_boards(
        put(tmp_path, "\n".join([*ROWS, "Grid 2", *ROWS[:7], "Grid 3", *ROWS])), skip_bad=True
    )
    assert (len(boards), len(complaints)) == (2, 1)


def test_answers_of_our_own_are_no_truth(tmp_path: Path) -> None:
    """`predict` must not score itself by the answers that it wrote, whether they are right or wrong."""
    for answer in (ANSWER, ANSWER[::-1]):
        heard: list[str] = []
        path = put(tmp_path, f"source,question,answer,rating\narc-solver,{NINE},{answer},\n")
        boards, _ = read_boards(path, notice=heard.append)
        assert not boards.answers.any()
        assert heard == [f"{path}: 1 answer by arc-solver itself, no truth to score by"]
    with pytest.raises(DataError, match="the answer is not the solution"):
        read_boards(path, need_answers=True)
