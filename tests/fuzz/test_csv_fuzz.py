"""Damaged files of Sudoku puzzles against a slow check written from the docs alone.

ARC_SOLVER_FUZZ_COUNT sets how many are tried, up to 10,000; ARC_SOLVER_FUZZ_SEED the first seed.
"""

import csv
import gzip
import os
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from arc_solver.domains.boards.board_file import read_boards
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.storage.text import DataError
from tests.boards import texts_from_cells
from tests.fuzz.damage import damage_text, hangs_are_seen, outcome
from tests.tally import count, record

COUNT = min(count("FUZZ", 200), 10_000)
SEED = int(os.environ.get("ARC_SOLVER_FUZZ_SEED", "1"))
BOXES = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
COLUMNS = ["source", "question", "answer", "rating"]
SOLVED = "1234341221434321"
Row = tuple[str, str, int]


class RefusedError(Exception):
    pass


def demand(condition: object) -> None:
    if not condition:
        raise RefusedError


def solutions(board: list[int], side: int) -> Iterator[str]:
    """Every way to fill a board, by trying."""
    if 0 not in board:
        yield "".join(map(str, board))
        return
    place = board.index(0)
    height, width = BOXES[side]
    taken = {board[other] for other in range(side * side) if sees(place, other, side, height, width)}
    for digit in range(1, side + 1):
        if digit not in taken:
            yield from solutions([*board[:place], digit, *board[place + 1 :]], side)


def sees(place: int, other: int, side: int, height: int, width: int) -> bool:
    (row, column), (r, c) = divmod(place, side), divmod(other, side)
    return row == r or column == c or (row // height, column // width) == (r // height, c // width)


def judge_board(question: str, answer: str) -> None:
    side = {16: 4, 36: 6, 81: 9}[len(question)]
    board = [0 if each in "0." else int(each) for each in question]
    demand(max(board) <= side)
    height, width = BOXES[side]
    for place, digit in enumerate(board):
        for other in range(place):
            demand(not digit or digit != board[other] or not sees(place, other, side, height, width))
    found = solutions(board, side)
    first = next(found, None)
    demand(first and next(found, None) is None)
    demand(answer in ("", first))


def judged(data: bytes) -> list[Row]:
    """The question (blanks as dots), answer and rating of every row, or RefusedError."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise RefusedError from error
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise RefusedError from error
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    demand(lines)
    demand(max(map(len, lines)) < 1 << 17)
    if "," in lines[0] or lines[0].strip() in COLUMNS:
        rows = list(judged_rows(lines))
    else:
        rows = [(line.strip(), "", -1) for line in lines if line.strip()]
    demand(rows)
    found = []
    for question, answer, rating in rows:
        demand(len(question) == len(rows[0][0]) in (16, 36, 81) and set(question) <= set(".0123456789"))
        demand(not answer or (len(answer) == len(question) and set(answer) <= set("123456789")))
        judge_board(question, answer)
        found.append((question.replace("0", "."), answer, rating))
    return found


def judged_rows(lines: list[str]) -> Iterator[Row]:
    try:
        table = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise RefusedError from error
    header = [name.strip() for name in table[0]]
    demand("question" in header and all(header.count(name) < 2 for name in COLUMNS))
    places = {name: header.index(name) for name in COLUMNS if name in header}
    for values in table[1:]:
        if values:
            demand(len(values) > max(places.values()))
            cells = {name: values[place] for name, place in places.items()}
            rating = cells.get("rating", "").strip()
            demand(rating == "" or re.fullmatch("[0-9]{1,9}", rating))
            yield cells["question"], cells.get("answer", ""), int(rating) if rating else -1


def puzzle(rng: random.Random) -> Row:
    """A board of 16 cells, its answer with or without, mostly with a single solution."""
    digits = dict(zip("1234", rng.sample("1234", 4), strict=True))
    answer = "".join(digits[each] for each in SOLVED)
    blanks = set(rng.sample(range(16), rng.randint(1, 6)))
    question = "".join(rng.choice(".0") if place in blanks else each for place, each in enumerate(answer))
    return question, answer if rng.random() < 0.7 else "", rng.choice([-1, 0, 7, 999_999_999])


def file_of(rng: random.Random) -> bytes:
    rows = [puzzle(rng) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        lines = [question for question, _, _ in rows]
    else:
        columns = rng.choice([COLUMNS, COLUMNS[1:3], COLUMNS[::-1], [*COLUMNS, "note"]])
        tables = [
            {"source": rng.choice(["s", '"a,b"', ""]), "question": question, "answer": answer, "note": "n"}
            | {"rating": str(rating) if rating >= 0 else ""}
            for question, answer, rating in rows
        ]
        lines = [",".join(columns), *(",".join(row[name] for name in columns) for row in tables)]
    data = rng.choice(["\n", "\r\n"]).join(lines).encode()
    data = rng.choice([b"", b"", b"", b"\xef\xbb\xbf"]) + data + rng.choice([b"", b"\n"])
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        data = damage_text(rng, data)
    return gzip.compress(data, mtime=0) if rng.random() < 0.05 else data


def read(path: Path) -> list[Row]:
    boards, _ = read_boards(path, (SUDOKU,))
    questions, answers = (texts_from_cells("sudoku", cells) for cells in (boards.questions, boards.answers))
    return [
        (question, answer if set(answer) != {"."} else "", rating)
        for question, answer, rating in zip(questions, answers, boards.ratings.tolist(), strict=True)
    ]


def test_damaged_puzzles(tmp_path: Path) -> None:
    path = tmp_path / "puzzles.csv"
    num_accepted = 0
    for seed in range(SEED, SEED + COUNT):
        data = file_of(random.Random(seed))
        path.write_bytes(data)
        try:
            wanted = judged(data)
        except RefusedError:
            wanted = None
        with hangs_are_seen():
            found, line = outcome(lambda: read(path), DataError)
        where = f"ARC_SOLVER_FUZZ_SEED={seed}"
        assert found == wanted, f"{where}: {line or 'accepted'}: {data[:2000]!r}"
        assert line.isprintable(), where
        assert not line or line.startswith(str(path)), f"{where}: {line}"
        num_accepted += wanted is not None
    record(12, "damaged puzzles", COUNT, COUNT)
    assert 0.1 < num_accepted / COUNT < 0.9, f"{num_accepted} of {COUNT} accepted"
