"""The figures of each section of `arc-solve bench`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RUNS, QUICK_RUNS, QUICK_TASKS = 7, 3, 100


def measure(section: str, quick: bool, weights: Sequence[Path] = ()) -> Iterator[Mapping[str, Any]]:
    """The figures of a section, each as soon as it is measured.

    Sections: augment, train, predict, vote, cli, profile or profile-blocks. `predict` takes `weights` for its
    proxies.
    """
    if section == "augment":
        from arc_solver.benchmarks.augment import bench_painting, bench_start, bench_sudoku, random_tasks
        from arc_solver.benchmarks.solver import bench_solver
        from arc_solver.benchmarks.synthetic import measure_synthetic

        tasks = random_tasks(0, QUICK_TASKS) if quick else None
        runs = QUICK_RUNS if quick else RUNS
        yield from bench_painting(tasks, runs)
        yield from bench_start(tasks, 1 if quick else QUICK_RUNS)
        yield from bench_sudoku(runs)
        yield from bench_solver(runs)
        yield from measure_synthetic(quick, runs)
    elif section == "train":
        from arc_solver.benchmarks.small_step import measure_small_step
        from arc_solver.benchmarks.train import measure_train

        yield from measure_train(quick)
        yield from measure_small_step(quick)
    elif section.startswith("profile"):
        from arc_solver.benchmarks.profile import measure_profile

        yield from measure_profile(section, quick)
    elif section == "predict":
        from arc_solver.benchmarks.predict import measure_predict

        yield from measure_predict(quick, weights)
    elif section == "vote":
        from arc_solver.benchmarks.augment import bench_restoring, random_tasks
        from arc_solver.benchmarks.vote import measure_vote

        tasks = random_tasks(0, QUICK_TASKS) if quick else None
        yield from bench_restoring(tasks, QUICK_RUNS if quick else RUNS)
        yield from measure_vote(quick)
    else:
        from arc_solver.benchmarks.cli import measure_cli

        yield from measure_cli(quick)
