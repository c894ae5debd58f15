"""Saving a run and resuming it from its newest intact checkpoint."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from arc_solver.checkpoints.file_format import CheckpointError, checkpoint_name, checkpoints, preset_from
from arc_solver.checkpoints.weights import check_recipe, check_state, puzzles_from, read_tensors, save
from arc_solver.config import Preset
from arc_solver.domains.protocols import TrainingData
from arc_solver.storage.files import remove
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.training.non_finite import check_tensors
from arc_solver.training.state import TrainState

BEST_NAME = "best.safetensors"
# Rows in flight beyond this size are not saved: a restart begins with new rows and is not bit-identical.
MAX_SLOTS_BYTES = 256 << 20
# Settings that may change between two sessions of one run.
FREE_SETTINGS = ("steps", "save_every", "eval_every", "keep", "compile")


def run_hash(preset: Preset, data: TrainingData) -> str:
    """A name for a run: a hash of its recipe without the free settings, and of its data."""
    model, train = asdict(preset.model), asdict(preset.train)
    for name in FREE_SETTINGS:
        train.pop(name)
    text = json.dumps([model, train, data.fingerprint], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def save_state(
    folder: Path,
    state: TrainState,
    preset: Preset,
    puzzles: PuzzleMap,
    data: TrainingData,
    facts: dict[str, Any],
) -> Path:
    """Write the checkpoint of this step and remove the oldest beyond `keep`; all processes call, one writes.

    Damaged ones that were skipped on resuming are removed first, so that they displace no intact one. Raises
    NotFinite, with nothing written, if a tensor of the run is not finite.
    """
    tensors = state.tensors(in_flight=state.in_flight_bytes <= MAX_SLOTS_BYTES)
    check_tensors(tensors, state.step)
    path = folder / checkpoint_name(state.step)
    if not state.team.leads:
        return path
    save(
        path,
        tensors,
        preset,
        puzzles,
        {
            **facts,
            "kind": "run",
            "step": state.step,
            "seconds": round(state.seconds, 3),
            "data": data.fingerprint,
        },
    )
    for damaged in state.passed_over:
        if damaged != path:
            remove(damaged)
    state.passed_over.clear()
    for old in checkpoints(folder)[max(2, preset.train.keep) :]:
        remove(old)
    return path


def checkpoint_bytes(state: TrainState) -> int:
    """Size of a checkpoint without its header and puzzle map."""
    in_flight = state.in_flight_bytes
    return _bytes(state.tensors(in_flight=False)) + (in_flight if in_flight <= MAX_SLOTS_BYTES else 0)


def weights_bytes(state: TrainState) -> int:
    """Size of a file of averaged weights and rows without its header and puzzle map."""
    return _bytes(state.averaged.state_dict())


def _bytes(tensors: Mapping[str, Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors.values())


def save_weights(
    path: Path, state: TrainState, preset: Preset, puzzles: PuzzleMap, facts: dict[str, Any]
) -> None:
    """Write what prediction needs: the averaged weights and the rows."""
    tensors = {f"average.{name}": t for name, t in state.averaged.state_dict().items()}
    check_tensors(tensors, state.step)
    save(
        path,
        tensors,
        preset,
        puzzles,
        {**facts, "kind": "weights", "step": state.step, "seconds": round(state.seconds, 3)},
    )


def resume(
    folder: Path, state: TrainState, preset: Preset, data: TrainingData, warn: Callable[[str], None]
) -> dict[str, Any] | None:
    """Load the newest intact checkpoint of `folder` into `state`; None if there is no checkpoint at all.

    A damaged file is skipped with a warning and removed at the next save. CheckpointError for an intact one
    of another recipe or other data, and if none is intact: a run is never silently started anew.
    FolderNotShared if processes find different steps, before they load any.
    """
    listed = checkpoints(folder)
    for number, path in enumerate(listed, 1):
        try:
            metadata, tensors = read_tensors(path)
        except CheckpointError as error:
            state.passed_over.append(path)
            if number == len(listed):
                others = f" (nor is any of the other {number - 1})" if number > 1 else ""
                raise CheckpointError(
                    f"{error}{others}; remove {folder}/checkpoint-* to begin anew, or choose another --out"
                ) from error
            warn(f"{error}; trying the one before")
            continue
        theirs = preset_from(metadata, path.name)
        _check_same_run(path, theirs, preset, metadata.get("data") == data.fingerprint)
        check_recipe(theirs, tensors, path.name)
        puzzles_from(metadata, tensors, path.name)
        step, seconds = step_of(path, metadata)
        state.team.check_same_step(folder, step)
        load_into(state, tensors, path.name)
        state.step, state.seconds = step, seconds
        return metadata
    state.team.check_same_step(folder, None)
    return None


def step_of(path: Path, metadata: dict[str, Any]) -> tuple[int, float]:
    """The step and the seconds of a checkpoint, whose name must hold the same step."""
    step, seconds = metadata.get("step"), metadata.get("seconds")
    if type(step) is not int or path.name != checkpoint_name(step):
        raise CheckpointError(f"{path.name}: holds step {step!r}; was it renamed?")
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise CheckpointError(f"{path.name}: {seconds!r} seconds of training; the file contradicts itself")
    return step, float(seconds)


def load_into(state: TrainState, tensors: dict[str, Tensor], name: str) -> None:
    """Copy a run's tensors into `state`; CheckpointError, before any change, if they do not fit."""
    mine = {n: tuple(t.shape) for n, t in state.tensors().items()}
    theirs = {n: t for n, t in tensors.items() if not n.startswith("puzzles.")}
    if not any(n.startswith("slots.") for n in theirs):
        mine = {n: shape for n, shape in mine.items() if not n.startswith("slots.")}
    check_state(mine, theirs, name)
    state.load_tensors(theirs)


def _check_same_run(path: Path, theirs: Preset, preset: Preset, same_data: bool) -> None:
    differences = [] if same_data else ["the training data differ"]
    for part in ("model", "train"):
        here, there = asdict(getattr(preset, part)), asdict(getattr(theirs, part))
        differences += [
            f"{part}.{key} is {value} here, {there[key]} there"
            for key, value in here.items()
            if value != there[key] and key not in FREE_SETTINGS
        ]
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise CheckpointError(
            f"{path.parent} holds another run ({'; '.join(differences[:3])}{more}); "
            "choose another --out or remove the folder"
        )
