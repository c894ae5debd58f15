"""arc-solve info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from arc_solver.commands.completion import described
from arc_solver.commands.options import AS_JSON

# What the summary says.
SUMMED_UP = frozenset(
    [
        "file",
        "bytes",
        "kind",
        "step",
        "training_seconds",
        "parameters",
        "row_parameters",
        "start_values",
        "puzzles",
        "preset",
        "about",
    ]
)
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
        if as_json:
            cards = {path.name: f"shipped weights; card: {path.with_suffix('.md')}" for path in all_shipped()}
            typer.echo(json.dumps(listed | cards))
            return
        listed |= {
            path.stem: f"shipped weights; their card: arc-solve info {path.stem}" for path in all_shipped()
        }
        wide = max(map(len, listed))
        for name, about in listed.items():
            typer.echo(f"{name:{wide}}  {about}")
        return
    facts = _described(checkpoint)
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for line in _summary(facts) if "file" in facts else ():
        typer.echo(line)
    for key, value in facts.items():
        if (key in SUMMED_UP and "file" in facts) or value in (None, {}, ""):
            continue
        if isinstance(value, dict):
            typer.echo(f"{key}:")
            for name, item in value.items():
                typer.echo(f"  {name:22} {item}")
        else:
            typer.echo(f"{key:24} {value}")


def _summary(facts: dict[str, Any]) -> list[str]:
    """What a checkpoint is, for people: its purpose, size, training, and where its scores are."""
    from arc_solver.progress import duration
    from submission.messages import count

    path = Path(facts["file"])
    card, start = path.with_suffix(".md"), facts["start_values"]
    size = f"{facts['parameters'] - start:,} weights and {start:,} values to start from"
    if facts["row_parameters"]:
        size += f", and {facts['row_parameters']:,} in rows of tasks"
    steps, seconds = facts["step"], facts["training_seconds"]
    trained = count(steps, "step") if isinstance(steps, int) else None
    if trained and isinstance(seconds, int | float):
        trained += f" in {duration(seconds)}, the last run"
    tasks = facts["puzzles"]["tasks"]
    lines = {
        "what": f"{facts['kind']} for {facts['train'].get('domain')}",
        "recipe": f"{facts['preset']}: {facts['about']}",
        "size": f"{size}; {facts['bytes']:,} bytes",
        "trained": trained,
        "tasks": f"{count(tasks, 'task')} known by their rows" if tasks else None,
        "scores": None if facts["scores"] or not card.is_file() else "in the card",
        "card": card if card.is_file() else None,
        "file": path,
    }
    return [f"{name:8} {text}" for name, text in lines.items() if text] + [""]


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
