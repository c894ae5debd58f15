"""Weights that ship: how they are made, and that those in the box are whole and described."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.boxes import FOLDER, box, boxed_weights
from arc_solver.boxing import COMPOSED, MAX_BYTES, box_weights, card
from arc_solver.domain.arc import task_side
from arc_solver.inference.adapt import warm_model
from arc_solver.model.trm import Model
from arc_solver.pretraining import as_json, small_tasks
from arc_solver.puzzles import PuzzleMap
from arc_solver.task import read_tasks
from arc_solver.weights import load, save
from tests.arc_solver.tiny import MODEL, lively, preset, tasks


def trained(path: Path) -> torch.Tensor:
    """A file of lively weights with rows for three tasks; returns the rows."""
    puzzles = PuzzleMap.build(tasks(0), "rows", 4, seed=0)
    model = lively(Model(MODEL, num_rows=puzzles.num_rows, seed=5))
    facts = {"kind": "weights", "step": 7, "seconds": 1.5, "files": [("a.json", "0" * 64)]}
    state = {f"average.{name}": t for name, t in model.state_dict().items()}
    save(path, state, preset(MODEL), puzzles, facts)
    return model.puzzle.rows.clone()


def test_boxed_weights_know_no_task_and_start_new_ones_at_the_mean(tmp_path: Path) -> None:
    rows = trained(tmp_path / "w.safetensors")
    facts = box_weights(tmp_path / "w.safetensors", tmp_path / "b.safetensors", ["train.num_views=3"])
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
        box_weights(tmp_path / "w.safetensors", tmp_path / "b.safetensors", ["width=32"])
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
    box_weights(tmp_path / "w.safetensors", tmp_path / "b.safetensors", settings)
    boxed = load(tmp_path / "b.safetensors")
    assert boxed.model.config == dataclasses.replace(config, embedding="rows", prefix_length=1)
    weights = dict(boxed.model.named_parameters())
    for name, found in model.named_parameters():
        if name not in COMPOSED:
            assert torch.equal(weights.pop(name), found.bfloat16().float()), name
    assert not weights
    mean = model.puzzle.rows[1:].mean(dim=0)
    torch.testing.assert_close(boxed.model.puzzle.rows[1], mean, rtol=0.01, atol=0.01)


def test_a_file_for_the_side_comes_before_one_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arc_solver.boxes.FOLDER", tmp_path)
    assert boxed_weights("maze", 9) is None
    (tmp_path / "maze.safetensors").touch()
    (tmp_path / "maze9.safetensors").touch()
    assert boxed_weights("maze", 9) == tmp_path / "maze9.safetensors"
    assert boxed_weights("maze", 13) == boxed_weights("maze") == tmp_path / "maze.safetensors"


@pytest.mark.parametrize("path", box(), ids=lambda path: path.name)
def test_what_ships_is_whole_small_and_described(path: Path) -> None:
    loaded = load(path)
    assert path.stat().st_size <= MAX_BYTES
    assert loaded.puzzles.ids == ()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in path.with_suffix(".md").read_text()
    assert not any("evaluation" in name for name, _ in loaded.metadata["files"])


def test_all_weights_fit_the_wheel() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*")) < 40 * 2**20


def test_pretraining_leaves_out_large_tasks_and_those_of_the_demonstration(tmp_path: Path) -> None:
    def written(name: str, sides: list[int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        grid = {n: rng.integers(0, 10, (n, n)).tolist() for n in sides}
        shown = {
            str(n): {"train": [{"input": g, "output": g}], "test": [{"input": g}]} for n, g in grid.items()
        }
        (tmp_path / f"{name}_challenges.json").write_text(json.dumps(shown))
        (tmp_path / f"{name}_solutions.json").write_text(json.dumps({str(n): [g] for n, g in grid.items()}))

    written("arc1_training", [5, 8, 10, 11], 0)
    written("concept", [3, 12], 1)
    found = small_tasks(tmp_path)
    assert [task.id for task in found] == ["8", "10", "3"]
    assert [task_side(task) for task in found] == [11, 11, 7]
    (tmp_path / "out.json").write_bytes(as_json(found))
    assert [dataclasses.asdict(task)["id"] for task in read_tasks(tmp_path / "out.json")] == ["8", "10", "3"]
    assert all(np.array_equal(t.test[0].output, t.test[0].input) for t in read_tasks(tmp_path / "out.json"))
