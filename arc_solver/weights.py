"""Checkpoints to models and back: tensors in, tensors out."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from arc_solver.checkpoint import (
    FORMAT,
    METADATA_KEY,
    CheckpointError,
    header_hash,
    read_verified,
    tensor_hash,
)
from arc_solver.config import ConfigError, ModelConfig, PredictConfig, Preset, TrainConfig, from_mapping
from arc_solver.files import write_atomic
from arc_solver.model.trm import Model
from arc_solver.puzzles import PuzzleMap
from augment.view import ViewTable

SAFETENSORS_TYPES = {
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint8: "U8",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Loaded:
    """A model ready to predict (the moving average where one was kept), its puzzles, recipe and metadata."""

    model: Model
    puzzles: PuzzleMap
    preset: Preset
    metadata: dict[str, Any]


def load(path: str | Path) -> Loaded:
    """Read a checkpoint for prediction; CheckpointError names what is wrong with the file."""
    path = Path(path)
    metadata, tensors = read_tensors(path)
    preset = preset_from(metadata, path.name)
    puzzles = puzzles_from(metadata, tensors, path.name)
    rows = tensors.get("average.puzzle.rows", tensors.get("model.puzzle.rows"))
    if rows is None:
        raise CheckpointError(f"{path.name}: no embedding rows in the file")
    model = Model(preset.model, num_rows=rows.shape[0])
    prefix = "average." if any(name.startswith("average.") for name in tensors) else "model."
    state = {n.removeprefix(prefix): t.float() for n, t in tensors.items() if n.startswith(prefix)}
    state["puzzle.rows"] = rows.float()
    check_state({name: tuple(t.shape) for name, t in model.state_dict().items()}, state, path.name)
    model.load_state_dict(state)
    return Loaded(model.eval().requires_grad_(False), puzzles, preset, metadata)


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Metadata and tensors of a verified checkpoint."""
    header, content = read_verified(path)
    try:
        return header.metadata, safetensors.torch.load(content)
    except (ValueError, KeyError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path.name}: {error}") from error


def check_state(wanted: dict[str, tuple[int, ...]], found: dict[str, Tensor], name: str) -> None:
    """CheckpointError with the first differences in names or shapes."""
    lines = [f"{key} is missing" for key in sorted(wanted.keys() - found.keys())]
    lines += [f"{key} is unknown" for key in sorted(found.keys() - wanted.keys())]
    lines += [
        f"{key} has shape {tuple(found[key].shape)}, expected {shape}"
        for key, shape in wanted.items()
        if key in found and tuple(found[key].shape) != tuple(shape)
    ]
    if lines:
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        raise CheckpointError(f"{name} does not fit: {'; '.join(lines[:3])}{more}")


def preset_from(metadata: dict[str, Any], name: str) -> Preset:
    """The recipe that a checkpoint was trained with."""
    try:
        recipe = metadata["preset"]
        return Preset(
            str(recipe["name"]),
            str(recipe["about"]),
            from_mapping(ModelConfig, recipe["model"]),
            from_mapping(TrainConfig, recipe["train"]),
            from_mapping(PredictConfig, recipe["predict"]),
        )
    except (ConfigError, KeyError, TypeError) as error:
        raise CheckpointError(f"{name}: the recipe in the file cannot be read: {error}") from error


def preset_values(preset: Preset) -> dict[str, Any]:
    """The recipe as plain JSON values (infinity as text)."""
    values = dataclasses.asdict(preset)
    return {
        key: {k: (str(v) if v in (float("inf"), float("-inf")) else v) for k, v in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in values.items()
    }


def puzzles_from(metadata: dict[str, Any], tensors: dict[str, Tensor], name: str) -> PuzzleMap:
    """The puzzle map of a checkpoint."""
    try:
        listed = metadata["puzzles"]
        views = ViewTable(tensors["puzzles.dihedrals"].numpy(), tensors["puzzles.colors"].numpy())
        starts = tensors["puzzles.starts"].numpy().astype(np.int64)
        puzzles = PuzzleMap(listed["kind"], tuple(listed["ids"]), tuple(listed["hashes"]), starts, views)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{name}: the puzzle map in the file cannot be read: {error}") from error
    if len(starts) != len(puzzles.ids) + 1 or len(puzzles.hashes) != len(puzzles.ids) or starts[-1] != len(views):
        raise CheckpointError(f"{name}: the puzzle map in the file contradicts itself")
    return puzzles


def puzzle_tensors(puzzles: PuzzleMap) -> dict[str, Tensor]:
    """The tensors that `puzzles_from` reads."""
    return {
        "puzzles.starts": torch.from_numpy(puzzles.starts.copy()),
        "puzzles.dihedrals": torch.from_numpy(np.ascontiguousarray(puzzles.views.dihedrals)),
        "puzzles.colors": torch.from_numpy(np.ascontiguousarray(puzzles.views.colors)),
    }


def save(path: Path, tensors: dict[str, Tensor], preset: Preset, puzzles: PuzzleMap, facts: dict[str, Any]) -> None:
    """Write one checkpoint atomically: tensors, puzzle map, recipe, facts (step, scores, ...) and hashes."""
    stored = {n: t.detach().to("cpu").contiguous() for n, t in (tensors | puzzle_tensors(puzzles)).items()}
    metadata: dict[str, Any] = {
        **facts,
        "format": FORMAT,
        "preset": preset_values(preset),
        "puzzles": {"kind": puzzles.kind, "ids": puzzles.ids, "hashes": puzzles.hashes},
        "sha256": {
            name: tensor_hash(SAFETENSORS_TYPES[t.dtype], tuple(t.shape), _raw(t)) for name, t in stored.items()
        },
    }
    metadata = json.loads(json.dumps(metadata))
    metadata["self"] = header_hash(metadata)
    write_atomic(path, safetensors.torch.save(stored, {METADATA_KEY: json.dumps(metadata)}))




def _raw(tensor: Tensor) -> memoryview:
    return memoryview(tensor.reshape(-1).view(torch.uint8).numpy())
