"""Which queries need no further views: their first two places stand, or a test says so at a stated error."""

from __future__ import annotations

import numpy as np

from arc_solver.config import PredictConfig
from arc_solver.domains.protocols import Flags, Numbers
from arc_solver.inference.time_budget import view_rounds
from submission.vote import BallotBox

# Two places with a lead of what remains, one over the next and that over the third, take 3/4 of the ballots;
# ties may need a little less. Before that nobody needs to be asked.
LEAST_SHARE = 0.7


class EarlyDecision:
    """Counts the ballots of the queries of a box, `owed` at most for each; settles those that may stop."""

    def __init__(self, box: BallotBox, owed: Numbers, config: PredictConfig) -> None:
        self.settled = np.zeros(len(owed), np.bool_)
        self.in_rounds = config.early == "likely"
        self._off = config.early == "off"
        self._box, self._owed = box, owed
        self._asked, self._over = np.zeros(len(owed), np.int64), np.zeros(len(owed), np.int64)
        # A test is made after every round but the last, which leaves nothing to save.
        self._error = config.early_error / max(1, len(view_rounds(config.views * config.rollouts)) - 1)

    def count(self, queries: Numbers, overflow: Flags) -> None:
        """Take note of guesses that were cast into the box, some of which ran over their canvas."""
        np.add.at(self._asked, queries, 1)
        np.add.at(self._over, queries, overflow)
        if self._off:
            return
        left = self._owed - self._asked
        # Answers that may yet be asked for again, on a larger canvas, are not decided.
        ripe = (
            (left > 0) & (self._asked >= LEAST_SHARE * self._owed) & (2 * (self._over + left) <= self._owed)
        )
        for query in np.unique(queries[(ripe & ~self.settled)[queries]]).tolist():
            self.settled[query] = self._box.decided(self._box.queries[query], int(left[query]))

    def end_round(self) -> None:
        """Make the sequential test, where it is asked for, of every query that is open."""
        if not self.in_rounds:
            return
        for query in np.flatnonzero(~self.settled & (2 * self._over <= self._asked)).tolist():
            self.settled[query] = self._box.likely(self._box.queries[query], self._error)

    def overflowed(self) -> Numbers:
        """Queries whose answers mostly ran over their canvas."""
        return np.flatnonzero((2 * self._over > self._asked) & (self._asked > 0))
