"""Recipes for test-time training compared at equal CPU time on the development set.

`python -m arc_solver.programs.equal_time --seconds 60 --variant "" --variant "width=96" --out trials.jsonl`
learns the tasks from their demonstrations with every variant and seed in turn, answers them, and writes a
line for each. A line that is there is not measured again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from arc_solver.checkpoints.weights import Loaded, load
from arc_solver.config import Preset
from arc_solver.domains.arc.domain import ARC
from arc_solver.inference.adaptation import adapt, cold_model, warm_model
from arc_solver.inference.evaluate import PuzzleEvaluator
from arc_solver.presets import find_preset
from arc_solver.programs.development_set import development_tasks
from arc_solver.report.training_page import read_metrics
from arc_solver.settings import apply_settings
from arc_solver.storage.files import append_line
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from arc_solver.training.loop import Hooks, Limits

# What tells one cell from another.
KEY = ("variant", "seed", "seconds", "tasks", "most_side", "weights", "preset")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the cells that are missing."""
    options = parser().parse_args(arguments)
    torch.set_num_threads(1)
    tasks = development_tasks(options.most_side)[:: options.every]
    loaded = load(options.weights) if options.weights else None
    done = finished(options.out)
    for seed in options.seeds:
        for variant in options.variant:
            key = {
                "variant": variant,
                "seed": seed,
                "seconds": options.seconds,
                "tasks": len(tasks),
                "most_side": options.most_side,
                "weights": options.weights.name if options.weights else "",
                "preset": "" if options.weights else options.preset,
            }
            if json.dumps(key) in done:
                continue
            settings = [*shlex.split(variant), f"train.seed={seed}"]
            base = loaded.preset if loaded else find_preset(options.preset)
            cell = key | measured(tasks, apply_settings(base, settings), loaded, options.seconds)
            append_line(options.out, json.dumps(cell).encode())
            print(json.dumps(cell), flush=True)


def measured(tasks: Sequence[Task], recipe: Preset, loaded: Loaded | None, seconds: float) -> dict[str, Any]:
    """What was solved after so many CPU seconds of learning, and what learning and answering took."""
    started = time.process_time()
    config = loaded.model.config if loaded else recipe.model
    puzzles = PuzzleMap.build(tasks, config.embedding, recipe.train.num_views, recipe.train.seed)
    model = warm_model(loaded, puzzles) if loaded else cold_model(config, puzzles, recipe.train.seed)
    train = recipe.train if loaded else dataclasses.replace(recipe.train, rows_only_share=0.0)
    hooks = Hooks()
    limits = Limits(time_limit=seconds, clock=time.process_time)
    model = adapt(model, puzzles, tasks, train, limits, torch.device("cpu"), hooks=hooks)
    learnt = time.process_time()
    counts = PuzzleEvaluator(ARC, tuple(tasks), recipe.predict, train.canvas).count(model, puzzles, 0, 1)
    last = hooks.last
    return {
        "outputs": int(counts["outputs"]),
        "solved": int(counts["exact"]),
        "solved_at_once": int(counts["pass_1"]),
        "steps": last.get("step"),
        "cell_loss": last.get("cell_loss"),
        "learning_s": round(learnt - started, 1),
        "answering_s": round(time.process_time() - learnt, 1),
    }


def finished(path: Path) -> set[str]:
    """The keys of the cells that a file holds; a line that a crash cut short is skipped."""
    cells, _ = read_metrics(path) if path.exists() else ([], [])
    return {json.dumps({key: cell.get(key) for key in KEY}) for cell in cells}


def parser() -> argparse.ArgumentParser:
    """The options of this program."""
    found = argparse.ArgumentParser(description="Recipes compared at equal CPU time.")
    found.add_argument("--seconds", type=float, required=True, help="CPU seconds of learning for each cell")
    found.add_argument("--variant", action="append", required=True, help='settings, "key=value key=value"')
    found.add_argument("--preset", default="cpu-arc")
    found.add_argument("--weights", type=Path, help="start from these, not from nothing")
    found.add_argument("--seeds", type=int, nargs="+", default=[0])
    found.add_argument("--most-side", type=int, default=16, choices=(7, 11, 16))
    found.add_argument("--every", type=int, default=1, help="take every so many-th task")
    found.add_argument("--out", type=Path, default=Path("equal-time.jsonl"))
    return found


if __name__ == "__main__":
    main()
