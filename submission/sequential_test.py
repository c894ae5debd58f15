"""A sequential test: whether the views still to come may put another grid first."""

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtrc


def chance_of_another(votes: Sequence[int]) -> float:
    """An upper bound of the error of claiming that the final winner is among the first two grids now.

    `votes` are the candidates' so far, most first. Suppose that some other grid, perhaps one without a vote
    yet, ends with at least as many as the first: at most this share of the orders in which the views may come
    shows the first this far ahead. (A sign test against every other grid, summed.)
    """
    if not votes:
        return 1.0
    first, others = votes[0], np.array([*votes[2:], 0])
    return min(1.0, float(bdtrc(first - 1, first + others, 0.5).sum()))
