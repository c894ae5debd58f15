"""Tasks, boards and answers are drawn by every name, right or wrong, wide or narrow, without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from arc_solver.corpus.synthetic.tasks import SyntheticName, synthetic_tasks
from arc_solver.tasks.reader import read_tasks
from tests.arc_solver.terminal import Terminal, attempts, challenges, solutions, write

QUESTION = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    rows = [ANSWER, ANSWER[:-1] + "7", "." + ANSWER[1:], ""]
    lines = [f"x,{QUESTION},{answer}," for answer in rows]
    (tmp_path / "boards.csv").write_text("\n".join(["source,question,answer,rating", *lines]) + "\n")
    return tmp_path


def test_boards_are_drawn_with_their_answers_right_or_wrong(arc_solve: Terminal, folder: Path) -> None:
    shown = arc_solve("show", "boards.csv", "--limit", "9")
    assert (shown.code, shown.err, "\x1b" in shown.out) == (0, "", False)
    parts = shown.out.split("\nSudoku ")[1:]
    assert [part.splitlines()[1] for part in parts] == [
        "keeps the rules",
        "breaks 4 rules (for example, the given 9 at row 9, column 9 is gone)",
        "breaks 1 rule: the given 5 at row 1, column 1 is gone",
        "no answer",
    ]
    assert "!" not in parts[0]
    assert parts[1].count("!") == 3
    few = arc_solve("show", "boards.csv")
    assert "3 of 4 boards; --limit N shows more" in few.err
    assert few.out.count("\nSudoku ") == 3
    one = arc_solve("show", "boards.csv", "--id", "2", "--color")
    assert one.out.count("Sudoku 2") == 1
    assert "\x1b[" in one.out
    assert arc_solve("show", "boards.csv", "--id", "5").code == 2


def test_answers_of_another_file_are_laid_beside_their_boards(arc_solve: Terminal, folder: Path) -> None:
    (folder / "mine.csv").write_text(f"question,answer\n{QUESTION},{ANSWER}\n")
    shown = arc_solve("show", "boards.csv", "--submission", "mine.csv", "--limit", "2")
    assert shown.out.count("keeps the rules; matches the solution in the file") == 1
    assert shown.out.count("keeps the rules; does not match the solution in the file") == 1
    (folder / "maze.csv").write_text("question\n" + "S" + " " * 23 + "G\n")
    assert arc_solve("show", "boards.csv", "--submission", "maze.csv").code == 3


def test_a_clash_of_givens_is_marked(arc_solve: Terminal, folder: Path) -> None:
    shown = arc_solve("show", "55" + QUESTION[2:])
    assert shown.code == 0
    assert "the givens clash: 5 appears twice in row 1" in shown.out
    assert "5!5!" in shown.out


def test_sets_and_ids_are_shown(arc_solve: Terminal, folder: Path) -> None:
    shown = arc_solve("show", "synthetic:5")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.count("train 1") == 5
    assert shown.out == arc_solve("show", "--tasks", "synthetic:5").out
    by_id = arc_solve("show", "00d62c1b")
    assert by_id.out == arc_solve("show", "arc1:training", "--id", "00d62c1b").out
    assert arc_solve("show", "arc1", "--limit", "1").err == ""


@pytest.mark.parametrize("columns", ["1", "13", "40", "80", "300"])
def test_any_width_and_any_size_are_drawn(
    columns: str, arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    line, cell = [[k % 10 for k in range(30)]], [[7]]
    column = [[k] for k in line[0]]
    square = line * 30
    tasks = {
        name: {"train": [{"input": a, "output": b}], "test": [{"input": a, "output": b}]}
        for name, a, b in (
            ("wide", line, square),
            ("small", cell, line),
            ("high", column, cell),
        )
    }
    write(folder / "sizes.json", tasks)
    write(folder / "s.json", {name: [{"attempt_1": square, "attempt_2": cell}] for name in tasks})
    for color in ("--color", "--no-color"):
        for more in ([], ["--submission", "s.json"]):
            shown = arc_solve("show", "sizes.json", color, *more)
            assert shown.code == 0, columns
            assert ("\x1b" in shown.out) == (color == "--color")


def test_a_line_is_as_wide_as_the_screen_where_a_grid_fits_it(
    arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "41")
    wide = [[1] * 30] * 2
    pair = {"input": [[1]], "output": [[2]]}
    write(folder / "t.json", {"a": {"train": [pair], "test": [pair]}})
    write(folder / "s.json", {"a": [{"attempt_1": wide, "attempt_2": wide}]})
    shown = arc_solve("show", "t.json", "--submission", "s.json", "--no-color")
    assert max(map(len, shown.out.splitlines())) <= 41


def test_a_task_as_picture(arc_solve: Terminal, folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    write(folder / "t_challenges.json", challenges())
    write(folder / "t_solutions.json", solutions())
    write(folder / "s.json", attempts(solutions()))
    drawn = arc_solve("show", "t_challenges.json", "--submission", "s.json", "--out", "t.png")
    assert (drawn.code, drawn.out) == (0, "t.png\n")
    with image.open(folder / "t.png") as picture:
        three = picture.size
    arc_solve("show", "t_challenges.json", "--limit", "1", "--out", "one.png")
    with image.open(folder / "one.png") as picture:
        assert picture.size[1] < three[1]
    assert arc_solve("show", "boards.csv", "--out", "b.png").code == 0
    assert arc_solve("show", "boards.csv", "--out", "b.jpg").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["show", "boards.csv", "--no-color"],
        ["show", "synthetic:2"],
        ["show", "00d62c1b", "--out", "x.png"],
        ["report", "s.json", "--tasks", "t.json"],
        ["generate", "arc", "--num", "2", "--out", "g.json"],
    ],
)
def test_nothing_that_only_draws_loads_torch(words: list[str], folder: Path, repository: Path) -> None:
    write(folder / "t.json", challenges())
    write(folder / "s.json", attempts(solutions()))
    code = f"""
import sys
sys.path.insert(0, {str(repository)!r})
from arc_solver.cli import main
sys.argv = ["arc-solve", *{words!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
assert "torch" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("color", ["--color", "--no-color"])
def test_an_output_that_holds_few_characters_is_written_to(
    encoding: str, color: str, folder: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    monkeypatch.setenv("PYTHONPATH", str(repository))
    tasks = challenges(1)
    write(folder / "t.json", {"größe 你好 📦": tasks["task-0"]})
    for source in ("t.json", "boards.csv"):
        done = subprocess.run(
            [sys.executable, "-m", "arc_solver.cli", "show", source, color], capture_output=True, check=False
        )
        assert (done.returncode, done.stderr.count(b"\n") <= 1) == (0, True), done.stderr
        assert done.stdout.decode(encoding)


def test_generated_tasks_are_those_of_their_name(arc_solve: Terminal, folder: Path) -> None:
    made = arc_solve("generate", "arc", "--num", "4", "--seed", "3", "--side", "8", "--out", "g.json")
    assert (made.code, made.out) == (0, "g.json\n")
    assert "synthetic:4:3:8" in made.err
    named = list(synthetic_tasks(SyntheticName(4, 3, 8)))
    assert read_tasks(folder / "g.json") == named
    again = arc_solve(
        "generate", "arc", "--num", "4", "--seed", "3", "--side", "8", "--out", "h.json", "--json"
    )
    assert (again.json()["num"], again.json()["name"]) == (4, "synthetic:4:3:8")
    assert (folder / "g.json").read_bytes() == (folder / "h.json").read_bytes()
    for wrong in (["--min-path", "3"], ["--min-givens", "3"], ["--exclude", "g.json"]):
        refused = arc_solve("generate", "arc", "--num", "1", "--out", "x.json", *wrong)
        assert (refused.code, "for boards" in refused.err) == (2, True)
    for side in ("5", "31"):
        assert arc_solve("generate", "arc", "--num", "1", "--out", "x.json", "--side", side).code == 2
    assert not (folder / "x.json").exists()
