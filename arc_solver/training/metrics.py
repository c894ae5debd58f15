"""The log of a run's figures: JSON lines, and TensorBoard if asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arc_solver.storage.files import append_line

TENSORBOARD_NAME = "tensorboard"


class TensorboardMissing(RuntimeError):
    """--tensorboard needs a package that is not installed; the text says how to install it."""

    exit_code = 1


def check_tensorboard() -> None:
    """Raise TensorboardMissing unless the package is installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401 - is it installed?
    except ImportError as error:
        raise TensorboardMissing(
            "--tensorboard needs TensorBoard, which is not installed; run: pip install tensorboard"
        ) from error


class MetricsLog:
    """Appends figures to the file `path` and a TensorBoard folder beside it; the run starts at `step`."""

    def __init__(self, path: Path, *, tensorboard: bool = False, step: int = 0) -> None:
        self.path = path
        self.writer: Any = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(path.with_name(TENSORBOARD_NAME)), purge_step=step + 1)

    def add(self, metrics: dict[str, Any]) -> None:
        """Log the figures of one step, whose number is under "step"."""
        append_line(self.path, json.dumps(metrics).encode())
        if self.writer is not None:
            for name, value in metrics.items():
                if name != "step" and isinstance(value, int | float):
                    self.writer.add_scalar(name, value, metrics["step"])

    def close(self) -> None:
        """Close the files."""
        if self.writer is not None:
            self.writer.close()
