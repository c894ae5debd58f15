"""Recipes for test-time training compared at equal CPU time on the development set.

`python -m arc_solver.programs.equal_time --seconds 60 --variant "" --variant "width=96" --out trials.jsonl`
learns the tasks from their demonstrations with every variant and seed in turn, answers them, and writes a
line for each. Lines in the file are not measured again. `--weights FILE` starts from these as `predict` does;
`--groups N` divides the tasks among N sets of weights, each with its share of the seconds; `--tasks` names
other tasks than the development set, with their answers.
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
from arc_solver.domains.arc.examples import task_side
from arc_solver.inference.adaptation import adapt, cold_model, warm_model
from arc_solver.inference.evaluate import PuzzleEvaluator
from arc_solver.presets import find_preset
from arc_solver.programs.development_set import development_tasks
from arc_solver.report.training_page import read_metrics
from arc_solver.settings import apply_settings
from arc_solver.storage.files import append_line
from arc_solver.tasks.puzzles import puzzles_of
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.sharding import cost
from arc_solver.tasks.task import Task
from arc_solver.training.loop import Hooks, Limits

# What identifies a cell.
KEY = ("variant", "seed", "seconds", "tasks", "most_side", "weights", "preset", "source", "groups")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the missing cells."""
    options = parser().parse_args(arguments)
    torch.set_num_threads(1)
    tasks = chosen_tasks(options.tasks, options.most_side)[:: options.every]
    groups = [tasks[first :: options.groups] for first in range(options.groups)]
    loaded = load(options.weights) if options.weights else None
    base = loaded.preset if loaded else find_preset(options.preset)
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
                "source": options.tasks or "",
                "groups": options.groups,
            }
            if json.dumps(key) in done:
                continue
            recipe = apply_settings(base, [*shlex.split(variant), f"train.seed={seed}"])
            per_cost = options.seconds / sum(map(cost, tasks))
            cell = key | added_up(
                [measured(own, recipe, loaded, per_cost * sum(map(cost, own))) for own in groups]
            )
            append_line(options.out, json.dumps(cell).encode())
            print(json.dumps(cell), flush=True)


def chosen_tasks(source: str | None, most_side: int) -> list[Task]:
    """The tasks of the development set, or of another source, with a fitted canvas of at most this side."""
    if source is None:
        return development_tasks(most_side)
    return [task for task in read_tasks(source, with_solutions=True) if task_side(task) <= most_side]


def measured(tasks: Sequence[Task], recipe: Preset, loaded: Loaded | None, seconds: float) -> dict[str, Any]:
    """What was solved after so many CPU seconds of learning, and the times of learning and answering."""
    started = time.process_time()
    config = loaded.model.config if loaded else recipe.model
    train = recipe.train
    puzzles = puzzles_of(tasks, config.embedding, train, train.seed)
    model = warm_model(loaded, puzzles) if loaded else cold_model(config, puzzles, train.seed)
    rows_only = recipe.predict.adapt_rows_share if loaded else 0.0
    train = dataclasses.replace(train, rows_only_share=rows_only)
    hooks = Hooks()
    limits = Limits(time_limit=seconds, clock=time.process_time)
    model = adapt(model, puzzles, tasks, train, limits, torch.device("cpu"), hooks=hooks)
    learned = time.process_time()
    counts = PuzzleEvaluator(ARC, tuple(tasks), recipe.predict, train.canvas).count(model, puzzles, 0, 1)
    last = hooks.last
    return {
        "outputs": int(counts["outputs"]),
        "solved": int(counts["exact"]),
        "solved_at_once": int(counts["pass_1"]),
        "steps": last.get("step", 0),
        "cell_loss": last.get("cell_loss"),
        "learning_s": round(learned - started, 1),
        "answering_s": round(time.process_time() - learned, 1),
    }


def added_up(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The results of all groups of tasks; for several groups, a list of their losses."""
    sums = {name: sum(part[name] for part in parts) for name in parts[0] if name != "cell_loss"}
    losses = [part.get("cell_loss") for part in parts]
    return sums | {"cell_loss": losses if len(parts) > 1 else losses[0]}


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
    found.add_argument("--weights", type=Path, help="start from these, not from scratch")
    found.add_argument("--seeds", type=int, nargs="+", default=[0])
    found.add_argument("--tasks", help="a file with answers or a name as arc1:training, for other tasks")
    found.add_argument("--groups", type=int, default=1, help="weight sets that share tasks and seconds")
    found.add_argument("--most-side", type=int, default=16, help="tasks of a canvas up to this side")
    found.add_argument("--every", type=int, default=1, help="take every so many-th task")
    found.add_argument("--out", type=Path, default=Path("equal-time.jsonl"))
    return found


if __name__ == "__main__":
    main()
