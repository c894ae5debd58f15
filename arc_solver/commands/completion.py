"""The completions that a shell offers for an incomplete word."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

DEVICES = ("auto", "cpu", "cuda", "mps")
MIN_ID_LENGTH = 2  # characters of a task's id before all ids are searched


def among(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Completes to those of these names that start with what was typed."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def sources(incomplete: str) -> list[str]:
    """Sets, ids of tasks, files and folders."""
    from arc_solver.tasks.arckit_sets import BUILTIN_NAMES, task_ids

    names = among(["arc1", "arc2", *BUILTIN_NAMES, "synthetic:"])(incomplete)
    if len(incomplete) >= MIN_ID_LENGTH and set(incomplete) <= set("0123456789abcdef"):
        names += among(task_ids())(incomplete)
    return names + _paths(incomplete)


def training_data(incomplete: str) -> list[str]:
    """What `train` knows by name, files and folders."""
    return among(("arc1", "arc2", "sudoku", "maze", "synthetic:"))(incomplete) + _paths(incomplete)


def presets(incomplete: str) -> list[str]:
    """Names of recipes."""
    from arc_solver.presets import PRESETS

    return among(PRESETS)(incomplete)


def weights(incomplete: str) -> list[str]:
    """Shipped weights, files and folders."""
    from arc_solver.checkpoints.shipped import all_shipped

    return among(path.stem for path in all_shipped())(incomplete) + _paths(incomplete)


def described(incomplete: str) -> list[str]:
    """What `info` knows."""
    return presets(incomplete) + weights(incomplete)


def settings(incomplete: str) -> list[str]:
    """Fields of a recipe."""
    from arc_solver.config import ModelConfig, PredictConfig, TrainConfig

    parts = (ModelConfig, TrainConfig, PredictConfig)
    return among(sorted({f"{field.name}=" for part in parts for field in dataclasses.fields(part)}))(
        incomplete
    )


def _paths(incomplete: str) -> list[str]:
    folder, slash, start = incomplete.rpartition("/")
    inside = Path(folder or slash or ".")
    names = [path.name + "/" * path.is_dir() for path in inside.glob("*")] if inside.is_dir() else []
    shown = [name for name in sorted(names) if start or not name.startswith(".")]
    return [f"{folder}{slash}{name}" for name in among(shown)(start)]
