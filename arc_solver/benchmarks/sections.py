"""Which figures belong to which section of `arc-solve bench`."""

from __future__ import annotations

from typing import Any

Figures = list[dict[str, Any]]


def measure(section: str, quick: bool) -> Figures:
    """The figures of a section: augment, train, predict, vote or cli."""
    if section == "augment":
        from arc_solver.benchmarks.augment import measure_augment
        from arc_solver.benchmarks.solver import measure_solver

        return measure_augment(quick) + measure_solver(quick)
    if section == "train":
        from arc_solver.benchmarks.train import measure_train

        return measure_train(quick)
    if section == "predict":
        from arc_solver.benchmarks.predict import measure_predict

        return measure_predict(quick)
    if section == "vote":
        from arc_solver.benchmarks.vote import measure_vote

        return measure_vote(quick)
    from arc_solver.benchmarks.cli import measure_cli

    return measure_cli(quick)
