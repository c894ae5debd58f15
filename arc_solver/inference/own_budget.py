"""The default time of test-time training, and how many views it learns."""

from __future__ import annotations

from collections.abc import Sequence

from arc_solver.domains.arc.examples import task_side
from arc_solver.inference.options import SolveOptions
from arc_solver.progress import duration
from arc_solver.storage.text import count
from arc_solver.tasks.task import Task

# A fixed part, a part per cell of the canvases (as the runs in docs/results.md took on two cores), a limit.
MIN_SECONDS, SECONDS_PER_CELL, MAX_SECONDS = 45.0, 0.16, 4 * 3600.0
# What a training step may take, in all and per cell of its batch: then 300 fit in the time of one small task
# and learn it. On a slower core the time is stretched.
STEP_SECONDS, STEP_SECONDS_PER_CELL, MAX_STRETCH = 0.15, 90e-6, 4.0
STEPS, VIEWS = ("steps", "train.steps"), ("num_views", "train.num_views")
# How often every demonstration should be trained on under each view, and the fewest views worth having.
MEETINGS, MIN_VIEWS = 12, 4


def own_seconds(tasks: Sequence[Task], stretch: float = 1.0) -> float:
    """Seconds to learn and answer these tasks, by the size of their grids; times `stretch` on a slow core."""
    cells = sum(task_side(task) ** 2 for task in tasks)
    return _rounded(min(MAX_SECONDS, stretch * (MIN_SECONDS + SECONDS_PER_CELL * cells)))


def stretch_of(seconds_per_step: float, cells: float) -> float:
    """How much slower than the default time assumes a step of `cells` cells is, 1 to MAX_STRETCH."""
    allowed = max(STEP_SECONDS, STEP_SECONDS_PER_CELL * cells)
    return min(MAX_STRETCH, max(1.0, seconds_per_step / allowed))


def leaves_it_open(options: SolveOptions) -> bool:
    """Whether tasks are to be learned, but no option says for how long."""
    named = _names(options, STEPS)
    return options.adapt and options.adapt_steps is None and options.deadline is None and not named


def leaves_views_open(options: SolveOptions) -> bool:
    """Whether no option says how many views of a task to use."""
    return not _names(options, VIEWS)


def fitted_views(num_views: int, most: int, num_pairs: int, met: float) -> int:
    """`num_views`, halved, or doubled up to `most`, so that `met` examples are MEETINGS per pair and view."""
    while num_views >= 2 * MIN_VIEWS and met < MEETINGS * num_pairs * num_views:
        num_views //= 2
    while 2 * num_views <= most and met >= MEETINGS * num_pairs * 2 * num_views:
        num_views *= 2
    return num_views


def own_budget_line(seconds: float, num_tasks: int) -> str:
    """The budget in words, and how to choose another."""
    return (
        f"no time limit was given: about {duration(seconds)} for {count(num_tasks, 'task')}; "
        f"--time-limit {longer(seconds)} gives more, --time-limit 20s less (the more, the more is solved)"
    )


def _names(options: SolveOptions, fields: tuple[str, ...]) -> bool:
    return any(setting.partition("=")[0].strip() in fields for setting in options.settings)


def _rounded(seconds: float) -> float:
    """Rounded to five seconds, from two minutes on to half minutes, from an hour on to five minutes."""
    grain = 5.0 if seconds < 120 else 30.0 if seconds < 3600 else 300.0
    return grain * round(seconds / grain)


def longer(seconds: float) -> str:
    """About four times as long, as a value of the option."""
    minutes = 4 * seconds / 60
    return f"{max(5, 5 * round(minutes / 5)):.0f}m" if minutes < 120 else f"{round(minutes / 60)}h"
