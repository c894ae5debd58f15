"""Published TRM and HRM checkpoints (arXiv 2510.04871, 2506.21734) as checkpoints of ours."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import load_file

from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.checkpoints.convert.foreign import extract
from arc_solver.checkpoints.convert.identifiers import read_identifiers
from arc_solver.checkpoints.convert.layout import Choices, adopt
from arc_solver.checkpoints.weights import save
from arc_solver.config import PredictConfig, Preset, TrainConfig
from arc_solver.storage.files import sha256_file
from arc_solver.tasks.puzzles import PuzzleMap

__all__ = ["Choices", "ConvertError", "convert_file"]

DOMAINS = {12: "arc", 11: "sudoku", 6: "maze"}
AGES = 16


def convert_file(source: Path, out: Path, identifiers: Path | None, choices: Choices) -> dict[str, Any]:
    """Write the published checkpoint `source` as `out`; what was found, as plain values.

    With `identifiers` its rows are kept, each task's together; tasks are known by id then. ConvertError names
    the first thing that does not fit; nothing is written in that case.
    """
    if out.suffix != ".safetensors":
        raise ConvertError(f"{out}: the checkpoint's name must end in .safetensors")
    with tempfile.TemporaryDirectory(prefix="arc-solver-convert-") as folder:
        plain = Path(folder) / "tensors.safetensors"
        extract(source, plain)
        try:
            tensors = load_file(plain)
        except safetensors.SafetensorError as error:
            raise ConvertError(f"{source}: its tensors cannot be read: {error}") from error
    config, state = adopt(tensors, choices, source.name)
    puzzles = PuzzleMap("rows")
    if identifiers is not None:
        puzzles, order = read_identifiers(identifiers, state["puzzle.rows"].shape[0])
        state["puzzle.rows"] = state["puzzle.rows"][order]
    else:
        state["puzzle.rows"] = state["puzzle.rows"][:1]
    domain = DOMAINS.get(config.vocabulary)
    if domain is None:
        raise ConvertError(f"{source.name}: a vocabulary of {config.vocabulary}, expected 12 (ARC), 11 or 6")
    kind = "HRM" if config.networks == 2 else "TRM"
    preset = Preset(
        f"{kind.lower()}-imported",
        f"{kind} for {domain}, imported from {source.name}",
        config,
        TrainConfig(domain=domain, canvas="full"),
        PredictConfig(views=1000 if domain == "arc" else 1, ages=AGES),
    )
    facts = {"kind": "weights", "step": 0, "seconds": 0.0, "files": [(source.name, sha256_file(source))]}
    save(out, {f"average.{name}": t.float() for name, t in state.items()}, preset, puzzles, facts)
    return {
        "checkpoint": str(out),
        "kind": kind,
        "domain": domain,
        "width": config.width,
        "layers": config.num_layers,
        "cycles": config.cycles,
        "latent_steps": config.latent_steps,
        "assumed": choices.assumed(config) or "nothing",
        "parameters": sum(t.numel() for name, t in state.items() if name != "puzzle.rows"),
        "tasks": len(puzzles.ids),
        "rows": int(state["puzzle.rows"].shape[0]),
    }
