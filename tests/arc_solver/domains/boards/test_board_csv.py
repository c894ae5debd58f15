import gzip
import io
import random
from pathlib import Path

import numpy as np
import pytest

from arc_solver.domains.boards.board_file import read_boards
from arc_solver.domains.boards.board_lines import MAZE_CELLS, SUDOKU_CELLS
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.maze.rules import valid_mazes
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.domains.sudoku.rules import valid_boards
from arc_solver.domains.sudoku.solver import solve_boards
from arc_solver.storage import line_reader
from arc_solver.storage.text import DataError
from tests.boards import board_csv

HEADER = "source,question,answer,rating"
QUESTION = "..2...4...3..4..."[:16]
MANY = 5000


def sudokus(num: int = 6, side: int = 4) -> BoardSet:
    return generate_sudoku(num, side, np.random.default_rng(0))


def mazes(num: int = 6) -> BoardSet:
    return generate_mazes(num, 6, np.random.default_rng(0))


def csv_of(boards: BoardSet) -> bytes:
    return board_csv(boards, "made")


def same(one: BoardSet, two: BoardSet) -> bool:
    arrays = ((one.questions, two.questions), (one.answers, two.answers), (one.ratings, two.ratings))
    return one.kind == two.kind and all(np.array_equal(a, b) for a, b in arrays)


def put(folder: Path, data: bytes | str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def fault_of(path: Path, **options: bool) -> str:
    with pytest.raises(DataError) as caught:
        read_boards(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert caught.value.exit_code == 3
    assert text.startswith(str(path)), text
    return text.removeprefix(str(path))


@pytest.mark.parametrize("boards", [sudokus(), sudokus(side=6), sudokus(side=9), mazes()], ids=str)
def test_what_is_written_is_read_back(tmp_path: Path, boards: BoardSet) -> None:
    read, complaints = read_boards(put(tmp_path, csv_of(boards)), need_answers=True)
    assert same(read, boards)
    assert complaints == []
    zipped, _ = read_boards(put(tmp_path, gzip.compress(csv_of(boards)), "x.csv.gz"))
    assert same(zipped, boards)


def test_unknown_answers_and_ratings_stay_unknown(tmp_path: Path) -> None:
    boards = sudokus()
    blank = BoardSet("sudoku", boards.questions, np.zeros_like(boards.answers), np.full(6, -1, np.int64))
    text = csv_of(blank)
    assert text.splitlines()[1].endswith(b",,")
    read, _ = read_boards(put(tmp_path, text))
    assert same(read, blank)
    assert "row 2: no answer, expected one" in fault_of(tmp_path / "x.csv", need_answers=True)


def test_more_rows_than_a_chunk_keep_their_order(tmp_path: Path) -> None:
    boards = sudokus(MANY)
    read, _ = read_boards(put(tmp_path, csv_of(boards)))
    assert same(read, boards)


def test_plain_lines_blanks_as_dots_or_zeros_and_any_line_end(tmp_path: Path) -> None:
    boards = sudokus(2, side=9)
    dotted = csv_of(boards).decode().splitlines()
    first, second = (line.split(",")[1] for line in dotted[1:])
    path = put(tmp_path, f"\ufeff{first.replace('.', '0')}\r\n\r\n  {second}\t\n", "x.txt")
    read, _ = read_boards(path)
    assert (read.questions == boards.questions).all()
    assert not read.answers.any()


def test_plain_mazes_keep_the_spaces_at_their_ends(tmp_path: Path) -> None:
    read, _ = read_boards(put(tmp_path, " S   #### ####    G      \n" + " " * 23 + "SG\n"))
    assert (read.kind, read.side) == ("maze", 5)
    assert read.ratings.tolist() == [7, 1]


def test_standard_input_is_read_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (csv_of(sudokus()), gzip.compress(csv_of(sudokus()))):
        stdin = io.TextIOWrapper(io.BytesIO(data))
        monkeypatch.setattr("sys.stdin", stdin)
        read, _ = read_boards("-")
        assert same(read, sudokus())
        assert not stdin.buffer.closed
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"12\n")))
    with pytest.raises(DataError, match=r"^stdin row 1: question has 2 characters"):
        read_boards("-")


def test_columns_in_any_order_with_more_and_fewer(tmp_path: Path) -> None:
    boards = sudokus()
    rows = [line.split(",") for line in csv_of(boards).decode().splitlines()]
    turned = "\n".join(",".join([row[3], "?", row[1], row[2]]) for row in rows)
    read, _ = read_boards(put(tmp_path, turned))
    assert same(read, boards)
    alone = "\n".join(row[1] for row in rows)
    read, _ = read_boards(put(tmp_path, alone))
    assert (read.questions == boards.questions).all()


def test_kinds_can_be_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path, csv_of(mazes()))
    assert read_boards(path, (MAZE,))[0].kind == "maze"
    with pytest.raises(DataError, match=r"row 2: question holds .* expected only"):
        read_boards(path, (SUDOKU,))
    six = put(tmp_path, csv_of(sudokus(side=6)), "six.csv")  # 36 cells could be a maze of side 6
    assert read_boards(six)[0].kind == "sudoku"


def good_rows() -> list[str]:
    return csv_of(sudokus()).decode().splitlines()[1:]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("m,..2.,,", "question has 4 characters, expected 16 as in the rows before"),
        (f"m,{'.' * 81},,", "question has 81 characters, expected 16 as in the rows before"),
        ("m,1..1............"[:18] + ",,", "contradictory givens: 1 appears twice in row 1"),
        ("m,123....4........,,", "no solution"),
        ("m,................,,", "several solutions"),
        ("m,5...............,,", "contradictory givens: the digit 5 on a board of side 4"),
        ("m,1y..............,,", f'question holds "y" at character 2, expected only {SUDOKU_CELLS}'),
        (
            "m,1\u00e9..............,,",
            f'question holds "\u00e9" at character 2, expected only {SUDOKU_CELLS}',
        ),
        ("m,{question},123,", "answer has 3 characters, expected 16"),
        ("m,{question},................,", 'answer holds "." at character 1, expected only "123456789"'),
        ("m,{question},1111111111111111,", "the answer is not the solution of the question"),
        ("m,{question},{answer},-3", 'rating "-3", expected a whole number or nothing'),
        ("m,{question},{answer},1e5", 'rating "1e5", expected a whole number or nothing'),
        ("m", "1 column where 4 are expected"),
    ],
)
def test_a_bad_sudoku_row_is_refused_or_skipped(tmp_path: Path, row: str, text: str) -> None:
    rows = good_rows()
    source, question, answer, _ = rows[0].split(",")
    bad = row.format(question=question, answer=answer)
    assert source == "made"
    path = put(tmp_path, "\n".join([HEADER, *rows[:3], bad, *rows[3:]]))
    assert fault_of(path) == f" row 5: {text}"
    read, complaints = read_boards(path, skip_bad=True)
    assert same(read, sudokus())
    assert complaints == [f"{path} row 5: {text}"]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("m,S" + "#" * 34 + "G,,", "no path from S to G"),
        ("m,S" + " " * 35 + ",,", "1 start S and 0 goal G, expected one of each"),
        ("m,G" + " " * 35 + ",,", "0 start S and 1 goal G, expected one of each"),
        ("m,SG" + "o" * 34 + ",,", 'the question marks cells "o" of a path'),
        ("m,SG" + "x" * 34 + ",,", f'question holds "x" at character 3, expected only {MAZE_CELLS}'),
        ("m,SG" + " " * 33 + ",,", "question has 35 characters, expected 36 as in the rows before"),
        (
            "m,SG" + " " * 34 + ",SG" + "o" * 34 + ",",
            "the answer is not the question with one shortest path marked",
        ),
    ],
)
def test_a_bad_maze_row_is_refused_or_skipped(tmp_path: Path, row: str, text: str) -> None:
    rows = csv_of(mazes()).decode().splitlines()
    path = put(tmp_path, "\n".join([*rows[:3], row, *rows[3:]]))
    assert fault_of(path) == f" row 4: {text}"
    read, complaints = read_boards(path, skip_bad=True)
    assert same(read, mazes())
    assert complaints == [f"{path} row 4: {text}"]


def test_the_first_row_says_which_lengths_there_are(tmp_path: Path) -> None:
    assert fault_of(put(tmp_path, "1" * 80)) == " row 1: question has 80 characters, expected 16, 36 or 81"
    assert "expected the square of a side from 5 to 128" in fault_of(put(tmp_path, "SG" + " " * 5 + "#"))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ": no puzzle in the file"),
        (b"\n\n", ": no puzzle in the file"),
        (HEADER.encode(), ": no puzzle in the file"),
        (
            b"source,riddle,answer,rating\n",
            ' row 1: no column question in "source,riddle,answer,rating"; expected ',
        ),
        (b"question,question\n", " row 1: the column question appears twice; keep one"),
        (HEADER.encode() + b'\nm,"..2', " row 2: not CSV: unexpected end of data"),
        (HEADER.encode() + b'\nm,"..2"x,,', " row 2: not CSV: "),
        (HEADER.encode() + b"\nm,\xff\xfe,,\n", " row 2: not UTF-8; save it as UTF-8"),
        (b"." * 200_000, " row 1: longer than 131072 bytes"),
        (b"\x1f\x8b\x08\x00broken", ": damaged gzip file: "),
        (gzip.compress(b"." * 81, mtime=0)[:-9], ": damaged gzip file: "),
        (HEADER.encode() + b"\nm,12,,\nm,34,,\n", " row 2: question has 2 characters, expected 16, 36 or 81"),
        (b"\x00" * 16, ' row 1: question holds "\\u0000" at character 1, expected only '),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, data: bytes, text: str) -> None:
    assert fault_of(put(tmp_path, data)).startswith(text)


def test_missing_files_and_columns_are_named(tmp_path: Path) -> None:
    assert fault_of(tmp_path / "none.csv") == ": cannot be read: No such file or directory"
    assert fault_of(tmp_path) == ": cannot be read: Is a directory"
    path = put(tmp_path, "question,rating\n")
    assert " row 1: no column answer in" in fault_of(path, need_answers=True)


def test_a_file_with_only_bad_rows_is_refused_even_when_they_are_skipped(tmp_path: Path) -> None:
    path = put(tmp_path, f"{HEADER}\nm,12,,\nm,123....4........,,\n")
    assert fault_of(path, skip_bad=True).startswith(": all rows are bad; ")


def test_the_cap_on_size_counts_unzipped_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reader, "MAX_BYTES", 2**20)
    path = put(tmp_path, gzip.compress((HEADER + "\n" * 2**21).encode()))
    assert fault_of(path) == ": larger than 1 MB; split it"


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_refused_in_one_line_or_hold_proper_boards(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    whole = [csv_of(sudokus()), csv_of(mazes()), b"\n".join(r.split(",")[1].encode() for r in good_rows())]
    refused = 0
    for number in range(150):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            change = rng.randrange(4)
            if change == 0:
                data[place] = rng.randrange(256)
            elif change == 1:
                del data[place : place + rng.randint(1, 40)]
            elif change == 2:
                data[place:place] = rng.choice([b",", b'"', b"\n", b"\r", b"\x00", b"S", b"1", b"."])
            else:
                data[place] = rng.choice(b"0123456789.# SGo,")
            if not data:
                data = bytearray(b"\n")
        path = put(tmp_path, bytes(data))
        skip_bad = bool(rng.getrandbits(1))
        boards, complaints = None, []
        try:
            boards, complaints = read_boards(path, skip_bad=skip_bad)
        except DataError as error:
            refused += 1
            complaint = str(error)
        if boards is None:
            assert complaint.startswith(str(path)), f"seed {seed} file {number}"
            assert "\n" not in complaint, f"seed {seed} file {number}"
            continue
        assert skip_bad or not complaints, f"seed {seed} file {number}"
        assert proper(boards), f"seed {seed} file {number}"
    assert refused > 30


def proper(boards: BoardSet) -> bool:
    known = boards.answers.any(1)
    questions, answers = boards.questions[known], boards.answers[known]
    if boards.kind == "maze":
        return bool(valid_mazes(questions, answers).all() and (boards.ratings > 0).all())
    return bool(valid_boards(questions, answers).all() and (solve_boards(boards.questions).counts == 1).all())
