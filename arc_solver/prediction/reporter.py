"""Reports of a worker to its parent: only what is new, from time to time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from arc_solver.inference.options import Answers, Listener, Standing
from arc_solver.prediction.messages import Channel, Message
from submission.vote import Query

if TYPE_CHECKING:
    from arc_solver.domains.protocols import Numbers

REPORT_SECONDS = 1.5
# The size of a message, in cells of its candidates.
MAX_CELLS = 1 << 21
# How many candidates of a query are sent before the last report, which sends all of them if asked to.
INTERIM_CANDIDATES = 8


class Reporter:
    """Sends the standings of queries with new answers, and which items are finished."""

    def __init__(self, channel: Channel, queries: Sequence[Query], *, most: int, everything: bool) -> None:
        """`queries` are named as by the parent: item and index. Each is sent with its `most` best candidates,
        with `everything` at the end with all of them."""
        self._channel, self._queries, self._everything = channel, queries, everything
        self._most = INTERIM_CANDIDATES if everything else most
        self._open = Counter(query.task_id for query in queries)
        self._done = np.zeros(len(queries), np.bool_)
        self._news: dict[int, tuple[Answers, int]] = {}
        self._partly: dict[int, tuple[Answers, int]] = {}  # sent without all of their candidates
        self._next = time.monotonic() + REPORT_SECONDS

    def listener(self) -> Listener:
        """The callbacks of the prediction."""
        return Listener(
            say=lambda text: self._channel.send({"kind": "say", "text": text}),
            heard=self._heard,
            finished=self._finished,
            facts=lambda facts: self._channel.send({"kind": "facts", "facts": facts}),
        )

    def finish(self) -> None:
        """Send everything that is new, and all candidates if they were asked for."""
        self._send()
        self._news, self._partly = self._partly, {}
        self._send(final=True)

    def _heard(self, known: Answers, numbers: Numbers, queries: Numbers) -> None:
        pairs = zip(queries.tolist(), numbers.tolist(), strict=True)
        self._news.update((query, (known, number)) for query, number in pairs)
        if time.monotonic() >= self._next:
            self._send()
            self._next = time.monotonic() + REPORT_SECONDS

    def _finished(self, queries: Numbers) -> None:
        self._news.update({query: self._partly[query] for query in queries.tolist() if query in self._partly})
        self._send(final=True)
        self._close(queries[~self._done[queries]].tolist())

    def _send(self, *, final: bool = False) -> None:
        news, self._news = self._news, {}
        answers: list[Message] = []
        size = 0
        for query, (known, number) in news.items():
            whole = self._everything and (final or bool(known.closed[number]))
            (standing,) = known.standings(np.array([number]), None if whole else self._most)
            answers.append(self._entry(query, standing, int(known.ages[number])))
            if self._everything and not whole:
                self._partly[query] = (known, number)
            else:
                self._partly.pop(query, None)
            size += sum(tally.grid.size for tally in standing.candidates)
            if size > MAX_CELLS:
                self._channel.send({"kind": "answers", "answers": answers})
                answers, size = [], 0
        if answers:
            self._channel.send({"kind": "answers", "answers": answers})
        self._close([q for q, (known, number) in news.items() if known.closed[number] and not self._done[q]])

    def _entry(self, query: int, standing: Standing, ages: int) -> Message:
        return {
            "task": self._queries[query].task_id,
            "index": self._queries[query].index,
            "ballots": standing.ballots,
            "ages": ages,
            "candidates": [[t.grid, t.votes, t.weight, t.confidence] for t in standing.candidates],
        }

    def _close(self, queries: Sequence[int]) -> None:
        """Count queries that get no further answers; an item is finished with the last of its queries."""
        items = list(self._just_finished(queries))
        if items:
            self._channel.send({"kind": "finished", "items": items})

    def _just_finished(self, queries: Sequence[int]) -> Iterator[str]:
        for query in queries:
            self._done[query] = True
            item = self._queries[query].task_id
            self._open[item] -= 1
            if not self._open[item]:
                yield item
