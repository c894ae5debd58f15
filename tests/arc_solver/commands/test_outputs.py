"""Where results go: names of files that fit their content, and standard output."""

import io
import re
import sys
from pathlib import Path

import pytest

from tests.arc_solver.terminal import Terminal, attempts, challenges, solutions, write

FOREIGN = {
    "generate sudoku --num 1 --out x.gif": ".csv or .txt",
    "generate maze --num 1 --out x.csv.gz": ".csv or .txt",
    "generate arc --num 1 --out x.csv": ".json",
    "predict tasks.json --out x.csv": ".json",
    "predict tasks.json --out -": ".json",
    "predict 1234341221434..1 --out x.json": ".csv or .txt",
    "predict tasks.json --candidates x.html": ".jsonl or .json",
    "merge a.jsonl --tasks tasks.json --out x.csv": ".json",
    "report submission.json --tasks tasks.json --out x.pdf": ".html or .htm",
    "report --run empty --out x.png": ".html or .htm",
    "watch tasks.json --out x.mp4": ".gif or .png",
    "show tasks.json --out x.gif": ".png",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tasks.json", challenges())
    write(tmp_path / "submission.json", attempts(solutions()))
    return tmp_path


@pytest.mark.parametrize("line", FOREIGN)
def test_an_ending_of_another_kind_is_refused(line: str, arc_solve: Terminal, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    outcome = arc_solve(*line.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert f"expected a name that ends in {FOREIGN[line]}" in " ".join(outcome.err.split())
    assert sorted(folder.rglob("*")) == before


def test_endings_in_capitals_and_names_without_one_are_taken(arc_solve: Terminal, folder: Path) -> None:
    for name in ("B.CSV", "boards"):
        made = arc_solve("generate", "sudoku", "--side", "4", "--num", "1", "--out", name)
        assert (made.code, made.out) == (0, f"{name}\n")
    assert arc_solve("show", "boards", "--out", "B.PNG").code == 0


@pytest.mark.parametrize("kind", ["sudoku", "maze", "arc"])
def test_what_is_generated_can_be_piped_on(
    kind: str, arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = ["generate", kind, "--num", "2", *(["--side", "6"] if kind != "arc" else [])]
    piped, asked = arc_solve(*make), arc_solve(*make, "--out", "-")
    assert (piped.code, asked.out) == (0, piped.out)
    assert sorted(path.name for path in folder.iterdir()) == ["submission.json", "tasks.json"]
    ending = ".json" if kind == "arc" else ".csv"
    assert arc_solve(*make, "--out", f"same{ending}").code == 0
    assert (folder / f"same{ending}").read_text() == piped.out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped.out.encode())))
    shown = arc_solve("show", "-", "--no-color")
    assert (shown.code, bool(shown.out)) == (0, True)
    refused = arc_solve(*make, "--json")
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sudoku --side 4 --num 1", "1 board of side 4, guesses of the solver: 0"),
        ("maze --side 7 --num 1", r"1 board of side 7, moves of the shortest path: \d+"),
        ("maze --side 7 --num 9", r"9 boards .*: \d+ to \d+"),
        ("maze --side 7 --num 3 --min-path 13 --max-path 13", "3 boards .*: 13"),
    ],
)
def test_one_and_equal_ends_are_worded_plainly(
    line: str, said: str, arc_solve: Terminal, folder: Path
) -> None:
    first = arc_solve("generate", *line.split()).err.splitlines()[0]
    assert re.fullmatch(said, first), first
