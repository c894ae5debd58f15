"""Exact sums of ballots, and how they rank candidates."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

MIN_WEIGHT = 1e-6
MAX_WEIGHT = 1e3
# Weights and confidences are added as integer multiples of this, so that sums do not depend on the order.
QUANTUM = 2.0**-24

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Counts:
    """The sums over the ballots of K candidates: their number, weight, weight × confidence; each (K,)."""

    votes: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]

    @classmethod
    def from_quanta(cls, sums: npt.NDArray[np.int64]) -> Self:
        """From the rows votes, weights and weight × confidence (3, K), the latter two in quanta."""
        return cls(sums[0], sums[1] * QUANTUM, sums[2] * QUANTUM)


def most_votes(counts: Counts) -> npt.NDArray[np.float64]:
    """Keys (K, 2) of candidates, the larger the better: summed weight, then mean confidence.

    The summed weight is the number of ballots where all weigh 1. A candidate never ranks lower for one more
    ballot of its own, and gains most by one of confidence 1.
    """
    return np.stack([counts.weights, counts.confidences / counts.weights], axis=1)


def quantize(
    confidences: Floats, weights: Floats
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which ballots count (finite confidence), their weights, and weight × confidence, in quanta; each (N,).

    ValueError for a confidence outside 0..1 or a weight outside MIN_WEIGHT..MAX_WEIGHT.
    """
    confidences, weights = np.asarray(confidences, np.float64), np.asarray(weights, np.float64)
    valid = np.isfinite(confidences)
    known = np.where(valid, confidences, 0.0)
    if np.any((known < 0) | (known > 1)):
        raise ValueError(f"confidences from {known.min()} to {known.max()}, expected probabilities 0 to 1")
    if not np.all((weights >= MIN_WEIGHT) & (weights <= MAX_WEIGHT)):
        raise ValueError(f"a weight outside {MIN_WEIGHT} to {MAX_WEIGHT}: scale the weights")
    quanta = np.rint(weights / QUANTUM).astype(np.int64)
    # Rounded down, which keeps a mean confidence at most 1.
    return valid, quanta, np.floor(quanta * known).astype(np.int64)
