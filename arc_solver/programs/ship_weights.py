"""Ships weights, with the beginning of a card: `... programs.ship_weights WEIGHTS NAME [key=value ...]`.

Weights become bfloat16. Of the rows, only the blank one and the mean of all others are kept: new tasks start
there, and no training task can be looked up. With `embedding=rows prefix_length=1`, a model with a composed
prefix keeps only its position for the task.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from arc_solver.checkpoints.shipped import FOLDER
from arc_solver.checkpoints.weights import load, save
from arc_solver.config import ModelConfig
from arc_solver.model.puzzle_embedding import COMPOSED
from arc_solver.settings import apply_settings
from arc_solver.storage.files import sha256_file, write_atomic
from arc_solver.tasks.puzzles import PuzzleMap

MAX_BYTES = 16 * 2**20


def prepare_weights(source: Path, target: Path, settings: Sequence[str] = ()) -> dict[str, Any]:
    """Write the weights of `source` to `target`, with `settings` in their recipe; returns its facts.

    Raises CheckpointError if `source` is no checkpoint, ConfigError for an unknown setting, ValueError for a
    setting that needs other weights and for a result of more than 16 MiB.
    """
    loaded = load(source)
    preset = apply_settings(loaded.preset, list(settings))
    state = loaded.model.state_dict()
    composed = loaded.preset.model.embedding == "composed"
    if composed and preset.model == task_rows(loaded.preset.model):
        state = {name: t for name, t in state.items() if name not in COMPOSED}
    elif preset.model != loaded.preset.model:
        raise ValueError(f"{', '.join(settings)}: the model of finished weights cannot be changed")
    rows = state["puzzle.rows"]
    state["puzzle.rows"] = (
        torch.cat((rows[:1], rows[1:].mean(dim=0, keepdim=True))) if len(rows) > 1 else rows
    )
    tensors = {f"average.{name}": t.bfloat16() for name, t in state.items()}
    known = ("step", "seconds", "files", "scores", "data")
    facts = {key: loaded.metadata[key] for key in known if key in loaded.metadata} | {"kind": "weights"}
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    if size > MAX_BYTES:
        raise ValueError(f"{source}: {size:,} bytes in bfloat16, at most {MAX_BYTES:,} may ship")
    save(target, tensors, preset, PuzzleMap(preset.model.embedding), facts)
    return facts | {"preset": preset, "sha256": sha256_file(target), "bytes": target.stat().st_size}


def task_rows(model: ModelConfig) -> ModelConfig:
    """The model with rows for (task, view) in place of a composed prefix."""
    return dataclasses.replace(model, embedding="rows", prefix_length=1, row_width=0)


def card(name: str, facts: dict[str, Any]) -> str:
    """The card as Markdown, with the facts in the file; scores are added by hand, with their commands."""
    preset = facts["preset"]
    rows = {
        "file": f"`{name}`, {facts['bytes']:,} bytes, bfloat16",
        "SHA-256": f"`{facts['sha256']}`",
        "trained": f"{facts['step']:,} steps, {facts['seconds'] / 3600:.2f} h",
        "recipe": f"`{preset.name}`; every field is in the file (`arc-solve info`)",
    }
    lines = [f"# {name}", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())]
    lines += ["", "Data, as opened:", ""]
    lines += [
        f"- {file}" + (f" (SHA-256 `{digest[:16]}…`)" if digest else "") for file, digest in facts["files"]
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Ship one file of weights under its name."""
    parser = argparse.ArgumentParser(prog="python -m arc_solver.programs.ship_weights", description=__doc__)
    parser.add_argument("weights", type=Path, help="weights of `arc-solve train`")
    parser.add_argument("name", help="arc, maze, sudoku")
    parser.add_argument("settings", nargs="*", help="key=value for fields of the recipe")
    parser.add_argument("--replace", action="store_true", help="overwrite the weights there, and their card")
    asked = parser.parse_intermixed_args()
    target = FOLDER / f"{asked.name}.safetensors"
    if target.exists() and not asked.replace:
        raise ValueError(f"{target} exists, with a card edited by hand; --replace overwrites both")
    facts = prepare_weights(asked.weights, target, asked.settings)
    write_atomic(target.with_suffix(".md"), card(target.name, facts).encode())
    print(f"{target}: {facts['bytes']:,} bytes; add scores to {target.with_suffix('.md')}")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
