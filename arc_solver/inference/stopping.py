"""Which queries need no further views: their first two places are settled, for certain or by a test."""

from __future__ import annotations

import numpy as np

from arc_solver.config import PredictConfig
from arc_solver.domains.protocols import Flags, Numbers
from arc_solver.inference.time_budget import view_rounds
from submission.vote import BallotBox

# To lead by all remaining ballots, the first over the second and that over the third, takes 3/4 of the
# ballots; with ties a little less. Before that there is no need to check.
MIN_SHARE = 0.7


class EarlyDecision:
    """Counts the ballots of the queries of a box, at most `owed` for each; settles those that may stop."""

    def __init__(self, box: BallotBox, owed: Numbers, config: PredictConfig) -> None:
        self.settled = np.zeros(len(owed), np.bool_)
        self.in_rounds = config.early == "likely"
        self._off = config.early == "off"
        self._box, self._owed = box, owed
        self._asked, self._over = np.zeros(len(owed), np.int64), np.zeros(len(owed), np.int64)
        # There is a test after every round but the last, after which there is nothing to save.
        self._error = config.early_error / max(1, len(view_rounds(config.views * config.rollouts)) - 1)

    def count(self, queries: Numbers, overflow: Flags) -> None:
        """Count guesses that were cast into the box, some of which overflowed their canvas."""
        np.add.at(self._asked, queries, 1)
        np.add.at(self._over, queries, overflow)
        if self._off:
            return
        left = self._owed - self._asked
        # Queries that may be asked again, on a larger canvas, are not settled.
        ripe = (left > 0) & (self._asked >= MIN_SHARE * self._owed) & (2 * (self._over + left) <= self._owed)
        for query in np.unique(queries[(ripe & ~self.settled)[queries]]).tolist():
            self.settled[query] = self._box.decided(self._box.queries[query], int(left[query]))

    def end_round(self) -> None:
        """Apply the sequential test, if configured, to every open query."""
        if not self.in_rounds:
            return
        for query in np.flatnonzero(~self.settled & (2 * self._over <= self._asked)).tolist():
            self.settled[query] = self._box.likely(self._box.queries[query], self._error)

    def overflowed(self) -> Numbers:
        """Queries whose answers mostly overflowed their canvas."""
        return np.flatnonzero((2 * self._over > self._asked) & (self._asked > 0))
