"""arc-solve convert."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from arc_solver.commands.console import refuse_overwriting, tell, writing

EPILOG = "\b\nExample: arc-solve convert step_518071 --out trm.safetensors --identifiers identifiers.json"


def convert(
    model: Path = typer.Argument(
        ..., help="A published TRM or HRM checkpoint (a torch or safetensors file)."
    ),
    out: Path = typer.Option(..., help="The checkpoint to write (.safetensors)."),
    identifiers: Path | None = typer.Option(
        None, help="Its identifiers.json; without it only the blank row is kept."
    ),
    config: Path | None = typer.Option(
        None, help="Its trainer's config; default: the all_config.yaml beside it, where there is one."
    ),
    heads: int | None = typer.Option(None, min=1, help="Attention heads; else by the config, or of 64."),
    prefix: int | None = typer.Option(
        None, min=1, help="Prefix positions; else by shapes or the config, or 16 for TRM."
    ),
    cycles: int | None = typer.Option(None, min=1, help="The paper's T; default: 3 for TRM, 2 for HRM."),
    latent_steps: int | None = typer.Option(
        None, min=1, help="The paper's n; default: 6 for TRM on Sudoku or with a mixer, else 4; 2 for HRM."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Import a published TRM or HRM.

    What neither its shapes nor its all_config.yaml tell has the published value unless it is given; the
    output says what was assumed. The foreign file is opened in a process of its own, weights only; nothing
    else in it is run.
    """
    refuse_overwriting({"--out": out}, model, identifiers, config)
    from arc_solver.checkpoints.convert.convert import Choices, convert_file
    from arc_solver.storage.files import sweep_beside

    sweep_beside(out)
    written = writing(out)
    facts = convert_file(model, out, identifiers, Choices(heads, prefix, cycles, latent_steps), config)
    tell(written())
    if facts["assumed"] != "nothing":
        print(
            f"assumed as published: {facts['assumed']}; a wrong value gives wrong answers, and the "
            "all_config.yaml of the model would tell",
            file=sys.stderr,
        )
    typer.echo(
        json.dumps(facts) if as_json else "\n".join(f"{key:12} {value}" for key, value in facts.items())
    )
