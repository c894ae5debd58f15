"""arc-solve info."""

from __future__ import annotations

import json
from typing import Any

import typer

from arc_solver.commands.completion import described
from arc_solver.commands.options import AS_JSON

EPILOG = "\b\nExample: arc-solve info runs/arc/final.safetensors   (without a file: the presets)"


def info(
    checkpoint: str | None = typer.Argument(
        None,
        help="A checkpoint, the folder of a run (its last weights), or the name of shipped weights or of a "
        "preset; without one, these names are listed.",
        autocompletion=described,
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Describe a checkpoint; list presets.

    Shows recipe, parameters, step, data and scores.
    """
    if checkpoint is None:
        from arc_solver.checkpoints.shipped import all_shipped
        from arc_solver.presets import PRESETS

        listed = {name: preset.about for name, preset in PRESETS.items()}
        listed |= {path.name: f"shipped weights; card: {path.with_suffix('.md')}" for path in all_shipped()}
        if as_json:
            typer.echo(json.dumps(listed))
            return
        wide = max(map(len, listed))
        for name, about in listed.items():
            typer.echo(f"{name:{wide}}  {about}")
        return
    facts = _described(checkpoint)
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            typer.echo(f"{key}:")
            for name, item in value.items():
                typer.echo(f"  {name:22} {item}")
        else:
            typer.echo(f"{key:24} {value}")


def _described(name: str) -> dict[str, Any]:
    """The facts of a checkpoint, or the fields of a preset of that name; a file goes first."""
    import dataclasses

    from arc_solver.checkpoints.file_format import CheckpointMissing, describe
    from arc_solver.checkpoints.shipped import find_weights
    from arc_solver.presets import PRESETS

    try:
        return describe(find_weights(name, PRESETS))
    except CheckpointMissing:
        if name not in PRESETS:
            raise
        return dataclasses.asdict(PRESETS[name])
