"""Models and puzzle maps through a file and back; files that lie are refused."""

import dataclasses
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import METADATA_KEY, CheckpointError, preset_from
from arc_solver.checkpoints.weights import load, preset_values, save
from arc_solver.config import PredictConfig
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.tiny import HRM, MODEL, lively, preset, tasks
from tests.crash.payloads import Source, rewritten

KINDS = ("rows", "composed", "none")


def built(kind: str) -> tuple[Model, PuzzleMap]:
    puzzles = PuzzleMap.build(tasks(0), kind, 4, seed=0)
    config = dataclasses.replace(MODEL, embedding=kind)
    return lively(Model(config, num_rows=puzzles.num_rows, seed=5)), puzzles


def tensors_of(model: Model) -> dict[str, Tensor]:
    return {f"average.{name}": t for name, t in model.state_dict().items()}


@pytest.mark.parametrize("kind", KINDS)
def test_model_and_puzzles_round_trip(kind: str, tmp_path: Path) -> None:
    model, puzzles = built(kind)
    recipe = preset(model.config)
    path = tmp_path / "w.safetensors"
    save(path, tensors_of(model), recipe, puzzles, {"kind": "weights"})
    loaded = load(path)
    assert loaded.preset == recipe
    assert loaded.metadata["kind"] == "weights"
    state = loaded.model.state_dict()
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(t, model.state_dict()[name]) for name, t in state.items())
    found = loaded.puzzles
    assert (found.kind, found.ids, found.hashes) == (puzzles.kind, puzzles.ids, puzzles.hashes)
    assert np.array_equal(found.starts, puzzles.starts)
    assert np.array_equal(found.codes(), puzzles.codes())
    assert [found.find(task) for task in tasks(0)] == [0, 1, 2]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    model, puzzles = built("rows")
    for name in ("a", "b"):
        save(tmp_path / name, tensors_of(model), preset(), puzzles, {"step": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_average_is_preferred_and_rows_may_be_shared(tmp_path: Path) -> None:
    model, puzzles = built("rows")
    other = lively(Model(MODEL, num_rows=puzzles.num_rows, seed=6), seed=1)
    tensors = {f"model.{name}": t for name, t in other.state_dict().items()} | tensors_of(model)
    save(tmp_path / "own", tensors, preset(), puzzles, {})
    assert torch.equal(load(tmp_path / "own").model.puzzle.rows, model.puzzle.rows)
    del tensors["average.puzzle.rows"]
    save(tmp_path / "shared", tensors, preset(), puzzles, {})
    loaded = load(tmp_path / "shared").model
    assert torch.equal(loaded.puzzle.rows, other.puzzle.rows)
    assert torch.equal(loaded.head.weight, model.head.weight)


def test_half_precision_is_widened(tmp_path: Path) -> None:
    model, puzzles = built("rows")
    halved = {name: t.bfloat16() for name, t in tensors_of(model).items()}
    save(tmp_path / "w", halved, preset(), puzzles, {})
    loaded = load(tmp_path / "w").model
    assert loaded.head.weight.dtype == torch.float32
    assert torch.equal(loaded.head.weight, model.head.weight.bfloat16().float())


def test_a_recipe_round_trips_through_json() -> None:
    for recipe in (
        preset(),
        preset(HRM),
        preset(predict=PredictConfig(halt_logit=0.25)),
        preset(predict=PredictConfig(halt_logit=-float("inf"))),
    ):
        values = json.loads(json.dumps(preset_values(recipe), allow_nan=False))
        assert preset_from({"preset": values}, "file") == recipe


def damaged_map(change: Callable[[dict[str, Tensor], dict[str, Any]], object], tmp_path: Path) -> Path:
    """A checkpoint whose hashes all fit, saved after `change` of the tensors and the listed puzzles."""
    model, puzzles = built("rows")
    path = tmp_path / "w.safetensors"
    extra: dict[str, Tensor] = {
        "puzzles.starts": torch.from_numpy(puzzles.starts.copy()),
        "puzzles.dihedrals": torch.from_numpy(puzzles.views.dihedrals.copy()),
        "puzzles.colors": torch.from_numpy(puzzles.views.colors.copy()),
        "rows": model.puzzle.rows.clone(),
    }
    listed: dict[str, Any] = {"kind": puzzles.kind, "ids": puzzles.ids, "hashes": puzzles.hashes}
    change(extra, listed)

    class Listed:
        kind, ids, hashes = listed["kind"], listed["ids"], listed["hashes"]
        starts = extra["puzzles.starts"].numpy()

        class views:
            dihedrals = extra["puzzles.dihedrals"].numpy()
            colors = extra["puzzles.colors"].numpy()

    tensors = tensors_of(model) | {"average.puzzle.rows": extra["rows"]}
    save(path, tensors, preset(), Listed, {})  # type: ignore[arg-type]
    return path


def set_value(name: str, place: int, value: int) -> Callable[[dict[str, Tensor], dict[str, Any]], object]:
    def change(tensors: dict[str, Tensor], listed: dict[str, Any]) -> None:
        tensors[name].view(-1)[place] = value

    return change


LIES: dict[str, Callable[[dict[str, Tensor], dict[str, Any]], object]] = {
    "a dihedral that is none": set_value("puzzles.dihedrals", 3, 8),
    "a color that is none": set_value("puzzles.colors", 12, 10),
    "a color twice": set_value("puzzles.colors", 12, 0),
    "a start beyond the end": set_value("puzzles.starts", 1, 1000),
    "a start below zero": set_value("puzzles.starts", 1, -5),
    "not from zero": set_value("puzzles.starts", 0, 1),
    "views of another number": lambda t, m: t.update({"puzzles.dihedrals": t["puzzles.dihedrals"][1:]}),
    "colors of another shape": lambda t, m: t.update({"puzzles.colors": t["puzzles.colors"].view(-1)}),
    "nine colors": lambda t, m: t.update({"puzzles.colors": t["puzzles.colors"][:, :9]}),
    "starts as a number": lambda t, m: t.update({"puzzles.starts": torch.tensor(3)}),
    "no starts": lambda t, m: t.update({"puzzles.starts": torch.zeros(0, dtype=torch.int64)}),
    "starts of another type": lambda t, m: t.update({"puzzles.starts": t["puzzles.starts"].float() + 0.5}),
    "colors of another type": lambda t, m: t.update({"puzzles.colors": t["puzzles.colors"].int()}),
    "fewer rows than puzzles": lambda t, m: t.update({"rows": t["rows"][:-1]}),
    "rows as one number": lambda t, m: t.update({"rows": torch.tensor(1.0)}),
    "an id less": lambda t, m: m.update(ids=m["ids"][:-1]),
    "a hash less": lambda t, m: m.update(hashes=m["hashes"][:-1]),
    "ids that are numbers": lambda t, m: m.update(ids=[1, 2, 3]),
    "ids that are null": lambda t, m: m.update(ids=None),
    "another kind": lambda t, m: m.update(kind="composed"),
    "an unknown kind": lambda t, m: m.update(kind="columns"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_puzzle_map_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    """Kernels trust the map, so a file with fitting hashes must not reach beyond their arrays."""
    assert load(damaged_map(lambda t, m: None, tmp_path)).puzzles.num_rows == 13
    with pytest.raises(CheckpointError) as caught:
        load(damaged_map(LIES[name], tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda t: t.pop("average.head.weight"), "head.weight is missing"),
        (lambda t: t.update({"average.more": torch.ones(1)}), "more is unknown"),
        (lambda t: t.update({"average.head.weight": torch.ones(3, 16)}), r"has shape \(3, 16\), expected"),
        (lambda t: t.pop("average.puzzle.rows"), "no embedding rows"),
        (lambda t: [t.pop(n) for n in list(t) if "latent_blocks" in n], "and 5 more"),
    ],
)
def test_tensors_that_do_not_fit_the_recipe_are_named(
    change: Callable[[dict[str, Tensor]], object], wanted: str, tmp_path: Path
) -> None:
    model, puzzles = built("rows")
    tensors = tensors_of(model)
    change(tensors)
    save(tmp_path / "w", tensors, preset(), puzzles, {})
    with pytest.raises(CheckpointError, match=wanted) as caught:
        load(tmp_path / "w")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["model"].update(width=0),
        lambda p: p["model"].update(widht=16),
        lambda p: p["model"].update(width="__import__('os')"),
        lambda p: p["train"].update(optimizer="builtins.eval"),
        lambda p: p.pop("predict"),
        lambda p: p.update(model=[1]),
        lambda p: p.clear(),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    values = preset_values(preset())
    change(values)
    with pytest.raises(CheckpointError, match="recipe in the file cannot be read"):
        preset_from({"preset": values}, "file")


def test_the_file_is_plain_safetensors(tmp_path: Path) -> None:
    model, puzzles = built("rows")
    save(tmp_path / "w", tensors_of(model), preset(), puzzles, {})
    content = (tmp_path / "w").read_bytes()
    header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    assert list(header["__metadata__"]) == [METADATA_KEY]
    assert header["average.head.weight"]["dtype"] == "F32"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ({"width": 1024, "rounding": 256, "num_layers": 60}, "does not fit"),
        ({"num_layers": 1000}, "does not fit"),
        ({"num_layers": 100_000}, "num_layers: 100000, at most 1024"),
        ({"mixers": ["position_mlp"], "length": 900}, "does not fit"),
    ],
)
def test_a_file_is_refused_before_the_model_that_it_asks_for_is_made(
    model: dict[str, Any], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, puzzles = built("rows")
    path = tmp_path / "w.safetensors"
    save(path, tensors_of(made), preset(), puzzles, {})
    source = Source(path.read_bytes(), tmp_path / "none")
    path.write_bytes(rewritten(source, lambda _, metadata: metadata["preset"]["model"].update(model)))

    def take(tensor: Tensor, *_: object, **__: object) -> Tensor:
        assert tensor.is_meta, "memory was asked for"
        return tensor

    monkeypatch.setattr(torch.nn.init, "trunc_normal_", take)
    with pytest.raises(CheckpointError, match=text) as caught:
        load(path)
    assert caught.value.exit_code == 3
