"""Noise on the answer state of a row: a pure function of the row's key, its age and the position.

Shapes: B rows, S positions, D width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Keys = npt.NDArray[np.uint64]
# The finalizer of MurmurHash3 with the constants of "variant 13" (Stafford), and the step of a Weyl sequence.
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STEP = 0x9E3779B97F4A7C15
_BITS = 24  # of each uniform number: what float32 holds exactly


class Disturbance(NamedTuple):
    """The noise of some rows: keys, and standard deviations, 0 for none; both (B,)."""

    keys: Keys
    sigmas: npt.NDArray[np.float32]


# The disturbance of some rows (n,) of a group.
Disturb = Callable[[int, npt.NDArray[np.int64]], Disturbance]


def mixed(keys: Keys, number: int | Keys) -> Keys:
    """New keys (B,) that depend on every bit of the old ones and of `number`, a scalar or (B,)."""
    with np.errstate(over="ignore"):
        x = (np.asarray(keys, np.uint64) + np.uint64(_STEP)) ^ np.asarray(number, np.uint64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(_FIRST)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(_SECOND)
        return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


def normal_numbers(keys: Keys, positions: int, width: int, device: torch.device) -> Tensor:
    """Standard normal numbers (B, S, D) in float32: number i of a row depends only on its key and i."""
    num = positions * width
    half = -(-num // 2)
    start = torch.from_numpy(np.ascontiguousarray(keys).view(np.int64)).to(device)[:, None]
    x = start + torch.arange(1, half + 1, device=device) * _signed(_STEP)
    x = (x ^ _shifted(x, 30)) * _signed(_FIRST)
    x = (x ^ _shifted(x, 27)) * _signed(_SECOND)
    x = x ^ _shifted(x, 31)
    # Box-Muller: a radius and an angle make two independent normal numbers.
    radius = (-2 * ((_shifted(x, 64 - _BITS).float() + 0.5) * 2.0**-_BITS).log()).sqrt()
    angle = (x & (2**_BITS - 1)).float() * (2 * math.pi * 2.0**-_BITS)
    both = torch.cat((radius * angle.cos(), radius * angle.sin()), dim=1)
    return both[:, :num].reshape(-1, positions, width)


def _shifted(x: Tensor, bits: int) -> Tensor:
    """A logical shift to the right: torch has no unsigned 64-bit arithmetic."""
    return (x >> bits) & (2 ** (64 - bits) - 1)


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number
