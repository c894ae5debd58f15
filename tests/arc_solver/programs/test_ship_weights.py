"""Weights that ship: how they are made, and that those in the box are whole and described."""

import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.checkpoints.shipped import FOLDER, all_shipped, reach, shipped_weights
from arc_solver.checkpoints.weights import load, save
from arc_solver.domains.arc.examples import task_side
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.adaptation import warm_model
from arc_solver.model.puzzle_embedding import COMPOSED
from arc_solver.model.trm import Model
from arc_solver.programs import pretraining_tasks, ship_weights
from arc_solver.programs.pretraining_tasks import training_tasks
from arc_solver.programs.ship_weights import MAX_BYTES, card, prepare_weights
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task
from arc_solver.tasks.writer import tasks_json
from tests.arc_solver.tiny import MODEL, answer_boards, lively, preset, tasks


def trained(path: Path) -> torch.Tensor:
    """A file of lively weights with rows for three tasks; returns the rows."""
    puzzles = PuzzleMap.build(tasks(0), "rows", 4, seed=0)
    model = lively(Model(MODEL, num_rows=puzzles.num_rows, seed=5))
    facts = {"kind": "weights", "step": 7, "seconds": 1.5, "files": [("a.json", "0" * 64)]}
    state = {f"average.{name}": t for name, t in model.state_dict().items()}
    save(path, state, preset(MODEL), puzzles, facts)
    return model.puzzle.rows.clone()


def test_shipped_weights_know_no_task_and_start_new_ones_at_the_mean(tmp_path: Path) -> None:
    rows = trained(tmp_path / "w.safetensors")
    facts = prepare_weights(tmp_path / "w.safetensors", tmp_path / "b.safetensors", ["train.num_views=3"])
    boxed = load(tmp_path / "b.safetensors")
    assert boxed.puzzles.ids == ()
    assert boxed.model.puzzle.rows.shape[0] == 2
    assert boxed.preset.train.num_views == 3
    assert boxed.metadata["step"] == 7
    fresh = PuzzleMap.build(tasks(1), "rows", 4, seed=0)
    torch.testing.assert_close(
        warm_model(boxed, fresh).puzzle.rows[5], rows[1:].mean(dim=0), rtol=0.01, atol=0.01
    )
    exact = load(tmp_path / "w.safetensors").model.token_embedding
    assert torch.equal(boxed.model.token_embedding, exact.bfloat16().float())
    text = card("b.safetensors", facts)
    assert facts["sha256"] in text
    assert "a.json" in text


def test_a_box_keeps_its_model_and_its_size(tmp_path: Path) -> None:
    trained(tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="model of finished weights"):
        prepare_weights(tmp_path / "w.safetensors", tmp_path / "b.safetensors", ["width=32"])
    assert not (tmp_path / "b.safetensors").exists()


def test_a_composed_prefix_becomes_rows(tmp_path: Path) -> None:
    config = dataclasses.replace(MODEL, embedding="composed", vocabulary=12)
    puzzles = PuzzleMap.build(tasks(0), "composed", 4, seed=0)
    model = lively(Model(config, num_rows=puzzles.num_rows, seed=5))
    state = {f"average.{name}": t for name, t in model.state_dict().items()}
    save(
        tmp_path / "w.safetensors",
        state,
        preset(config),
        puzzles,
        {"kind": "weights", "step": 7, "seconds": 1.5, "files": []},
    )
    settings = ["embedding=rows", "prefix_length=1"]
    prepare_weights(tmp_path / "w.safetensors", tmp_path / "b.safetensors", settings)
    boxed = load(tmp_path / "b.safetensors")
    assert boxed.model.config == dataclasses.replace(config, embedding="rows", prefix_length=1)
    weights = dict(boxed.model.named_parameters())
    for name, found in model.named_parameters():
        if name not in COMPOSED:
            assert torch.equal(weights.pop(name), found.bfloat16().float()), name
    assert not weights
    mean = model.puzzle.rows[1:].mean(dim=0)
    torch.testing.assert_close(boxed.model.puzzle.rows[1], mean, rtol=0.01, atol=0.01)


def test_weights_are_called_as_what_they_are_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arc_solver.checkpoints.shipped.FOLDER", tmp_path)
    assert shipped_weights("maze") is None
    for each in ("maze", "sudoku9", "mazes"):
        (tmp_path / f"{each}.safetensors").touch()
    assert (shipped_weights("maze"), shipped_weights("sudoku")) == (tmp_path / "maze.safetensors", None)


@pytest.mark.parametrize(("side", "givens"), [(4, 0), (6, 0), (9, 40)])
def test_one_network_answers_sudokus_of_every_side(side: int, givens: int) -> None:
    path = shipped_weights("sudoku")
    assert path is not None
    loaded = load(path, side)
    boards = generate_sudoku(4, side, np.random.default_rng(side), min_givens=givens)
    found = answer_boards(loaded.model, boards, loaded.preset.predict)
    assert (found.cells == boards.answers).all()


def test_a_user_hears_when_weights_are_out_of_their_depth() -> None:
    assert "mazes up to side 30" in reach("maze", 31)
    assert (reach("maze", 30), reach("maze", 7), reach("sudoku", 9)) == ("", "", "")


def run(monkeypatch: pytest.MonkeyPatch, main: Callable[[], None], *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["program", *map(str, words)])
    main()


def test_a_card_that_people_wrote_on_is_replaced_on_demand_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship_weights, "FOLDER", tmp_path)
    trained(tmp_path / "w.safetensors")
    run(monkeypatch, ship_weights.main, tmp_path / "w.safetensors", "arc")
    (tmp_path / "arc.md").write_text("by hand")
    with pytest.raises(ValueError, match="--replace"):
        run(monkeypatch, ship_weights.main, tmp_path / "w.safetensors", "arc")
    assert (tmp_path / "arc.md").read_text() == "by hand"
    run(monkeypatch, ship_weights.main, tmp_path / "w.safetensors", "arc", "--replace")
    assert "7 steps" in (tmp_path / "arc.md").read_text()


def test_what_is_wrong_with_the_files_is_one_line(tmp_path: Path) -> None:
    for words in (
        ("ship_weights", tmp_path / "w", "arc", "--replace"),
        ("pretraining_tasks", tmp_path, tmp_path / "out"),
    ):
        told = subprocess.run(
            [sys.executable, "-m", f"arc_solver.programs.{words[0]}", *map(str, words[1:])],
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 1
        assert len(told.stderr.splitlines()) == 1
        assert told.stderr.startswith("error: ")


@pytest.mark.parametrize("path", all_shipped(), ids=lambda path: path.name)
def test_what_ships_is_whole_small_and_described(path: Path) -> None:
    loaded = load(path)
    assert path.stat().st_size <= MAX_BYTES
    assert loaded.puzzles.ids == ()
    card = path.with_suffix(".md").read_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert f"{loaded.metadata['step']:,} steps" in card
    assert all(
        f"{name} (SHA-256 `{digest[:16]}" in card for name, digest in loaded.metadata["files"] if digest
    )
    assert re.search(r"commit [0-9a-f]{7}\b", card), "a card tells the commit"
    assert re.search(r"\d %.*interval \d", card, re.DOTALL), "a card tells a score with its interval"
    assert not any("evaluation" in name for name, _ in loaded.metadata["files"])


def test_the_page_on_weights_names_what_ships() -> None:
    page = (FOLDER.parent.parent / "docs" / "weights.md").read_text()
    assert set(re.findall(r"^\| `([a-z0-9]+\.safetensors)`", page, re.MULTILINE)) == {
        p.name for p in all_shipped()
    }


def test_all_weights_fit_the_wheel() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*")) < 40 * 2**20


def written(folder: Path, name: str, sides: dict[str, int], seed: int) -> None:
    """A set of ARC tasks that copy a random square of each side, and their solutions."""
    rng = np.random.default_rng(seed)
    grids = {task_id: rng.integers(0, 10, (side, side)).tolist() for task_id, side in sides.items()}
    shown = {
        task_id: {"train": [{"input": grid, "output": grid}], "test": [{"input": grid}]}
        for task_id, grid in grids.items()
    }
    (folder / f"{name}_challenges.json").write_text(json.dumps(shown))
    (folder / f"{name}_solutions.json").write_text(json.dumps({key: [grid] for key, grid in grids.items()}))


def test_pretraining_leaves_out_large_tasks_those_of_the_demonstration_and_all_that_are_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "arc1_training", {"a5": 5, "a8": 8, "a9": 9, "a10": 10, "a11": 11}, 0)
    monkeypatch.setattr(pretraining_tasks, "development_tasks", lambda: [Task("a9", (), ())])
    written(tmp_path, "concept", {"c3": 3, "c12": 12}, 1)
    written(tmp_path, "arc1_evaluation", {"e6": 6, "e9": 9}, 2)
    written(tmp_path, "arc2_evaluation", {"f7": 7}, 3)
    # Tasks of ARC-AGI-1 again, one with the grid of an evaluation task under another id, one new one.
    written(tmp_path, "arc2_training", {"g6": 6}, 2)
    again = json.loads((tmp_path / "arc2_training_challenges.json").read_text())
    answers = json.loads((tmp_path / "arc2_training_solutions.json").read_text())
    for name, task_id in (("arc1_training", "a5"), ("arc1_training", "a8"), ("arc1_evaluation", "e9")):
        again[task_id] = json.loads((tmp_path / f"{name}_challenges.json").read_text())[task_id]
        answers[task_id] = json.loads((tmp_path / f"{name}_solutions.json").read_text())[task_id]
    again["g4"] = {"train": [{"input": [[1, 2]], "output": [[3]]}], "test": [{"input": [[4, 5]]}]}
    answers["g4"] = [[[6]]]
    (tmp_path / "arc2_training_challenges.json").write_text(json.dumps(again))
    (tmp_path / "arc2_training_solutions.json").write_text(json.dumps(answers))
    for name in ("arc1_evaluation", "arc2_evaluation"):  # nobody opens these
        (tmp_path / f"{name}_solutions.json").unlink()

    # Generated pairs: one too large, one with the grid of an evaluation task, one of a task that is left out.
    small, large, evaluated = [[1]], [[2] * 11], again["e9"]["test"][0]["input"]
    pairs = [{"input": grid, "output": grid} for grid in (large, evaluated, small, small)]
    more = {"train": pairs[:2], "test": pairs[2:]}
    (tmp_path / "more.json").write_text(json.dumps({"a5": more, "a8": more, "a9": more, "a11": more}))

    alone, found = training_tasks(tmp_path, 10), training_tasks(tmp_path, 10, tmp_path / "more.json")
    assert [task.id for task in alone] == ["a8", "a10", "g4", "c3"]
    assert [task.id for task in found] == ["a8", "a10", "a11", "g4", "c3"]
    assert [len(task.train) + len(task.test) for task in found] == [4, 2, 2, 2, 2]
    assert [pair.input.tolist() for pair in (found[0].test[0], found[2].test[0])] == [small, small]
    assert [task_side(task) for task in alone] == [11, 11, 7, 7]
    (tmp_path / "out.json").write_bytes(tasks_json(alone))
    kept = read_tasks(tmp_path / "out.json")
    assert [task.id for task in kept] == ["a8", "a10", "g4", "c3"]
    assert [task.test[0].output.tolist() for task in kept if task.id == "g4"] == [[[6]]]
    assert all(np.array_equal(t.test[0].output, t.test[0].input) for t in kept if t.id != "g4")
