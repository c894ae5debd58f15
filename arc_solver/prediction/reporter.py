"""How a worker tells what it knows: only what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arc_solver.prediction.messages import Channel, Message

if TYPE_CHECKING:
    from submission.vote import BallotBox


# Candidates per message, of up to 900 cells each.
MAX_CANDIDATES = 2000


# What is kept of a query's candidates until the last report, where all of them were asked for.
INTERIM_CANDIDATES = 8


class Reporter:
    """Sends the standing of the queries that got ballots since the last time."""

    def __init__(self, channel: Channel, *, everything: bool) -> None:
        """With `everything` all candidates of a query are sent in the end, else its best two."""
        self._channel, self._everything = channel, everything
        self._sent: dict[tuple[str, int, bool], int] = {}

    def votes(self, box: BallotBox, *, final: bool = False) -> None:
        """Report what is new; with `final` with all that was asked for."""
        num = INTERIM_CANDIDATES if self._everything else 2
        answers: list[Message] = []
        size = 0
        for query in box.queries:
            ballots = box.ballots(query)
            key = (query.task_id, query.index, final and self._everything)
            if not ballots or self._sent.get(key) == ballots:
                continue
            self._sent[key] = ballots
            tallies = box.tallies(query) if key[2] else box.elect(query, num)
            answers.append(
                {
                    "task": query.task_id,
                    "index": query.index,
                    "ballots": ballots,
                    "spoiled": box.spoiled(query),
                    "candidates": [[t.grid, t.votes, t.weight, t.confidence] for t in tallies],
                }
            )
            size += len(tallies)
            if size > MAX_CANDIDATES:
                self._channel.send({"kind": "standing", "answers": answers})
                answers, size = [], 0
        if answers:
            self._channel.send({"kind": "standing", "answers": answers})
