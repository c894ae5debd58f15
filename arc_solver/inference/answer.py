"""Answers to the queries of any domain: contenders go through the engine in rounds, then an election."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from arc_solver.config import PredictConfig
from arc_solver.domains.protocols import Domain, Flags, Numbers, Practice, QueryData, Questions
from arc_solver.inference.election import Election, Found, election_of
from arc_solver.inference.engine import Answered, Wanted, Watch, answer_rows
from arc_solver.inference.noise import Disturb, Disturbance, mixed
from arc_solver.inference.options import Standing
from arc_solver.inference.time_budget import Pace, view_rounds
from arc_solver.model.trm import Model


@dataclass
class Answering:
    """The queries of some material being answered: the questions, the election, and the ages spent."""

    domain: Domain[Any]
    material: Any
    questions: Questions
    config: PredictConfig
    election: Election = field(init=False)
    practice: Practice | None = field(init=False)
    ages: Numbers = field(init=False)  # (n,): spent in total
    answered: Numbers = field(init=False)  # (n,): rows that finished

    def __post_init__(self) -> None:
        named = self.config.choice
        choice = self.domain.default_election if named == "auto" or self.domain.attempts > 1 else named
        owed = self.questions.owed
        rules_decide = self.domain.rules_decide
        self.election = election_of(choice, owed, self.config, rules_decide=rules_decide)
        self.practice = self.domain.practice(self.questions) if self.config.weigh_views else None
        self._solved = self.questions.solved
        self._own_answers: list[Found] = []  # found by `_wanted`, to be yielded
        self.ages, self.answered = np.zeros(len(owed), np.int64), np.zeros(len(owed), np.int64)

    @property
    def closed(self) -> Flags:
        """(n,): queries that get no further rows."""
        return self.election.closed

    def standings(self, numbers: Numbers, most: int | None = None) -> list[Standing]:
        """The standings of queries, each with at most `most` candidates."""
        return self.election.standings(numbers, most)

    def run(
        self,
        model: Model,
        *,
        stop: Callable[[], bool] = lambda: False,
        pace: Pace | None = None,
        watch: Watch | None = None,
    ) -> Iterator[Found]:
        """Answer every query under its contenders, the identity first; yields the answers counted.

        With a `pace`, which limits ages to the time there is, or if the election wants rounds, a few
        contenders of all queries come before many of any. A closed query gets no further rows. A query whose
        answers mostly overflow their canvas is asked again at the end, on the largest one. Its answers depend
        only on the query, the seed and the settings, unless `stop` or `pace` cut it short. `watch` is called
        for all rows after each age.
        """
        total = self.questions.contenders
        rounds = view_rounds(total) if pace or self.election.in_rounds else [(0, total)]
        for first, last in rounds:
            self._practise(model, first, last, stop)
            data = self.questions.round(first, last, np.flatnonzero(~self.election.closed))
            if pace:
                pace.begin_round(0 if first else _tokens(data))
            yield from self._round(model, data, self._wanted(data), stop, pace, watch)
            if stop():
                return
            self.election.end_round()
        again = self.election.overflowed()
        if self.config.retry_overflow and not model.config.length and len(again):
            larger = self.questions.again(again)
            if larger is not None:
                yield from self._round(model, larger, None, stop, None, watch)

    def _round(
        self,
        model: Model,
        data: QueryData,
        wanted: Wanted | None,
        stop: Callable[[], bool],
        pace: Pace | None,
        watch: Watch | None,
    ) -> Iterator[Found]:
        for answered in answer_rows(
            model,
            data,
            self.config,
            stop=stop,
            wanted=wanted,
            age_limit=pace.age_limit if pace else None,
            disturb=self._disturbance(data) if self.config.rollouts > 1 else None,
            breaks=data.breaks,
            watch=watch,
        ):
            for found in self._restored(data, answered):
                self._take(found)
                if pace:
                    length = answered.tokens.shape[1]
                    pace.answered(len(found.queries) * length, int(found.ages.sum()) * length)
                yield found
        yield from self._own_answers
        self._own_answers.clear()

    def _practise(self, model: Model, first: int, last: int, stop: Callable[[], bool]) -> None:
        """Ask what is known under the views of a round, to weigh its ballots."""
        if self.practice is None:
            return
        data = self.practice.round(first, last, np.flatnonzero(~self.election.closed))
        for answered in answer_rows(model, data, self.config, stop=stop):
            group, rows = answered.group, answered.rows
            restored = data.restore(group, rows, answered.tokens)
            self.practice.take(data.queries(group)[rows], data.turns(group)[0][rows], restored)

    def _weights(self, queries: Numbers, views: Numbers) -> npt.NDArray[np.float32]:
        if self.practice is None:
            return np.ones(len(queries), np.float32)
        return self.practice.weights(queries, views)

    def _take(self, found: Found) -> None:
        self.election.take(found)
        np.add.at(self.ages, found.queries, found.ages)
        np.add.at(self.answered, found.queries, 1)

    def _itself(self, queries: Numbers, contenders: Numbers, ages: Numbers) -> Found:
        """Questions in which nothing is left to find, as their own answers."""
        answers, yes = self.questions.as_they_stand(queries), np.ones(len(queries), np.bool_)
        valid = self.domain.keeps_the_rules(self.material, queries, answers.cells)
        sure = yes.astype(np.float32)
        return Found(queries, contenders, answers, valid, yes, sure, ages, sure)

    def _restored(self, data: QueryData, answered: Answered) -> Iterator[Found]:
        group, rows = answered.group, answered.rows
        queries, contenders = data.queries(group)[rows], data.contenders(group)[rows]
        own = self._solved[queries]
        if own.any():
            yield self._itself(queries[own], contenders[own], answered.ages[own])
        if own.all():
            return
        rest = ~own
        rows, queries = rows[rest], queries[rest]
        restored = data.restore(group, rows, answered.tokens[rest])
        confidence = data.confidence(group, rows, restored.shapes, answered.log_probabilities[rest])
        yield Found(
            queries,
            contenders[rest],
            restored,
            self.domain.keeps_the_rules(self.material, queries, restored.cells),
            answered.confident[rest],
            answered.confidence[rest] if confidence is None else confidence,
            answered.ages[rest],
            self._weights(queries, data.turns(group)[0][rows]),
        )

    def _wanted(self, data: QueryData) -> Wanted:
        """Declines rows that cannot decide anything any more, counting their ages.

        A question in which nothing is left to find is answered after one age.
        """

        def wanted(group: int, rows: Numbers, ages: Numbers) -> Flags:
            queries = data.queries(group)[rows]
            keep = self.election.wants(queries, ages)
            np.add.at(self.ages, queries[~keep], ages[~keep])
            over = keep & self._solved[queries] & (ages > 0)
            if over.any():
                found = self._itself(queries[over], data.contenders(group)[rows[over]], ages[over])
                self._take(found)
                self._own_answers.append(found)
            return keep & ~over

        return wanted

    def _disturbance(self, data: QueryData) -> Disturb:
        """The noise of every row: a function of the seed, the query's content, its view and its chain."""
        hashes = mixed(self.questions.hashes, self.config.seed)
        sigma = np.float32(self.config.sigma or self.domain.default_noise)

        def disturb(group: int, rows: Numbers) -> Disturbance:
            views, chains = (each[rows].astype(np.uint64) for each in data.turns(group))
            keys = mixed(mixed(hashes[data.queries(group)[rows]], views), chains)
            return Disturbance(keys, np.where(chains > 0, sigma, np.float32(0)))

        return disturb


def _tokens(data: QueryData) -> int:
    """The number of tokens of all rows."""
    return sum(len(data.queries(group)) * h * w for group, (h, w) in enumerate(data.canvases))
