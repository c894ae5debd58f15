"""Weights of another kind of puzzle are refused in one line, before anything is computed with them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from arc_solver.checkpoints.file_format import CheckpointError, check_domain
from arc_solver.checkpoints.weights import save
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.library import solve
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from tests.arc_solver.terminal import Terminal, challenges, write
from tests.arc_solver.tiny import MODEL, TRAIN, preset
from tests.boards import board_csv

TASKS_REFUSED = "w.safetensors: weights for sudoku, but these are ARC tasks"
BOARDS_REFUSED = "w.safetensors: weights for arc, but these are sudoku boards"


def weights(folder: Path, domain: str) -> Path:
    """A tiny network that is said to be trained for a domain; by its shapes it is one for ARC."""
    recipe = preset(train=dataclasses.replace(TRAIN, domain=domain))
    tensors = {f"average.{name}": tensor for name, tensor in Model(MODEL, num_rows=1).state_dict().items()}
    save(folder / "w.safetensors", tensors, recipe, PuzzleMap("rows"), {"kind": "weights"})
    return folder / "w.safetensors"


@pytest.fixture
def arc_solve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """The command line in a folder with tasks and boards, in which no worker may be started."""

    def refused(*_: object) -> None:
        raise AssertionError("a worker was asked for")

    monkeypatch.setattr("arc_solver.prediction.prediction.supervise", refused)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tasks.json", challenges())
    boards = generate_sudoku(1, 4, np.random.default_rng(0))
    (tmp_path / "boards.csv").write_bytes(board_csv(boards, "test"))
    return Terminal(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("source", "name", "domain", "line"),
    [
        ("tasks.json", "task-0", "sudoku", TASKS_REFUSED),
        ("boards.csv", "1", "arc", BOARDS_REFUSED),
    ],
)
def test_predict_and_watch_refuse(
    arc_solve: Terminal, tmp_path: Path, source: str, name: str, domain: str, line: str
) -> None:
    asked = ["--tasks", source, "--checkpoint", weights(tmp_path, domain)]
    for command in (["predict", *asked, "--out", "out"], ["watch", *asked, "--id", name]):
        done = arc_solve(*command)
        assert (done.code, done.out) == (1, "")
        assert line in done.error_line()


@pytest.mark.parametrize("source", ["tasks.json", "boards.csv"])
def test_what_was_there_stays(arc_solve: Terminal, tmp_path: Path, source: str) -> None:
    (tmp_path / "out").write_text("the answers of yesterday")
    before = sorted(tmp_path.iterdir())
    for more, code in (
        (["--checkpoint", weights(tmp_path, "maze")], 1),
        (["--checkpoint", "none.safetensors"], 3),
        (["--checkpoint", source], 1),
    ):
        assert arc_solve("predict", "--tasks", source, *more, "--out", "out").code == code
    fitting = weights(tmp_path, "arc" if source == "tasks.json" else "sudoku")
    wrong = ["--checkpoint", fitting, "--set", "halt_logitt=1"]
    refused = arc_solve("predict", "--tasks", source, *wrong, "--out", "out")
    assert refused.code == 2
    assert "halt_logit" in refused.error_line()
    assert (tmp_path / "out").read_text() == "the answers of yesterday"
    assert sorted(tmp_path.iterdir()) == sorted([*before, fitting])


def test_a_recipe_of_another_domain_is_refused_too(arc_solve: Terminal) -> None:
    done = arc_solve("predict", "--tasks", "tasks.json", "--preset", "cpu-maze", "--out", "s.json")
    assert done.code == 2
    assert "'cpu-maze' is for maze" in done.error_line()


def test_solve_refuses(tmp_path: Path) -> None:
    pair = Pair(np.ones((1, 1), np.uint8), np.ones((1, 1), np.uint8))
    with pytest.raises(CheckpointError, match="weights for maze, but these are ARC tasks"):
        solve([Task("t", (pair,), (pair,))], weights(tmp_path, "maze"), device="cpu", quiet=True)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"preset": 5},
        {"preset": {"train": []}},
        {"preset": {"train": {"domain": []}}},
    ],
)
def test_what_says_nothing_of_its_domain_is_left_to_the_reader_of_recipes(
    metadata: dict[str, object],
) -> None:
    check_domain(metadata, "arc", "ARC tasks", "w")
