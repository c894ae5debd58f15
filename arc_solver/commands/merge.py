"""arc-solve merge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from arc_solver.commands.completion import among, sources
from arc_solver.commands.console import refuse_ending, refuse_overwriting, with_manifest, writing
from arc_solver.commands.options import AS_JSON
from arc_solver.commands.score import refuse_own_truth

EPILOG = "\b\nExample: arc-solve merge ours.jsonl theirs.jsonl --tasks arc-agi_test_challenges.json"
RULES = ("votes", "round-robin", "learnt")
RULE_NAMES = among(RULES)


def merge(
    candidates: list[Path] = typer.Argument(
        ..., help="Candidates (JSON lines) or submissions, one per solver or run."
    ),
    tasks: str = typer.Option(..., help="The tasks that are answered.", autocompletion=sources),
    out: Path = typer.Option(Path("submission.json"), help="The submission to write."),
    rule: str | None = typer.Option(
        None,
        help="votes, round-robin or learnt; default: what wins on --solutions, else votes.",
        autocompletion=RULE_NAMES,
    ),
    solutions: str | None = typer.Option(
        None,
        help="Right answers to these tasks, or to those of --calibrate: they compare the rules and weigh the "
        "solvers.",
    ),
    calibrate: list[Path] | None = typer.Option(
        None, help="Candidates of the same solvers for the tasks of --solutions; one file for each, in order."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Join several solvers in one submission.

    Takes the candidate files that `predict --candidates` writes, those of any other solver, or whole
    submissions, whose first attempts weigh more. With --solutions it says what each solver solves alone and
    what merging adds, and merges only where that wins. The solutions may be those of another set; then
    --calibrate names the candidates of the same solvers for that set.
    """
    from arc_solver.prediction.manifest import manifest_path
    from arc_solver.prediction.merge_files import Merge, merge_files
    from arc_solver.storage.output_lock import own_outputs

    if rule is not None and rule not in RULES:
        raise typer.BadParameter(f"--rule {rule!r}: expected one of {', '.join(RULES)}")
    if rule == "learnt" and solutions is None:
        raise typer.BadParameter("--rule learnt needs --solutions to learn from")
    refuse_overwriting(with_manifest(out), tasks, solutions, *candidates, *(calibrate or ()))
    refuse_ending("--out", out, ".json")
    if solutions is not None:
        for path in (*candidates, *(calibrate or ())):
            refuse_own_truth(path, solutions)
    if calibrate and solutions is None:
        raise typer.BadParameter(
            "--calibrate needs --solutions, the answers of the tasks of those candidates"
        )
    written = writing(out, manifest=True)
    with own_outputs(out, manifest_path(out)):
        facts: dict[str, Any] = merge_files(Merge(candidates, tasks, out, rule, solutions, calibrate or ()))
    text = facts.pop("text")
    for remark in facts["unreadable"]:
        print(f"warning: {remark}", file=sys.stderr)
    for path in facts["empty"]:
        print(f"warning: {path}: holds no candidate", file=sys.stderr)
    typer.echo(json.dumps(facts) if as_json else f"{text}\n{written()}")
