"""Floating-point operations of training and answering, counted from a recipe; nothing is run.

Counted are the products of matrices in the blocks, two operations for each multiplication and addition, and
for a backward pass twice its forward. Not counted: element-wise work, embeddings, head and optimizer.
Shapes: S positions, D width, I inner width of a SwiGLU.
"""

from __future__ import annotations

from collections.abc import Mapping

from arc_solver.config import ModelConfig

# Each product of a forward pass gives two in the backward pass.
BACKWARD = 2
# A cell and its four neighbours.
MEETINGS = 5


def layer_shapes(config: ModelConfig) -> list[tuple[int, int]]:
    """(in, out) of every projection of one layer that is applied to each position."""
    width, inner = config.width, config.inner(config.width)
    feed_forward = [(width, 2 * inner), (inner, width)]
    mixing = [(width, 3 * width), (width, width)] if config.mixer == "attention" else []
    return mixing + feed_forward


def layer_flops(config: ModelConfig, positions: int) -> float:
    """One layer on one row of S positions, forward."""
    projections = sum(2.0 * positions * m * n for m, n in layer_shapes(config))
    meetings = MEETINGS if config.neighbours else config.convolution**2
    near = meetings * config.inner(config.width)
    projections += 2.0 * (positions - config.prefix) * near
    if config.mixer == "attention":
        return projections + 4.0 * positions * positions * config.width
    if config.mixer == "none":
        return projections
    inner = config.inner(positions)
    return projections + 2.0 * config.width * (positions * 2 * inner + inner * positions)


def evaluations(config: ModelConfig, depth: tuple[int, int] | None = None) -> tuple[int, int]:
    """How often a forward runs the network, and how many of these a backward pass goes through.

    `depth` is (cycles, latent_steps) where they are not the configured ones.
    """
    cycles, latent_steps = depth or (config.cycles, config.latent_steps)
    each = latent_steps + 1
    return cycles * each, min(each, 2) if config.gradient == "last" else each


def forward_flops(config: ModelConfig, cells: int) -> float:
    """One forward of one row of so many cells: one age of an answer."""
    return evaluations(config)[0] * config.num_layers * layer_flops(config, config.num_positions(cells))


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
