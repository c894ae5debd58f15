"""The speed of answering, and how many refinements each answer can have if time is short."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

# Views are answered in rounds over all tasks, each this many times as large as all earlier ones together.
ROUND_FACTOR = 3
# With less time than this, in seconds, nothing is compiled.
UNCOMPILED = 600.0


def view_rounds(num_views: int) -> list[tuple[int, int]]:
    """The range of views of each round: the identity of every task comes before any second view."""
    rounds, end = [], 0
    while end < num_views:
        start, end = end, min(num_views, max(1, end * (1 + ROUND_FACTOR)))
        rounds.append((start, end))
    return rounds


class Pace:
    """Limits the refinements of an answer if the first view of every task would not fit in the time.

    Work is counted in tokens: a forward pass of some rows on a canvas costs rows × tokens.
    """

    def __init__(
        self,
        ages: int,
        deadline: float,
        say: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ages` is the limit if there is time; `deadline` an instant of `clock`."""
        self.ages = self._wanted = ages
        self._said = False
        self._deadline, self._say, self._clock = deadline, say, clock
        self._owed = 0  # tokens of rows that must be answered and are not yet
        self._spent = 0  # tokens computed for rows that are not answered yet
        self._work, self._seconds = 0, 0.0
        self._last: tuple[float, int] | None = None

    def begin_round(self, tokens: int) -> None:
        """Begin a round in which rows of `tokens` tokens must be answered."""
        self._owed, self._spent = tokens, 0

    def answered(self, tokens: int, work: int) -> None:
        """Rows of `tokens` tokens in total were answered, after that much `work`."""
        self._owed, self._spent = max(0, self._owed - tokens), max(0, self._spent - work)

    def age_limit(self, rows: int, tokens: int) -> int:
        """The age at which rows leave; to be called after every forward pass of rows of `tokens` tokens."""
        now = self._clock()
        self._spent += rows * tokens
        # The first forward pass on a canvas may compile and says nothing about the others.
        if self._last is not None and self._last[1] == tokens:
            self._work += rows * tokens
            self._seconds += now - self._last[0]
        self._last = (now, tokens)
        if self._work and self._owed and self._seconds:
            affordable = max(0.0, (self._deadline - now) * self._work / self._seconds)
            self._set(int((affordable + self._spent) / self._owed))
        return self.ages

    def _set(self, affordable: int) -> None:
        """Allow what can be afforded, and more again if the pace improves."""
        self.ages = max(1, min(self._wanted, affordable))
        if self.ages < self._wanted and not self._said:
            self._said = True
            self._say(
                f"short of time: {self.ages} refinements of an answer in place of {self._wanted}, for now"
            )


class Limited(Protocol):
    """A run that ends after `time_limit` seconds, which may change while it runs."""

    time_limit: float | None


class AdaptBudget:
    """Divides a time span between test-time training and the answers that follow it.

    Training starts with FIRST_SHARE of the span unless its speed is known before. Every report of its speed
    gives an estimate of how long the answers will take, with a safety factor; training gets the rest, from
    MIN_SHARE to MAX_SHARE of the span, but never the time of its last step and one view of every output
    (`first_tokens`, set after the start). With `until_learned` it ends early, at ENOUGH times the seconds
    after which its examples were all right.
    """

    FIRST_SHARE, MIN_SHARE, MAX_SHARE = 0.8, 0.5, 0.95
    SAFETY, SPARE_SECONDS = 1.5, 2.0
    # The share of right examples that counts as all of them. The answers to tests still get better after it.
    ALL_RIGHT, ENOUGH = 0.995, 4.0

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
        # A backward pass costs about twice its forward pass, and only the last cycle has one.
        self._answer_speed = train_tokens * (cycles + 2) / cycles
        self._tokens = predict_tokens
        self.until_learned, self._latest = False, math.inf
        self.first_tokens = 0.0
        self._expected: dict[str, float] = {}
        self.begin()

    def expect(self, step_seconds: float, rows: int) -> None:
        """Plan with steps of `rows` rows that take so long, until others are reported."""
        self._expected = {"forwards_per_s": rows / step_seconds, "steps_per_s": 1 / step_seconds}
        self.begin(self._before)

    def begin(self, before: float = 0.0) -> None:
        """Start the span now; the `before` seconds of a training that it continues do not count."""
        self.seconds, self._before = max(0.1, self._deadline - self._clock()), before
        self.limits.time_limit = before + self.seconds * self.FIRST_SHARE
        self.report(self._expected)

    def report(self, metrics: Mapping[str, Any]) -> None:
        """Move the end of the training by its measured speed (`forwards_per_s`) and `exact` examples."""
        # The report of an evaluation has no speed.
        speed = metrics.get("forwards_per_s", 0.0) * self._answer_speed
        if self.until_learned and metrics.get("exact", 0.0) >= self.ALL_RIGHT:
            self._latest = min(self._latest, self.ENOUGH * metrics["seconds"])
        if speed > 0:
            # A step that begins in time ends this much later, if there was one.
            step = 1 / metrics["steps_per_s"] if metrics.get("steps_per_s") else 0.0
            reserve = self.SAFETY * self._tokens / speed + self.SPARE_SECONDS + step
            share = min(self.MAX_SHARE, max(self.MIN_SHARE, 1 - reserve / self.seconds))
            most = self.seconds - self.SAFETY * self.first_tokens / speed - step
            ours = max(0.0, min(self.seconds * share, most))
            self.limits.time_limit = min(self._before + ours, self._latest)
