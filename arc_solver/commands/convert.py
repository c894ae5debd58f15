"""arc-solve convert."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from arc_solver.commands.console import refuse_overwriting

EPILOG = "\b\nExample: arc-solve convert step_518071 --out trm.safetensors --identifiers identifiers.json"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(convert)


def convert(
    model: Path = typer.Argument(..., help="A published TRM or HRM checkpoint (a torch file)."),
    out: Path = typer.Option(..., help="The checkpoint to write (.safetensors)."),
    identifiers: Path | None = typer.Option(
        None, help="Its identifiers.json; without it only the blank row is kept."
    ),
    heads: int | None = typer.Option(None, min=1, help="Attention heads; default: heads of 64."),
    prefix: int | None = typer.Option(None, min=1, help="Prefix positions; default: 16 for TRM, 1 for HRM."),
    cycles: int | None = typer.Option(None, min=1, help="The paper's T; default: 3 for TRM, 2 for HRM."),
    latent_steps: int | None = typer.Option(
        None, min=1, help="The paper's n; default: 6 for TRM on Sudoku or with a mixer, else 4; 2 for HRM."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Import a published TRM or HRM.

    What the file does not tell has the published value unless it is given; the output says what was assumed.
    The foreign file is opened in a process of its own, weights only; nothing else in it is run.
    """
    refuse_overwriting({"--out": out}, model, identifiers)
    from arc_solver.checkpoints.convert.convert import Choices, convert_file
    from arc_solver.storage.files import sweep_beside

    sweep_beside(out)
    facts = convert_file(model, out, identifiers, Choices(heads, prefix, cycles, latent_steps))
    typer.echo(
        json.dumps(facts) if as_json else "\n".join(f"{key:12} {value}" for key, value in facts.items())
    )
