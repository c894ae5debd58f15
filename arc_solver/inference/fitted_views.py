"""How many views of its tasks a test-time training has time to learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from arc_solver.config import Preset, TrainConfig
from arc_solver.domains.arc.examples import ArcTraining
from arc_solver.hardware.memory import is_out_of_memory
from arc_solver.inference.options import SolveOptions
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, without_answers
from arc_solver.training.cost import seconds_per_step
from arc_solver.training.state import TrainState

# So often every demonstration shall be met under every view; fewer views than these are not worth it.
MEETINGS, LEAST_VIEWS = 12, 4
SETTINGS = ("num_views", "train.num_views")


def leaves_views_open(options: SolveOptions, preset: Preset, device: torch.device) -> bool:
    """Whether time alone limits the learning, nobody says how many views there shall be, and it is a CPU.

    Elsewhere a step may have to be compiled before it tells how long it takes.
    """
    named = any(setting.partition("=")[0].strip() in SETTINGS for setting in options.settings)
    timed = options.deadline is not None and options.adapt_steps is None and options.keep is None
    compiles = preset.train.compile not in ("auto", "off")
    return timed and not named and not compiles and device.type == "cpu"


def affordable_views(
    train: TrainConfig, model: Model, puzzles: PuzzleMap, tasks: Sequence[Task], seconds: float
) -> int:
    """The views of a task that can be learnt in so many seconds, told by a few steps; uses `model` up."""
    blind = [without_answers(task) for task in tasks]
    try:
        state = TrainState(model, ArcTraining(blind, puzzles, train), train, torch.device("cpu"))
        met = train.batch_size * seconds / seconds_per_step(state, train)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return train.num_views  # whoever learns them meets the same, and takes fewer rows at once
    return fitted_views(train.num_views, sum(len(task.train) for task in tasks), met)


def fitted_views(num_views: int, num_pairs: int, met: float) -> int:
    """`num_views`, halved until `met` examples are MEETINGS for each of the pairs under each of them."""
    while num_views >= 2 * LEAST_VIEWS and met < MEETINGS * num_pairs * num_views:
        num_views //= 2
    return num_views
