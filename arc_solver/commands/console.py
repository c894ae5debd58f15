"""What the commands share with the terminal: durations, notices, limits on tasks."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from arc_solver.task import Task

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str | None) -> float | None:
    """`90s`, `25m`, `11h` (or a sum such as `1h30m`) in seconds; a usage error for anything else."""
    if text is None:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise typer.BadParameter(f"{text!r} is not a duration; write 90s, 25m or 11h")
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise typer.BadParameter(f"{text!r}: a duration must be longer than nothing")
    return seconds


def duration(seconds: float) -> str:
    """Seconds as a person says them: 42 s, 3 min 10 s, 5.2 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{seconds / 3600:.1f} h"


def sayer(quiet: bool) -> Callable[[str], None]:
    """A function that prints a line to stderr, or nothing when quiet."""
    return (lambda _: None) if quiet else (lambda text: print(text, file=sys.stderr, flush=True))


def refuse_overwriting(out: Path, *inputs: Path | str | None) -> None:
    """A usage error where the output would replace one of the files it is made from."""
    for given in inputs:
        if given is not None and Path(given).is_file() and out.exists() and out.samefile(given):
            raise typer.BadParameter(f"--out {out}: this is one of the inputs; choose another path")


def chosen(
    tasks: list[Task],
    limit: int | None,
    only: list[str] | None,
    max_canvas: int | None,
    option: str = "--only",
) -> list[Task]:
    """The tasks asked for: by id, by canvas side, then the first `limit`. A usage error for an unknown id."""
    if only:
        missing = sorted(set(only) - {task.id for task in tasks})
        if missing:
            raise typer.BadParameter(f"{option} {missing[0]!r}: no such task in the file")
        tasks = [task for task in tasks if task.id in set(only)]
    if max_canvas is not None:
        from arc_solver.domain.arc import task_side

        tasks = [task for task in tasks if task_side(task) <= max_canvas]
        if not tasks:
            raise typer.BadParameter(f"--max-canvas {max_canvas}: no task has so small a canvas")
    return tasks if limit is None else tasks[:limit]


def set_threads(threads: int | None) -> None:
    """Limit the threads of torch; None leaves them as they are."""
    if threads is None:
        return
    import torch

    torch.set_num_threads(threads)
