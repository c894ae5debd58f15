"""Checkpoints read into models, and written."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import (
    FORMAT,
    METADATA_KEY,
    BeyondFile,
    CheckpointError,
    header_hash,
    preset_from,
    read_verified,
    tensor_hash,
)
from arc_solver.config import ConfigError, Preset
from arc_solver.domains.domains import find_domain
from arc_solver.model.symbols import FIRST_SYMBOL_TOKEN
from arc_solver.model.trm import Model
from arc_solver.storage.files import write_atomic
from arc_solver.tasks.puzzles import PuzzleMap
from augment.dihedral import DIHEDRALS
from augment.grid import NUM_COLORS
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
# What a recipe may ask for beyond its file's tensors: harmless, but enough to say which are missing.
MAX_FREE_NUMBERS, MAX_LAYERS = 1 << 22, 1 << 10
# Far above what any recipe asks for; a file that asks for more is damaged or hostile.
MAX_POSITIONS, MAX_LATENTS, MAX_UPDATES, MAX_VIEWS = 1 << 14, 1 << 10, 1 << 20, 1 << 24
# Parts of the names of weights: as they were, and as they are now.
OLD_NAMES = {".peers.": ".group_sums.", ".mixer.": ".position_mlp."}
PUZZLE_ARRAYS = ("starts", "dihedrals", "colors")


@dataclass(frozen=True)
class Loaded:
    """A model ready to predict (the moving average if one was saved), its puzzles, recipe and metadata."""

    model: Model
    puzzles: PuzzleMap
    preset: Preset
    metadata: dict[str, Any]


def load(path: str | Path, side: int = 0) -> Loaded:
    """Read a checkpoint for prediction; CheckpointError names what is wrong with the file.

    Weights with symbols as an axis know neither cells nor symbols by number: unless `side` is 0, they become
    a model for boards of this side.
    """
    path = Path(path)
    metadata, tensors = read_tensors(path)
    preset = preset_from(metadata, path.name)
    puzzles = puzzles_from(metadata, tensors, path.name)
    rows = tensors.get("average.puzzle.rows", tensors.get("model.puzzle.rows"))
    if rows is None:
        raise CheckpointError(f"{path.name}: no embedding rows in the file")
    if puzzles.kind != preset.model.embedding or rows.dim() != 2 or rows.shape[0] < puzzles.num_rows:
        raise CheckpointError(
            f"{path.name}: rows of shape {tuple(rows.shape)} for {puzzles.num_rows} of {puzzles.kind!r}, "
            f"but the model's kind is {preset.model.embedding!r}; the file contradicts itself"
        )
    check_recipe(preset, tensors, path.name)
    if preset.model.symbols and side:
        fitting = replace(preset.model, length=side * side, vocabulary=side + FIRST_SYMBOL_TOKEN)
        preset = replace(preset, model=fitting)
    prefix = "average." if any(name.startswith("average.") for name in tensors) else "model."
    state = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    state["puzzle.rows"] = rows
    try:
        with torch.device("meta"):  # without memory: a file may ask for any size
            wanted = build_model(preset, rows.shape[0])
        check_state(shapes_of(wanted), state, path.name)
    except CheckpointError as error:
        raise BeyondFile(str(error)) from error
    except ConfigError as error:
        raise CheckpointError(f"{path.name}: the recipe in the file cannot be: {error}") from error
    model = build_model(preset, rows.shape[0])
    model.load_state_dict({n: t.float() for n, t in state.items()})
    return Loaded(model.eval().requires_grad_(False), puzzles, preset, metadata)


def build_model(preset: Preset, num_rows: int = 1, seed: int = 0) -> Model:
    """An untrained model, with the groups of cells of its domain; ConfigError if it needs others."""
    needed = "group_sums" in preset.model.mixers
    groups = find_domain(preset.train.domain).groups(preset.model.length) if needed else None
    return Model(preset.model, num_rows, seed, groups)


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Metadata and tensors of a verified checkpoint, under current names."""
    header, content = read_verified(path)
    try:
        tensors = safetensors.torch.load(content)
    except (ValueError, KeyError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    for old, new in OLD_NAMES.items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    return header.metadata, tensors


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


def shapes_of(model: Model) -> dict[str, tuple[int, ...]]:
    """Names and shapes of its state dict."""
    return {name: tuple(t.shape) for name, t in model.state_dict().items()}


def check_recipe(preset: Preset, tensors: dict[str, Tensor], name: str) -> None:
    """BeyondFile if a recipe asks for more than its file holds, before any memory is allocated."""
    config = preset.model
    held = max(MAX_FREE_NUMBERS, *(t.numel() for t in tensors.values()))
    positions = config.num_positions(config.length)
    sizes = {
        "num_layers": (config.num_layers * config.networks, MAX_LAYERS),
        "num_latents": (config.num_latents, MAX_LATENTS),
        "prefix_length": (config.prefix_length, MAX_POSITIONS),
        "length": (config.length, MAX_POSITIONS),
        "width": (config.width * config.inner(config.width), held),
        "vocabulary": (config.vocabulary * config.width, held),
        "positions": (positions * config.inner(positions) if "position_mlp" in config.mixers else 0, held),
        "cycles": (config.cycles * max(config.latent_steps, 1), MAX_UPDATES),
        "views": (preset.predict.views, MAX_VIEWS),
        "ages": (preset.predict.ages, MAX_UPDATES),
        "batch_size": (preset.predict.batch_size, MAX_VIEWS),
    }
    for field, (wanted, limit) in sizes.items():
        if wanted > limit:
            raise BeyondFile(
                f"{name}: the recipe in the file is beyond its tensors or beyond reason ({field}: {wanted}, "
                f"at most {limit}); the file contradicts itself"
            )


def preset_values(preset: Preset) -> dict[str, Any]:
    """The recipe as plain JSON values, infinity as text."""
    values = dataclasses.asdict(preset)
    return {
        key: {k: (str(v) if v in (float("inf"), float("-inf")) else v) for k, v in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in values.items()
    }


def puzzles_from(metadata: dict[str, Any], tensors: dict[str, Tensor], name: str) -> PuzzleMap:
    """The puzzle map of a checkpoint, whose numbers kernels may trust; CheckpointError for a bad one."""
    try:
        listed = metadata["puzzles"]
        kind, ids, hashes = listed["kind"], tuple(listed["ids"]), tuple(listed["hashes"])
        starts, dihedrals, colors = (tensors[f"puzzles.{part}"].numpy() for part in PUZZLE_ARRAYS)
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{name}: the puzzle map in the file cannot be read: {error}") from error
    if not (
        all(isinstance(text, str) and _is_plain(text) for text in (*ids, *hashes))
        and len(hashes) == len(ids)
        and _are_spans(starts, len(ids), len(dihedrals) if dihedrals.ndim == 1 else -1)
        and _are_views(dihedrals, colors)
    ):
        raise CheckpointError(f"{name}: the puzzle map in the file contradicts itself")
    return PuzzleMap(kind, ids, hashes, starts, ViewTable(dihedrals, colors))


def _is_plain(text: str) -> bool:
    """Whether a text may be an id: without control characters and lone surrogates."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _are_spans(starts: npt.NDArray[Any], num_tasks: int, num_views: int) -> bool:
    return bool(
        starts.dtype == np.int64
        and starts.shape == (num_tasks + 1,)
        and starts[0] == 0
        and starts[-1] == num_views
        and (np.diff(starts) >= 0).all()
    )


def _are_views(dihedrals: npt.NDArray[Any], colors: npt.NDArray[Any]) -> bool:
    return bool(
        dihedrals.dtype == colors.dtype == np.uint8
        and colors.shape == (len(dihedrals), NUM_COLORS)
        and (dihedrals < len(DIHEDRALS)).all()
        and (np.sort(colors, axis=1) == np.arange(NUM_COLORS)).all()
    )


def puzzle_tensors(puzzles: PuzzleMap) -> dict[str, Tensor]:
    """The tensors that `puzzles_from` reads."""
    views = puzzles.views
    arrays: tuple[npt.NDArray[np.generic], ...] = (puzzles.starts, views.dihedrals, views.colors)
    return {
        f"puzzles.{part}": torch.from_numpy(array.copy())
        for part, array in zip(PUZZLE_ARRAYS, arrays, strict=True)
    }


def save(
    path: Path, tensors: dict[str, Tensor], preset: Preset, puzzles: PuzzleMap, facts: dict[str, Any]
) -> None:
    """Write one checkpoint atomically: tensors, puzzle map, recipe, facts (step, scores, ...) and hashes."""
    stored = {n: t.detach().to("cpu").contiguous() for n, t in (tensors | puzzle_tensors(puzzles)).items()}
    metadata: dict[str, Any] = {
        **facts,
        "format": FORMAT,
        "preset": preset_values(preset),
        "puzzles": {"kind": puzzles.kind, "ids": puzzles.ids, "hashes": puzzles.hashes},
        "sha256": {
            name: tensor_hash(SAFETENSORS_TYPES[t.dtype], tuple(t.shape), _raw(t))
            for name, t in stored.items()
        },
    }
    metadata = json.loads(json.dumps(metadata))
    metadata["self"] = header_hash(metadata)
    write_atomic(path, safetensors.torch.save(stored, {METADATA_KEY: json.dumps(metadata)}))


def _raw(tensor: Tensor) -> memoryview:
    if tensor.numel() == 0:
        return memoryview(b"")
    return tensor.reshape(-1).view(torch.uint8).numpy().data
