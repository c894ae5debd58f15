"""What users bring to the commands: files of other projects, folders in folders, boards of any look."""

import gzip
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from arc_solver.corpus.corpus import read_corpus
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.evaluate import read_evaluator
from arc_solver.presets import find_preset
from arc_solver.storage.text import DataError
from tests.arc_solver.terminal import Terminal, attempts, challenges, solutions, write
from tests.boards import board_csv

QUICK = ["--set", "width=32", "--set", "num_heads=2", "--set", "num_layers=1", "--views", "1", "--ages", "1"]
PLAIN = [*QUICK, "--preset", "cpu-arc", "--adapt-steps", "1", "--threads", "1"]
TALL = {"train": [{"input": [[1]] * 31, "output": [[1]]}], "test": [{"input": [[1]]}]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def boards_file(path: Path, boards: BoardSet) -> Path:
    path.write_bytes(board_csv(boards, "made"))
    return path


UNREADABLE = {
    "every grid too large": {"tall": TALL, "taller": TALL},
    "no grids": {"a": {"train": [{"input": "x", "output": "y"}], "test": [{"input": "z"}]}},
    "rows of text": {"a": {"train": [{"input": ["01"], "output": ["1"]}], "test": [{"input": ["2"]}]}},
    "our own submission": attempts(solutions()),
    "solutions": solutions(),
    "an index": {"train": ["a"], "test": ["b"], "version": 2},
    "no demonstrations": {"a": {"train": [], "test": [{"input": [[1]]}]}},
}


@pytest.mark.parametrize("more", [[], ["--quiet"]])
@pytest.mark.parametrize("name", UNREADABLE)
def test_where_no_task_can_be_read_nothing_is_written(
    name: str, more: list[str], arc_solve: Terminal, folder: Path
) -> None:
    write(folder / "x.json", UNREADABLE[name])
    (folder / "submission.json").write_text("old")
    write(folder / "c.jsonl", {"task": "a", "index": 0, "grid": [[1]]})
    outcome = arc_solve("predict", "--tasks", "x.json", *more)
    assert outcome.code == 3
    assert outcome.error_line().startswith("error: x.json: ")
    if not more:
        assert arc_solve("merge", "c.jsonl", "--tasks", "x.json").code == 3
    assert (folder / "submission.json").read_text() == "old"


def test_a_folder_is_answered_twice_with_what_lies_in_it(arc_solve: Terminal, folder: Path) -> None:
    """Its own submission, a manifest and an index are no tasks, and no input that could be overwritten."""
    listed = challenges(2)
    listed["task-1"]["test"][0]["output"] = None
    (folder / "group" / "inner").mkdir(parents=True)
    write(folder / "group" / "task-0.json", listed["task-0"])
    write(folder / "group" / "inner" / "task-1.json", listed["task-1"])
    write(folder / "index.json", {"tasks": ["task-0", "task-1"]})
    for _ in range(2):
        outcome = arc_solve("predict", "--tasks", ".", *PLAIN)
        assert outcome.code == 0, outcome.err
        assert '"index.json"' in outcome.err
        assert list(json.loads((folder / "submission.json").read_text())) == ["task-0", "task-1"]
    assert '"submission.json"' in outcome.err
    assert arc_solve("validate", "submission.json", "--tasks", ".").code == 0
    taken = arc_solve("predict", "--tasks", ".", "--out", "group/inner/task-1.json")
    assert taken.code == 2
    assert "this is one of the inputs" in taken.err


def test_a_bad_task_does_not_keep_the_others_from_being_shown(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "x.json", {"tall": TALL, **challenges(2)})
    shown = arc_solve("show", "x.json", "--id", "task-1")
    assert (shown.code, shown.err) == (0, "")
    everything = arc_solve("show", "x.json", "--skip-bad")
    assert everything.code == 0
    reason = 'task "tall" train[0].input: 31 rows, expected 1 to 30'
    assert everything.err == f"x.json: 1 bad task left out; the first: {reason}\n"
    assert shown.out in everything.out
    assert arc_solve("show", "x.json").error_line() == f"error: x.json: {reason}"
    assert arc_solve("show", "x.json", "--id", "tall").code == 3
    write(folder / "x.json", {"tall": TALL})
    assert arc_solve("show", "x.json").code == 3


def test_training_leaves_bad_tasks_out_where_asked_to(folder: Path) -> None:
    write(folder / "x.json", {"tall": TALL, "wide": TALL, **challenges(2)})
    with pytest.raises(DataError, match='task "tall"'):
        read_corpus(["x.json"])
    heard: list[str] = []
    corpus = read_corpus(["x.json"], skip_bad=True, notice=heard.append)
    assert [task.id for task in corpus.material] == ["task-0", "task-1"]
    (line,) = heard
    assert line.startswith('x.json: 2 bad tasks left out; the first: task "tall"')
    write(folder / "x.json", {"tall": TALL})
    with pytest.raises(DataError, match='task "tall"'):
        read_corpus(["x.json"], skip_bad=True)


def test_scores_on_what_is_trained_on_are_said(folder: Path) -> None:
    listed = challenges(2)
    for task_id, grids in solutions(2).items():
        for pair, grid in zip(listed[task_id]["test"], grids, strict=True):
            pair["output"] = grid
    path = write(folder / "x.json", listed)
    heard: list[str] = []
    preset = find_preset("cpu-arc")
    read_evaluator(str(path), preset, read_corpus([path]), notice=heard.append)
    assert heard == [f"warning: {path}: 3 of 3 scored outputs are in --data with their answers"]
    for pair in listed["task-1"]["test"]:
        del pair["output"]
    write(folder / "y.json", listed)
    heard.clear()
    read_evaluator(str(path), preset, read_corpus(["y.json"]), notice=heard.append)
    assert heard == [f"warning: {path}: 1 of 3 scored outputs are in --data with their answers"]


@pytest.mark.parametrize(("side", "preset"), [(4, "cpu-sudoku4"), (6, "cpu-sudoku6")])
def test_boards_that_are_trained_on_are_said(folder: Path, side: int, preset: str) -> None:
    boards = generate_sudoku(6, side, np.random.default_rng(0))
    path = boards_file(folder / "all.csv", boards)
    half = boards_file(folder / "half.csv", boards.take(slice(3)))
    rest = boards_file(folder / "rest.csv", boards.take(slice(3, None)))
    recipe = find_preset(preset)
    for data, num in ((path, 6), (half, 3)):
        heard: list[str] = []
        read_evaluator(str(path), recipe, read_corpus([data]), notice=heard.append)
        assert heard == [f"warning: {path}: {num} of 6 scored boards are in --data with their answers"]
    heard = []
    read_evaluator(str(rest), recipe, read_corpus([half]), notice=heard.append)
    assert heard == []


def test_boards_on_standard_input(arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"# one\n.234\n3.1.\n21.3\n.321\n")))
    outcome = arc_solve("predict", "--tasks", "-", "--out", "a.csv", "--views", "1", "--threads", "1")
    assert outcome.code == 0, outcome.err
    assert "1 board: 1 answer keeps the rules" in outcome.out
    rows = (folder / "a.csv").read_text().splitlines()
    assert rows[1].startswith("arc-solver,.2343.1.21.3.321,")


def test_answers_of_our_own_are_not_scored_by_themselves(arc_solve: Terminal, folder: Path) -> None:
    text = "source,question,answer,rating\narc-solver,.2343.1.21.3.321,1234341221434321,\n"
    (folder / "answers.csv").write_text(text)
    asked = ["--tasks", "answers.csv", "--out", "again.csv", "--views", "1", "--threads", "1"]
    outcome = arc_solve("predict", *asked)
    assert outcome.code == 0, outcome.err
    assert "answers.csv: 1 answer by arc-solver itself, no truth to score by" in outcome.err
    assert "exact" not in outcome.out


def test_answers_to_boards_are_scored_by_another_file(arc_solve: Terminal, folder: Path) -> None:
    boards = generate_sudoku(4, 4, np.random.default_rng(1))
    wrong = boards.answers.copy()
    wrong[0] = wrong[0][::-1]
    told = BoardSet("sudoku", boards.questions, wrong, boards.ratings).take(np.array([2, 0, 1]))
    truth = boards_file(folder / "truth.csv", boards)
    boards_file(folder / "answers.csv", told)
    outcome = arc_solve("score", "answers.csv", "--solutions", truth, "--json")
    assert outcome.code == 0, outcome.err
    facts = outcome.json()
    assert (facts["boards"], facts["answered"], facts["exact"], facts["valid"]) == (4, 3, 0.5, 0.5)
    assert sum(band["boards"] for band in facts["by_rating"].values()) == 4
    text = arc_solve("score", "answers.csv", "--solutions", truth).out
    assert "exact: 50.00 % 2/4\n" in text
    assert "95 % Wilson intervals: exact 15.0 to 85.0 %, " in text
    assert "without an answer: 1 of 4 boards (counted as wrong)\n" in text
    assert (
        arc_solve("score", "answers.csv", "--solutions", truth, "--only-submitted", "--json").json()["boards"]
        == 3
    )
    assert arc_solve("score", "answers.csv", "--solutions", "answers.csv").code == 2
    boards_file(folder / "copy.csv", boards)
    assert "the solutions themselves" in arc_solve("score", "copy.csv", "--solutions", truth).out
    assert arc_solve("score", "copy.csv", "--solutions", truth, "--json").json()["form"]
    boards_file(folder / "others.csv", generate_sudoku(2, 6, np.random.default_rng(2)))
    assert arc_solve("score", "others.csv", "--solutions", truth).code == 3


def test_a_folder_of_one_submission_per_task_is_scored(arc_solve: Terminal, folder: Path) -> None:
    """As arc-agi-benchmarking writes it, test inputs in any order."""
    truth = write(folder / "truth.json", solutions())
    theirs = folder / "model"
    theirs.mkdir()
    for task_id, grids in solutions().items():
        entries = [
            {
                "attempt_1": {"answer": grid, "metadata": {"pair_index": index}},
                "attempt_2": {"answer": "NO_PREDICTION", "metadata": {"pair_index": index}},
            }
            for index, grid in enumerate(grids)
        ]
        write(theirs / f"{task_id}.json", entries[::-1])
    write(theirs / "results.json", {"score": 1})
    outcome = arc_solve("score", theirs, "--solutions", truth, "--json")
    assert outcome.code == 0, outcome.err
    facts = outcome.json()
    assert facts["rules"]["per_output"]["pass@1"]["value"] == 1
    assert facts["remarks"]["missing_tasks"] == []
    assert "not in Kaggle's form" in facts["form"][0]
    (theirs / "task-2.json").unlink()
    assert arc_solve("score", theirs, "--solutions", truth, "--json").json()["headline"]["value"] == 0.75
    above = arc_solve("score", folder, "--solutions", truth)
    assert above.code == 4
    assert "is it model?" in above.err


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (lambda grids: list(grids), "not in Kaggle's form"),
        (lambda grids: [[grid, [[0]]] for grid in grids], "not in Kaggle's form"),
        (lambda grids: [{"attempt_1": {"answer": grid}} for grid in grids], "not in Kaggle's form"),
        (lambda grids: list(grids), "this is a solutions file, not a submission"),
    ],
)
def test_what_validate_refuses_is_scored_with_a_remark(
    form: object, text: str, arc_solve: Terminal, folder: Path
) -> None:
    assert callable(form)
    write(folder / "s.json", {task_id: form(grids) for task_id, grids in solutions().items()})
    truth = write(folder / "truth.json", solutions())
    scored = arc_solve("score", "s.json", "--solutions", truth)
    assert scored.code == 0
    assert text in scored.out
    write(folder / "x.json", challenges())
    assert arc_solve("validate", "s.json", "--tasks", "x.json").code == 4


def test_a_copy_of_the_truth_and_the_truth_itself(arc_solve: Terminal, folder: Path) -> None:
    truth = write(folder / "truth.json", solutions())
    assert arc_solve("score", truth, "--solutions", truth).code == 2
    (folder / "link.json").symlink_to(truth)
    assert arc_solve("score", "link.json", "--solutions", truth).code == 2
    write(folder / "good.json", attempts(solutions()))
    assert "solutions file" not in arc_solve("score", "good.json", "--solutions", truth).out


def test_a_gzipped_submission_is_not_taken_by_kaggle(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "x.json", challenges())
    truth = write(folder / "truth.json", solutions())
    (folder / "s.json").write_bytes(gzip.compress(json.dumps(attempts(solutions())).encode()))
    outcome = arc_solve("validate", "s.json", "--tasks", "x.json")
    assert outcome.code == 4
    assert "gzipped, expected plain JSON" in outcome.err
    assert "gzipped, so `validate` refuses it" in arc_solve("score", "s.json", "--solutions", truth).out


def test_two_submissions_are_merged(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "x.json", challenges())
    right, blank = attempts(solutions()), [[0]]
    a = {**right, "task-2": [{"attempt_1": blank, "attempt_2": blank}]}
    b = {
        task_id: [{"attempt_1": [[7]], "attempt_2": blank} for _ in entries]
        for task_id, entries in right.items()
    }
    write(folder / "a.json", a)
    (folder / "b.json").write_text(json.dumps(b, indent=2))
    outcome = arc_solve("merge", "a.json", "b.json", "--tasks", "x.json", "--out", "m.json", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json()["candidates"] == {"a": 3, "b": 4}
    merged = json.loads((folder / "m.json").read_text())
    first = solutions()["task-0"][0]
    assert [[7]] in merged["task-0"][0].values()
    assert first in merged["task-0"][0].values()
    assert merged["task-2"] == [{"attempt_1": [[7]], "attempt_2": [[0]]}]


def test_solutions_in_other_layouts(arc_solve: Terminal, folder: Path) -> None:
    listed = challenges()
    for task_id, grids in solutions().items():
        for pair, grid in zip(listed[task_id]["test"], grids, strict=True):
            pair["output"] = grid
    write(folder / "s.json", attempts(solutions()))
    for value in (
        {"version": "2", **listed},
        {"evaluation": listed},
        [{"id": task_id, **task} for task_id, task in listed.items()],
    ):
        write(folder / "truth.json", value)
        outcome = arc_solve("score", "s.json", "--solutions", "truth.json", "--json")
        assert outcome.code == 0, outcome.err
        assert outcome.json()["headline"]["value"] == 1
