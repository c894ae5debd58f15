"""Boards for people: written on the command line, drawn with their answers, right and wrong told apart."""

import json
from pathlib import Path

import numpy as np
import pytest

from arc_solver.commands.board_answers import board_results, draw_boards
from arc_solver.domains.boards.board_file import board_domain
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.prediction.board_sheet import BoardSheet
from tests.arc_solver.terminal import Terminal

QUESTION, SOLVED = "1.3..4.22.4..3.1", "1234341221434321"
WRONG = "1234341221434311"  # two 1 in the last row, column and box


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet_of(path: Path, *answers: str | None) -> BoardSheet:
    """Boards that are all the same question, with these answers."""
    questions = board_domain("sudoku").kind.cells(4, [QUESTION] * len(answers))
    boards = BoardSet("sudoku", questions, np.zeros_like(questions), np.zeros(len(answers), np.int64))
    sheet = BoardSheet(path, SUDOKU, boards)
    for place, answer in enumerate(answers):
        if answer is not None:
            sheet.answered[place] = True
            sheet.cells[place] = board_domain("sudoku").kind.cells(4, [answer])[0]
    return sheet


def test_a_sudoku_on_the_command_line_is_solved_and_drawn(arc_solve: Terminal, folder: Path) -> None:
    done = arc_solve("predict", QUESTION, "--threads", "1", "--device", "cpu")
    assert done.code == 0, done.err
    assert "keeps the rules" in done.out
    assert "mean_ages" not in done.out
    digits = [line for line in done.out.splitlines() if line.startswith("|")]
    assert len(digits) == 4
    assert f"next: arc-solve watch {QUESTION}" in done.err
    assert list(folder.iterdir()) == []  # a typed board is printed, and overwrites no file


def test_answers_are_written_where_asked_and_what_is_replaced_is_said(
    arc_solve: Terminal, folder: Path
) -> None:
    plain = ("--threads", "1", "--device", "cpu")
    done = arc_solve("predict", QUESTION, *plain, "--out", "mine.csv")
    assert done.code == 0, done.err
    assert SOLVED in (folder / "mine.csv").read_text()
    assert "replaces" not in done.err
    (folder / "b.csv").write_text(f"source,question,answer,rating\nme,{QUESTION},,0\n")
    for again in (False, True):
        done = arc_solve("predict", "b.csv", *plain)
        assert done.code == 0, done.err
        assert SOLVED in (folder / "answers.csv").read_text()
        assert ("answers.csv: replaces an earlier file; --out FILE keeps both" in done.err) == again


def test_json_holds_the_answers(arc_solve: Terminal, folder: Path) -> None:
    done = arc_solve("predict", "--tasks", QUESTION, "--threads", "1", "--json", "--quiet")
    assert done.code == 0, done.err
    (result,) = done.json()["results"]
    assert result == {"question": QUESTION, "answer": SOLVED, "keeps_the_rules": True, "broken_rules": 0}


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["11.............."], 3, "1 appears twice in row 1"),
        (["1..............."], 3, "several solutions"),
        (["123456789123"], 3, "12 cells; a Sudoku has 16, 36 or 81"),
        (["00d62c1x"], 3, "00d62c1x"),
        ([], 2, "say what to"),
        ([QUESTION, "--tasks", QUESTION], 2, "once"),
        ([QUESTION, "--adapt-steps", "5"], 2, "--adapt-steps: a board has no demonstrations"),
        (["00d62c1c"], 3, "did you mean 00d62c1b?"),
    ],
)
def test_what_cannot_be_answered_is_one_line_and_writes_nothing(
    arguments: list[str], code: int, text: str, arc_solve: Terminal, folder: Path
) -> None:
    outcome = arc_solve("predict", *arguments)
    assert outcome.code == code
    assert text in " ".join(outcome.err.split())
    assert list(folder.iterdir()) == []


def test_a_wrong_answer_is_called_so_and_a_missing_one_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = sheet_of(tmp_path / "a.csv", SOLVED, WRONG, None)
    draw_boards(sheet)
    drawn = capsys.readouterr().out
    assert "keeps the rules" in drawn
    assert "breaks 3 rules (for example, 1 appears twice in row 4)" in drawn
    assert "no answer" in drawn
    facts = sheet.facts()
    assert (facts["keep_the_rules"], facts["break_the_rules"], facts["unanswered"]) == (1, 1, 1)
    text = sheet.text(facts)
    assert "1 answer keeps the rules" in text
    assert "the network was not sure" in text
    assert [r["broken_rules"] for r in board_results(sheet)] == [0, 3, 0]
    assert json.loads(json.dumps(board_results(sheet)))[2]["answer"] is None


def test_of_many_boards_only_the_broken_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_boards(sheet_of(tmp_path / "a.csv", *[SOLVED] * 5, WRONG))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("board 6 breaks 3 rules")
