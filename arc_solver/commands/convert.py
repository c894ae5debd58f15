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
        None, help="Its identifiers.json; without it, only the blank row is kept."
    ),
    config: Path | None = typer.Option(
        None,
        help="The configuration of its trainer; default: the all_config.yaml beside it, if there is one.",
    ),
    heads: int | None = typer.Option(
        None, min=1, help="Attention heads; default: by the configuration, else one for every 64 channels."
    ),
    prefix: int | None = typer.Option(
        None, min=1, help="Prefix positions; default: by the shapes or the configuration, else 16 for TRM."
    ),
    cycles: int | None = typer.Option(None, min=1, help="The paper's T; default: 3 for TRM, 2 for HRM."),
    latent_steps: int | None = typer.Option(
        None,
        min=1,
        help="The paper's n; default: 2 for HRM, 6 for TRM on Sudoku or with a mixer, 4 for other TRMs.",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Import a published TRM or HRM.

    Most settings are read from the shapes of the weights and from all_config.yaml. The others are taken as
    published unless an option gives them, and the output lists them. Only weights are read from the file, in
    a separate process; no code in it is run.
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
