"""How the workers of a prediction are run: their command, devices, times and what comes of their end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from arc_solver.hardware.accelerators import worker_environments
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.request import Wish
from arc_solver.prediction.worker_process import Conditions

WORKER = (sys.executable, "-P", "-m", "arc_solver.prediction.worker")
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class PredictionIncomplete(RuntimeError):
    """Workers failed for good and left something without an answer; the file is valid all the same."""

    exit_code = 1


def conditions_of(
    wish: Wish, times: Times, say: Callable[[str], None], command: tuple[str, ...] = WORKER
) -> Conditions:
    """The conditions of the workers that `wish` asks for: as many as there are environments."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(PACKAGE_ROOT)]))
    environments = worker_environments(wish.device, wish.workers, wish.threads)
    return Conditions(
        command,
        tuple(environment | {"PYTHONPATH": path} for environment in environments),
        times.kill_at,
        times.stop_at,
        times.silence(),
        say=say,
    )
