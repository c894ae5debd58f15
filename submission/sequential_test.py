"""A sequential test: whether the views that are still to come may put a new grid first."""

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtrc


def chance_of_another(votes: Sequence[int]) -> float:
    """An upper bound of the error in saying that the grid with most votes in the end is among the first two.

    `votes` are the candidates' so far, most first. Suppose that another grid, one without any vote included,
    had at least as many as the first once all views voted: of the orders in which the views may come, no more
    than this share shows the first so far ahead. (A sign test against every other grid, and their sum.)
    """
    if not votes:
        return 1.0
    first, others = votes[0], np.array([*votes[2:], 0])
    return min(1.0, float(bdtrc(first - 1, first + others, 0.5).sum()))
