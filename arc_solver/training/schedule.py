"""Learning-rate factor of a step."""

from __future__ import annotations

import math

from arc_solver.config import TrainConfig


def rate_factor(config: TrainConfig, step: int, progress: float) -> float:
    """Factor in 0..1 for step `step` (from 0): linear warm-up times the decay at `progress` (0..1).

    Progress is steps done over steps planned, or time spent over time granted where that is further.
    """
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "constant" or config.decay_share == 0:
        return warm
    into_decay = min(1.0, max(0.0, (progress - (1 - config.decay_share)) / config.decay_share))
    if config.schedule == "linear":
        return warm * (1 - into_decay)
    return warm * (0.5 + 0.5 * math.cos(math.pi * into_decay))
