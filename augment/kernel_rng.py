"""Random draws in kernels that draw an unknown number of times: one 64-bit state per puzzle."""

import numpy as np
import numpy.typing as npt

from augment.kernel import inner

Source = npt.NDArray[np.uint64]


def draw_seeds(num: int, rng: np.random.Generator) -> Source:
    """(num,) states for `draw`, none of them 0."""
    return rng.integers(1, np.iinfo(np.uint64).max, num, dtype=np.uint64, endpoint=True)


@inner
def draw(source: Source, bound: int) -> np.int64:
    """A number in 0..bound-1; `source` (1,) uint64, not 0, is the state of an xorshift generator."""
    x = source[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    source[0] = x
    return np.int64(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(bound))


@inner
def shuffle(source: Source, values: npt.NDArray[np.int64]) -> None:
    """Put `values` (n,) into a random order, all orders equally likely."""
    for last in range(values.shape[0] - 1, 0, -1):
        other = draw(source, last + 1)
        values[last], values[other] = values[other], values[last]
