"""arc-solve bench."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import typer

from arc_solver.commands.completion import among
from arc_solver.commands.completion import weights as weights_named
from arc_solver.commands.console import sayer
from arc_solver.commands.options import AS_JSON, QUIET
from arc_solver.progress import duration

EPILOG = "\b\nExample: arc-solve bench vote --quick"
SECTIONS = ("augment", "train", "predict", "vote", "cli")
ASKED_FOR = ("profile", "profile-blocks")  # for a GPU: too much for a CPU
SECTION_NAMES = among((*SECTIONS, *ASKED_FOR))


def bench(
    sections: list[str] | None = typer.Argument(
        None,
        help="augment, train, predict, vote or cli; default: all five. For a GPU: profile, profile-blocks.",
        autocompletion=SECTION_NAMES,
    ),
    quick: bool = typer.Option(
        False, "--quick", help="Small forms of all of them: within 50 s on two cores."
    ),
    weights: list[str] = typer.Option(
        [],
        help="Weights for the section predict: a file, or a name such as arc; may be repeated.",
        autocompletion=weights_named,
    ),
    quiet: bool = QUIET,
    as_json: bool = AS_JSON,
) -> None:
    """Measure the speed of this machine.

    Every figure is the median of several runs, with their spread, and is printed as soon as it is measured.
    """
    from arc_solver.config import did_you_mean

    unknown = sorted(set(sections or ()) - {*SECTIONS, *ASKED_FOR})
    if unknown:
        known = (*SECTIONS, *ASKED_FOR)
        hint = did_you_mean(unknown[0], known)
        raise typer.BadParameter(f"{unknown[0]!r}: expected some of {', '.join(known)}{hint}")
    from arc_solver.benchmarks.sections import measure
    from arc_solver.checkpoints.file_format import read_header
    from arc_solver.checkpoints.shipped import find_weights

    say = sayer(quiet)
    paths = [find_weights(name, say=say) for name in weights]
    for path in paths:
        read_header(path)  # what is not there is said before anything is measured
    found: list[Mapping[str, Any]] = []
    for section in sections or SECTIONS:
        started, before = time.monotonic(), len(found)
        for figure in measure(section, quick, paths):
            found.append(figure)
            # What a killed run has measured is on the screen: with --json as remarks.
            (say if as_json else typer.echo)(row(figure))
        say(f"{section}: {len(found) - before} figures in {duration(time.monotonic() - started)}")
    if as_json:
        typer.echo(json.dumps(found))


def row(figure: Mapping[str, Any]) -> str:
    """A figure as a line of the table."""
    line = f"{figure['name']:32} {figure['value']:>14,.4g} {figure['unit']:16}"
    return f"{line} {figure['runs']:>3} runs, spread {figure['spread']:.3g}"
