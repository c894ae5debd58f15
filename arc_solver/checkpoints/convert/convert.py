"""Published TRM and HRM checkpoints (arXiv 2510.04871, 2506.21734), converted to our format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.checkpoints.convert.architecture import Choices
from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.checkpoints.convert.foreign import extract
from arc_solver.checkpoints.convert.identifiers import read_identifiers
from arc_solver.checkpoints.convert.layout import adopt
from arc_solver.checkpoints.convert.published_config import NAME as CONFIG_NAME
from arc_solver.checkpoints.convert.published_config import PublishedConfig, read_published_config
from arc_solver.checkpoints.weights import save
from arc_solver.config import ModelConfig, PredictConfig, Preset, TrainConfig
from arc_solver.storage.files import sha256_file
from arc_solver.tasks.puzzles import PuzzleMap

__all__ = ["Choices", "ConvertError", "convert_file"]

DOMAINS = {12: "arc", 11: "sudoku", 6: "maze"}
AGES = 16
ROWS_PER_TASK = 1001  # of the published ARC tables: the identity and a thousand views


def convert_file(
    source: Path, out: Path, identifiers: Path | None, choices: Choices, config_file: Path | None = None
) -> dict[str, Any]:
    """Write the published checkpoint `source` as `out`; returns what was found, as plain values.

    What `choices` leaves open is read from `config_file`, or from an all_config.yaml beside `source`. With
    `identifiers` the embedding rows are kept, grouped by task, and tasks are known by id. ConvertError names
    the first thing that does not fit, and nothing is written then.
    """
    if out.suffix != ".safetensors":
        raise ConvertError(f"{out}: the checkpoint's name must end in .safetensors")
    beside = source.with_name(CONFIG_NAME)
    config_file = config_file or (beside if beside.exists() else None)
    published = read_published_config(config_file) if config_file else PublishedConfig()
    adopted = adopt(extract(source), choices, source.name, published)
    config, state = adopted.config, adopted.state
    domain = DOMAINS.get(config.vocabulary)
    if domain is None:
        raise ConvertError(f"{source.name}: a vocabulary of {config.vocabulary}, expected 12 (ARC), 11 or 6")
    puzzles, order = PuzzleMap("rows"), np.zeros(1, np.int64)
    if identifiers is not None:
        puzzles, order = read_identifiers(identifiers, state["puzzle.rows"].shape[0])
    state["puzzle.rows"] = state["puzzle.rows"][order]
    preset = _preset(config, domain, source.name, puzzles, published.number("halt_max_steps") or AGES)
    facts = {"kind": "weights", "step": 0, "seconds": 0.0, "files": [(source.name, sha256_file(source))]}
    save(out, {f"average.{name}": t.float() for name, t in state.items()}, preset, puzzles, facts)
    return {
        "checkpoint": str(out),
        "kind": "HRM" if config.networks == 2 else "TRM",
        "domain": domain,
        "width": config.width,
        "layers": config.num_layers,
        "heads": config.num_heads,
        "prefix": config.prefix_length,
        "cycles": config.cycles,
        "latent_steps": config.latent_steps,
        "config": published.place or "none",
        "assumed": adopted.assumed or "nothing",
        "parameters": sum(t.numel() for name, t in state.items() if name != "puzzle.rows"),
        "tasks": len(puzzles.ids),
        "rows": int(state["puzzle.rows"].shape[0]),
    }


def _preset(config: ModelConfig, domain: str, name: str, puzzles: PuzzleMap, ages: int) -> Preset:
    """A recipe that predicts as published: under every view that a task has a row for."""
    kind = "HRM" if config.networks == 2 else "TRM"
    views = max(ROWS_PER_TASK, int(np.diff(puzzles.starts).max(initial=1))) if domain == "arc" else 1
    return Preset(
        f"{kind.lower()}-imported",
        f"{kind} for {domain}, imported from {name}",
        config,
        TrainConfig(domain=domain, canvas="full"),
        PredictConfig(views=views, ages=ages),
    )
