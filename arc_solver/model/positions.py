"""The layout of positions on a canvas, and the rotary tables for attention.

Shapes: P prefix positions, then H × W cells in reading order.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from arc_solver.model.fused_feed_forward import Shape

ROTARY_THETA = 1e4


class Canvas(NamedTuple):
    """The layout of positions: `prefix` of them, then height × width cells in reading order.

    `free` (B, H, W, 1) marks the cells that are not walls, if the recipe has walls.
    """

    prefix: int
    height: int
    width: int
    rotary: tuple[Tensor, Tensor] | None
    free: Tensor | None = None
    rounded: bool = False  # the large products of float32 on a CPU round their factors to bfloat16


def shape_of(canvas: Canvas) -> Shape:
    """The sizes of a canvas."""
    return Shape(canvas.prefix, canvas.height, canvas.width)


def rotary_table(
    kind: str, prefix: int, height: int, width: int, head_width: int
) -> tuple[Tensor, Tensor] | None:
    """Cosines and sines (P + height·width, head width) of a canvas in reading order.

    "rotary1d" counts positions from the first prefix position (as published). "rotary2d" uses half of the
    frequencies for the row and half for the column, each counted from 1; the prefix is not rotated.
    """
    if kind == "rotary1d":
        place = torch.arange(prefix + height * width, dtype=torch.float32)
        angles = torch.outer(place, frequencies(head_width // 2))
    elif kind == "rotary2d":
        place = torch.arange(height * width)
        share = frequencies(head_width // 4)
        cells = torch.cat(
            (
                torch.outer((place // width + 1).float(), share),
                torch.outer((place % width + 1).float(), share),
            ),
            dim=1,
        )
        angles = torch.cat((torch.zeros(prefix, head_width // 2), cells))
    else:
        return None
    angles = torch.cat((angles, angles), dim=1)
    return angles.cos(), angles.sin()


def frequencies(num: int) -> Tensor:
    """`num` angular frequencies 1/theta^(k/num) from 1 down to nearly 1/theta, in float32 as published.

    An exponential instead of the power would differ by 3e-5 at position 916.
    """
    return 1.0 / ROTARY_THETA ** (torch.arange(num, dtype=torch.float32) / num)
