"""How fast rows are answered, and how many refinements each can have when time is short."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

# Views are answered in rounds over all tasks, each this many times as large as all before it together.
ROUND_FACTOR = 3


def view_rounds(num_views: int) -> list[tuple[int, int]]:
    """Views from..to of each round: the identity of every task comes before any second view of a task."""
    rounds, end = [], 0
    while end < num_views:
        start, end = end, min(num_views, max(1, end * (1 + ROUND_FACTOR)))
        rounds.append((start, end))
    return rounds


class Pace:
    """Cuts the refinements of an answer when the first view of every task would not fit in the time.

    Work is counted in tokens: a forward of some rows on a canvas costs rows × tokens.
    """

    def __init__(
        self,
        ages: int,
        deadline: float,
        say: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ages` is the limit that is wished for; `deadline` an instant of `clock`."""
        self.ages = self._wished = ages
        self._said = False
        self._deadline, self._say, self._clock = deadline, say, clock
        self._owed = 0  # tokens of the rows that have to be answered and are not
        self._spent = 0  # tokens computed for rows that are not answered
        self._work, self._seconds = 0, 0.0
        self._last: tuple[float, int] | None = None

    def begin_round(self, tokens: int) -> None:
        """A round begins of whose rows so many tokens are to be answered in any case."""
        self._owed, self._spent = tokens, 0

    def answered(self, tokens: int, work: int) -> None:
        """Rows of so many tokens together left, after so much work."""
        self._owed, self._spent = max(0, self._owed - tokens), max(0, self._spent - work)

    def age_limit(self, rows: int, tokens: int) -> int:
        """To be called after every forward of some rows of so many tokens; the age at which rows leave."""
        now = self._clock()
        self._spent += rows * tokens
        # The first forward on a canvas may compile and says nothing of the others.
        if self._last is not None and self._last[1] == tokens:
            self._work += rows * tokens
            self._seconds += now - self._last[0]
        self._last = (now, tokens)
        if self._work and self._owed and self._seconds:
            affordable = max(0.0, (self._deadline - now) * self._work / self._seconds)
            self._set(int((affordable + self._spent) / self._owed))
        return self.ages

    def _set(self, affordable: int) -> None:
        """Give what can be afforded, more again where the pace turns out better."""
        self.ages = max(1, min(self._wished, affordable))
        if self.ages < self._wished and not self._said:
            self._said = True
            self._say(
                f"short of time: {self.ages} refinements of an answer in place of {self._wished}, for now"
            )


class Limited(Protocol):
    """What ends after `time_limit` seconds, which may be moved while it runs."""

    time_limit: float | None


class AdaptBudget:
    """Shares a span of time between test-time training and the answers that follow it.

    The training starts with FIRST_SHARE of the span. Every report of its speed tells how long the answers
    will take, with a safety factor; the training gets the rest, from LEAST_SHARE to MOST_SHARE of the span.
    """

    FIRST_SHARE, LEAST_SHARE, MOST_SHARE = 0.8, 0.5, 0.95
    SAFETY, SPARE_SECONDS = 1.5, 2.0

    def __init__(
        self,
        limits: Limited,
        deadline: float,
        predict_tokens: float,
        train_tokens: float,
        cycles: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`predict_tokens`: rows × tokens × ages to be answered; `train_tokens`: mean of a trained row."""
        self.limits, self._deadline, self._clock = limits, deadline, clock
        # A backward pass costs about twice its forward, and only the last of the cycles has one.
        self._answer_speed = train_tokens * (cycles + 2) / cycles
        self._tokens = predict_tokens
        self.begin()

    def begin(self, before: float = 0.0) -> None:
        """The span begins now; of an earlier training that it continues, `before` seconds are none of it."""
        self.seconds, self._before = max(0.1, self._deadline - self._clock()), before
        self.limits.time_limit = before + self.seconds * self.FIRST_SHARE

    def report(self, metrics: Mapping[str, Any]) -> None:
        """Move the end of the training to what its measured speed (`forwards_per_s`) leaves for it."""
        # A report of an evaluation tells no speed.
        speed = metrics.get("forwards_per_s", 0.0) * self._answer_speed
        if speed > 0:
            reserve = self.SAFETY * self._tokens / speed + self.SPARE_SECONDS
            share = min(self.MOST_SHARE, max(self.LEAST_SHARE, 1 - reserve / self.seconds))
            self.limits.time_limit = self._before + self.seconds * share
