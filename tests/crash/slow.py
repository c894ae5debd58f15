"""Changes of pace for tiny runs: functions for `setup` of an order."""

import os
import time
from collections.abc import Callable
from typing import Any

SECONDS = 60.0


def _slowed(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    def slow(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        time.sleep(seconds)
        return result

    return slow


def endless_step() -> None:
    """Let a training step take a minute."""
    from arc_solver.training import loop

    loop.train_step = _slowed(loop.train_step, SECONDS)


def endless_sync() -> None:
    """Let the disk take a minute for every file."""
    os.fsync = _slowed(os.fsync, SECONDS)


def endless_evaluation() -> None:
    """Let an evaluation take a minute."""
    from arc_solver.inference.evaluate import PuzzleEvaluator

    PuzzleEvaluator.count = _slowed(PuzzleEvaluator.count, SECONDS)  # type: ignore[method-assign]


def talkative() -> None:
    """Write a line of the log at every step."""
    from tests.crash import failpoints

    failpoints.REPORT_SECONDS = 0.0
