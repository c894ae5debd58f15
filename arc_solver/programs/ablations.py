"""`make ablations`: every ablation of the papers on Sudoku 4x4, at equal training time, beside their figures.

Then the ladder from the published recipe to the preset, change by change.

A cell is one variant with one seed. Finished cells are kept in a file of JSON lines and not measured again.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from arc_solver.checkpoints.weights import build_model
from arc_solver.config import ConfigError, Preset
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import apart, generate_sudoku
from arc_solver.inference.evaluate import PuzzleEvaluator
from arc_solver.presets import find_preset
from arc_solver.programs.ablation_variants import (
    BASE,
    BASE_SETTINGS,
    LADDER,
    NOT_PUBLISHED,
    PRESET,
    SIDE,
    VARIANTS,
    Variant,
)
from arc_solver.report.training_page import read_metrics
from arc_solver.settings import apply_settings
from arc_solver.storage.files import append_line, write_atomic
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.non_finite import NotFinite
from arc_solver.training.state import TrainState

NUM_TRAINING, NUM_TEST = 2000, 500
SEEDS = (0, 1)


@dataclass(frozen=True)
class Plan:
    """What all cells have in common, and where their results go."""

    seconds: float
    results: Path
    threads: int
    train: BoardSet
    test: BoardSet


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the missing cells and write the table; prints the expected time first."""
    options = parser().parse_args(arguments)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    test = generate_sudoku(NUM_TEST, SIDE, rng)
    plan = Plan(
        options.seconds,
        options.results,
        options.threads,
        apart(generate_sudoku(NUM_TRAINING, SIDE, rng), test),
        test,
    )
    variants = [v for v in VARIANTS if not options.only or v.name in (BASE, *options.only)]
    unknown = sorted(set(options.only) - {v.name for v in VARIANTS})
    if unknown:
        raise ConfigError(
            f"--only {unknown[0]!r}: no such variant; known: {'; '.join(v.name for v in VARIANTS)}"
        )
    done = read_results(plan.results)
    ladder = () if options.only else LADDER
    cells = [(variant, seed) for seed in options.seeds for variant in variants]
    cells += [(rung, options.seeds[0]) for rung in ladder]
    wanted = {key(variant, seed, plan): (variant, seed) for variant, seed in reversed(cells)}
    missing = [wanted[name] for name in reversed(wanted) if name not in done]
    print(f"{len(missing)} of {len(cells)} cells to measure: {expected(missing, plan)}", flush=True)
    for number, (variant, seed) in enumerate(missing, start=1):
        found = measure(variant, seed, plan)
        append_line(plan.results, json.dumps(found).encode())
        done[found["key"]] = found
        print(
            f"{number}/{len(missing)} {variant.name}, seed {seed}: "
            f"{100 * found['exact']:.1f} % exact after {found['steps']} steps",
            flush=True,
        )
    text = page(variants, options.seeds, plan, done) + rungs(ladder, options.seeds[0], plan, done)
    write_atomic(options.out, text.encode())
    print(options.out)


def parser() -> argparse.ArgumentParser:
    """The options of the program."""
    made = argparse.ArgumentParser(prog="python -m arc_solver.programs.ablations", description=__doc__)
    made.add_argument("--seconds", type=float, default=60.0, help="training time of a cell (60)")
    made.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds (0 1)")
    made.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    made.add_argument("--only", action="append", default=[], help="this variant and the base; repeatable")
    made.add_argument("--results", type=Path, default=Path("runs/ablations.jsonl"), help="file of cells")
    made.add_argument("--out", type=Path, default=Path("docs/ablations.md"), help="page with the table")
    return made


def recipe(variant: Variant, seed: int) -> Preset:
    """The base with a variant's change."""
    settings = [*BASE_SETTINGS, *variant.settings, f"train.seed={seed}"]
    return apply_settings(find_preset(PRESET), settings)


def key(variant: Variant, seed: int, plan: Plan) -> str:
    """A hash of all that a cell depends on: after a change of preset or time it is measured again."""
    preset = recipe(variant, seed)
    facts = [dataclasses.asdict(preset.model), dataclasses.asdict(preset.train), str(preset.predict)]
    text = json.dumps([*facts, plan.seconds, plan.threads, len(plan.train), len(plan.test)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_results(path: Path) -> dict[str, dict[str, Any]]:
    """Finished cells by key; a line that a crash cut short is skipped."""
    cells: list[dict[str, Any]] = read_metrics(path)[0] if path.exists() else []
    return {cell["key"]: cell for cell in cells}


def expected(missing: Sequence[tuple[Variant, int]], plan: Plan) -> str:
    """The time that the missing cells will take, by the evaluation of an untrained preset."""
    preset = find_preset(PRESET)
    started = time.monotonic()
    PuzzleEvaluator(SUDOKU, plan.test, preset.predict).count(build_model(preset), PuzzleMap("none"), 0, 1)
    scoring = time.monotonic() - started
    minutes = len(missing) * (plan.seconds + scoring) / 60
    return f"about {minutes:.0f} min ({plan.seconds:g} s of training and {scoring:.0f} s of scoring each)"


def measure(variant: Variant, seed: int, plan: Plan) -> dict[str, Any]:
    """Train a variant from random weights for the time of the plan and score its averaged weights."""
    preset = recipe(variant, seed)
    data, _ = SUDOKU.training(plan.train, preset)
    state = TrainState(build_model(preset, seed=seed), data, preset.train, torch.device("cpu"))
    state.batches.paint(0)  # compiled before the clock starts
    hooks, fault = Hooks(), ""
    try:
        run_steps(state, preset.train, Limits(time_limit=plan.seconds), hooks)
    except NotFinite as error:
        fault = str(error)
    evaluator = PuzzleEvaluator(SUDOKU, plan.test, preset.predict)
    scores = evaluator.metrics(evaluator.count(state.averaged, PuzzleMap("none"), 0, 1))
    return {
        "key": key(variant, seed, plan),
        "variant": variant.name,
        "settings": list(variant.settings),
        "seed": seed,
        "seconds": plan.seconds,
        "steps": state.step,
        "exact": scores["eval_exact"],
        "valid": scores["eval_valid"],
        "ages": scores["eval_ages"],
        "cell_loss": hooks.last.get("cell_loss"),
        "fault": fault,
    }


def page(
    variants: Sequence[Variant], seeds: Sequence[int], plan: Plan, done: dict[str, dict[str, Any]]
) -> str:
    """The table and how to read it, as Markdown."""
    base = [done[key(variants[0], seed, plan)]["exact"] for seed in seeds]
    head = " | ".join(f"seed {seed}" for seed in seeds)
    command = f"python -m arc_solver.programs.ablations --seconds {plan.seconds:g} --threads {plan.threads}"
    lines = [
        "# Ablations",
        "",
        f"Written by `make ablations` (`{command} --seeds {' '.join(map(str, seeds))}`):",
        f"preset `{PRESET}` with `{'` `'.join(BASE_SETTINGS)}` (its earlier values) and one change per",
        f"row. Training on {len(plan.train)} Sudokus of {SIDE}x{SIDE}, {plan.seconds:g} s per cell from",
        f"random weights; scores are exact answers in % of {len(plan.test)} other puzzles.",
        f"Machine: {platform.machine()}, {os.cpu_count()} cores,",
        f"{plan.threads} thread(s), Python {platform.python_version()}, torch {torch.__version__},",
        f"numpy {np.__version__}.",
        "",
        "The published column is Sudoku-Extreme after full training (arXiv 2510.04871, arXiv 2506.21734;",
        "one age: a later paper): another puzzle and thousands of times the compute, so compare signs,",
        "not sizes. Equal time is not equal steps: variants with more expensive steps get fewer of them.",
        "A variant that is the base itself repeats its figures.",
        "",
        f"| variant | settings | steps | {head} | mean | vs. base | published |",
        f"|---|---|---|{'---|' * len(seeds)}---|---|---|",
    ]
    for variant in variants:
        cells = [done[key(variant, seed, plan)] for seed in seeds]
        exact = [100 * cell["exact"] for cell in cells]
        change = statistics.mean(exact) - 100 * statistics.mean(base)
        settings = " ".join(f"`{setting}`" for setting in variant.settings) or NOT_PUBLISHED
        steps = statistics.mean(cell["steps"] for cell in cells)
        shown = " | ".join(
            f"{value:.1f}{' (not finite)' if cell['fault'] else ''}"
            for value, cell in zip(exact, cells, strict=True)
        )
        lines.append(
            f"| {variant.name} | {settings} | {steps:.0f} | {shown} | {statistics.mean(exact):.1f} | "
            f"{change:+.1f} | {variant.published} |"
        )
    lines += ["", "Not in the table: `embedding=composed`, which needs the color tokens of ARC."]
    return "\n".join(lines) + "\n"


def rungs(ladder: Sequence[Variant], seed: int, plan: Plan, done: dict[str, dict[str, Any]]) -> str:
    """The ladder as a section of the page; empty without one."""
    if not ladder:
        return ""
    lines = [
        "",
        f"## From the published recipe to `{PRESET}`",
        "",
        f"Every row keeps the changes of the rows above it. Puzzles, time and machine as above, seed {seed}.",
        "",
        "| change | steps | exact | cell loss |",
        "|---|---|---|---|",
    ]
    for variant in ladder:
        cell = done[key(variant, seed, plan)]
        loss = "–" if cell["cell_loss"] is None else f"{cell['cell_loss']:.3f}"
        lines.append(f"| {variant.name} | {cell['steps']} | {100 * cell['exact']:.1f} | {loss} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        main()
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
