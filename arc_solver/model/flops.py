"""Floating-point operations of training and answering, counted from a recipe; nothing is run.

Counts the matrix products of the blocks, as two operations per multiply-add, and a backward pass as twice its
forward pass. Does not count element-wise work, embeddings, head and optimizer.
Shapes: S positions, D width, I inner width of a SwiGLU.
"""

from __future__ import annotations

from collections.abc import Mapping

from arc_solver.config import ModelConfig
from arc_solver.model.mixers import mixers_of

# Each product of a forward pass has two in the backward pass.
BACKWARD = 2


def layer_shapes(config: ModelConfig) -> list[tuple[int, int]]:
    """(in, out) of each projection of one layer that is applied to every position."""
    width, inner = config.width, config.inner(config.width)
    mixing = [shape for mixer in mixers_of(config).values() for shape in mixer.projections_of(config)]
    return [*mixing, (width, 2 * inner), (inner, width)]


def layer_flops(config: ModelConfig, positions: int) -> float:
    """One layer on one row of S positions, forward."""
    projections = sum(2.0 * positions * m * n for m, n in layer_shapes(config))
    return projections + sum(mixer.flops(config, positions) for mixer in mixers_of(config).values())


def evaluations(config: ModelConfig, depth: tuple[int, int] | None = None) -> tuple[int, int]:
    """How often a forward pass evaluates the network, and how many of these have gradients.

    `depth` is (cycles, latent_steps), by default the configured ones.
    """
    cycles, latent_steps = depth or (config.cycles, config.latent_steps)
    each = latent_steps + 1
    return cycles * each, min(each, 2) if config.gradient == "last" else each


def step_flops(
    config: ModelConfig, rows: Mapping[int, int], depth: tuple[int, int] | None = None, ages: int = 1
) -> float:
    """One training step on `rows` (cells of a canvas -> rows in flight on it), forward and backward.

    `ages` are those of one step (`gradient_ages`). The extra forward pass for the continue output is not
    counted.
    """
    forward, differentiated = evaluations(config, depth)
    each = ages * config.num_layers * (forward + BACKWARD * differentiated)
    return sum(num * each * layer_flops(config, config.num_positions(cells)) for cells, num in rows.items())
