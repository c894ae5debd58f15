"""Floating-point operations of training and answering, counted from a recipe; nothing is run.

Counted are the products of matrices in the blocks, two operations for each multiplication and addition, and
for a backward pass twice its forward. Not counted: element-wise work, embeddings, head and optimizer.
Shapes: S positions, D width, I inner width of a SwiGLU.
"""

from __future__ import annotations

from collections.abc import Mapping

from arc_solver.config import ModelConfig
from arc_solver.model.mixers import mixers_of

# Each product of a forward pass gives two in the backward pass.
BACKWARD = 2


def layer_shapes(config: ModelConfig) -> list[tuple[int, int]]:
    """(in, out) of every projection of one layer that is applied to each position."""
    width, inner = config.width, config.inner(config.width)
    mixing = [shape for mixer in mixers_of(config).values() for shape in mixer.projections_of(config)]
    return [*mixing, (width, 2 * inner), (inner, width)]


def layer_flops(config: ModelConfig, positions: int) -> float:
    """One layer on one row of S positions, forward."""
    projections = sum(2.0 * positions * m * n for m, n in layer_shapes(config))
    return projections + sum(mixer.flops(config, positions) for mixer in mixers_of(config).values())


def evaluations(config: ModelConfig, depth: tuple[int, int] | None = None) -> tuple[int, int]:
    """How often a forward runs the network, and how many of these a backward pass goes through.

    `depth` is (cycles, latent_steps) where they are not the configured ones.
    """
    cycles, latent_steps = depth or (config.cycles, config.latent_steps)
    each = latent_steps + 1
    return cycles * each, min(each, 2) if config.gradient == "last" else each


def step_flops(
    config: ModelConfig, rows: Mapping[int, int], depth: tuple[int, int] | None = None, ages: int = 1
) -> float:
    """One step of training on `rows` (cells of a canvas -> rows in flight there): forward and backward.

    `ages` is how many of them a step has (`gradient_ages`). The further forward that the continue output
    takes is not counted.
    """
    forward, differentiated = evaluations(config, depth)
    each = ages * config.num_layers * (forward + BACKWARD * differentiated)
    return sum(num * each * layer_flops(config, config.num_positions(cells)) for cells, num in rows.items())
