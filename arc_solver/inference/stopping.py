"""Which queries need no further views: their first two places stand, or a test says so at a stated error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.inference.answer import Guesses
from arc_solver.inference.time_budget import view_rounds
from submission.vote import BallotBox, Query

# Two places with a lead of what remains, one over the next and that over the third, take 3/4 of the ballots;
# ties may need a little less. Before that nobody needs to be asked.
LEAST_SHARE = 0.7


class EarlyDecision:
    """Counts the ballots of some queries, `owed` at most for each, and calls those settled that may stop."""

    def __init__(
        self, box: BallotBox, queries: Sequence[Query], owed: npt.NDArray[np.int64], config: PredictConfig
    ) -> None:
        self.settled = np.zeros(len(queries), np.bool_)
        self.in_rounds = config.early == "likely"
        self._box, self._queries, self._owed, self._config = box, queries, owed, config
        self._asked, self._over = np.zeros(len(queries), np.int64), np.zeros(len(queries), np.int64)
        # A test is made after every round but the last, which leaves nothing to save.
        self._error = config.early_error / max(1, len(view_rounds(config.views)) - 1)

    def count(self, found: Guesses) -> None:
        """Take note of guesses that were cast into the box."""
        np.add.at(self._asked, found.queries, 1)
        np.add.at(self._over, found.queries, found.answers.overflow)
        left = self._owed - self._asked
        # Answers that may yet be asked for again, on a larger canvas, are not decided.
        ripe = (
            (left > 0) & (self._asked >= LEAST_SHARE * self._owed) & (2 * (self._over + left) <= self._owed)
        )
        for query in np.unique(found.queries[(ripe & ~self.settled)[found.queries]]).tolist():
            self.settled[query] = self._box.decided(self._queries[query], int(left[query]))

    def end_round(self) -> None:
        """Make the sequential test, where it is asked for, of every query that is open."""
        if not self.in_rounds:
            return
        for query in np.flatnonzero(~self.settled & (2 * self._over <= self._asked)).tolist():
            self.settled[query] = self._box.likely(self._queries[query], self._error)

    def saved(self) -> int:
        """Views that were not needed."""
        return int((self._owed - self._asked)[self.settled].sum())
