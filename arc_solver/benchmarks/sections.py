"""Which figures belong to which section of `arc-solve bench`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Figures = list[dict[str, Any]]
RUNS, QUICK_RUNS, QUICK_TASKS = 7, 3, 100


def measure(section: str, quick: bool, weights: Sequence[Path] = ()) -> Figures:
    """The figures of a section: augment, train, predict, vote, cli, profile or profile-blocks.

    `predict` takes `weights` for its proxies.
    """
    if section == "augment":
        from arc_solver.benchmarks.augment import bench_painting, bench_start, bench_sudoku, random_tasks
        from arc_solver.benchmarks.solver import bench_solver
        from arc_solver.benchmarks.synthetic import measure_synthetic

        tasks = random_tasks(0, QUICK_TASKS) if quick else None
        runs = QUICK_RUNS if quick else RUNS
        start = bench_start(tasks, 1 if quick else QUICK_RUNS)
        boards = [*bench_sudoku(runs), *bench_solver(runs)]
        return _plain([*bench_painting(tasks, runs), *start, *boards]) + measure_synthetic(quick, runs)
    if section == "train":
        from arc_solver.benchmarks.small_step import measure_small_step
        from arc_solver.benchmarks.train import measure_train

        return measure_train(quick) + measure_small_step(quick)
    if section.startswith("profile"):
        from arc_solver.benchmarks.profile import measure_profile

        return measure_profile(section, quick)
    if section == "predict":
        from arc_solver.benchmarks.predict import measure_predict

        return measure_predict(quick, weights)
    if section == "vote":
        from arc_solver.benchmarks.augment import bench_restoring, random_tasks
        from arc_solver.benchmarks.vote import measure_vote

        tasks = random_tasks(0, QUICK_TASKS) if quick else None
        return _plain(bench_restoring(tasks, QUICK_RUNS if quick else RUNS)) + measure_vote(quick)
    from arc_solver.benchmarks.cli import measure_cli

    return measure_cli(quick)


def _plain(figures: Iterable[Mapping[str, Any]]) -> Figures:
    return [dict(each) for each in figures]
