"""What changes during a run: the learning rate and the depth of the recursion."""

from __future__ import annotations

import math

from arc_solver.config import ModelConfig, TrainConfig

# (end as a share of the run, T, n): the published depth curriculum; after it comes the model's own depth.
DEPTH_STAGES = ((0.3, 1, 2), (0.6, 2, 4))


def rate_factor(config: TrainConfig, step: int, progress: float) -> float:
    """Factor in 0..1 for step `step` (from 0): linear warm-up times the decay at `progress` (0..1).

    Progress is the larger of steps done over steps planned and time spent over time limit.
    """
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "constant" or config.decay_share == 0:
        return warm
    into_decay = min(1.0, max(0.0, (progress - (1 - config.decay_share)) / config.decay_share))
    if config.schedule == "linear":
        return warm * (1 - into_decay)
    return warm * (0.5 + 0.5 * math.cos(math.pi * into_decay))


def depth(config: TrainConfig, model: ModelConfig, progress: float) -> tuple[int, int]:
    """(cycles, latent_steps) at `progress` (0..1), never more than the model's own."""
    for end, cycles, latent_steps in DEPTH_STAGES if config.curriculum == "depth" else ():
        if progress < end:
            return min(cycles, model.cycles), min(latent_steps, model.latent_steps)
    return model.cycles, model.latent_steps


def depths(config: TrainConfig, model: ModelConfig) -> list[tuple[int, int]]:
    """All depths of a run, in order."""
    starts = [0.0, *(end for end, _, _ in DEPTH_STAGES)]
    return list(dict.fromkeys(depth(config, model, start) for start in starts))


def relative_cost(config: TrainConfig, model: ModelConfig) -> float:
    """The mean cost of a step of the run, relative to one at the model's own depth.

    Counted in evaluations of the network; one with gradient counts as three.
    """

    def cost(cycles: int, latent_steps: int) -> int:
        return (cycles + 2) * (latent_steps + 1)

    if config.curriculum == "off":
        return 1.0
    starts = [0.0, *(end for end, _, _ in DEPTH_STAGES)]
    ends = [*starts[1:], 1.0]
    total = sum(
        (end - start) * cost(*depth(config, model, start)) for start, end in zip(starts, ends, strict=True)
    )
    return total / cost(model.cycles, model.latent_steps)
