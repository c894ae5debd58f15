"""Answers as workers report them, checked, and as lines of a file of candidates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from arc_solver.domains.boards.board_reader import OWN_SOURCE
from arc_solver.domains.boards.kind import NO_VALUE
from arc_solver.domains.protocols import Bytes
from arc_solver.prediction.messages import Message
from submission.candidates import from_tallies, write_candidates
from submission.grid import GridError
from submission.vote import Query, Tally


@dataclass(frozen=True)
class Answer:
    """The candidates for one query, best first, the ballots they come from and the ages spent on them."""

    tallies: tuple[Tally, ...]
    ballots: int
    ages: int = 0


def candidate_lines(answers: Iterable[tuple[Query, Answer]]) -> Iterable[bytes]:
    """The lines of a file of candidates; answers with cells that have no value are left out."""
    return write_candidates(
        candidate
        for query, answer in answers
        for candidate in from_tallies(query, answer.tallies, OWN_SOURCE, answer.ballots)
        if candidate.votes and candidate.grid.max() < NO_VALUE
    )


def checked_answers(
    message: Message, allowed: Mapping[str, int], check: Callable[[object], Bytes]
) -> tuple[list[tuple[Query, Answer]], bool]:
    """The valid answers of a message about these items (item -> how many queries), and whether all are valid.

    `check` makes a grid of a value, or raises a ValueError.
    """
    answers = message.get("answers")
    if message.get("kind") != "answers" or not isinstance(answers, list):
        return [], False
    found = []
    for value in answers:
        try:
            found.append(_checked(value, allowed, check))
        except (GridError, KeyError, TypeError, ValueError, OverflowError):
            continue
    return found, len(found) == len(answers)


def _checked(
    value: Any, allowed: Mapping[str, int], check: Callable[[object], Bytes]
) -> tuple[Query, Answer]:
    """One answer as a worker reports it; raises if it is not an answer to an item that the worker has."""
    query = Query(value["task"], _count(value["index"]))
    if query.index >= allowed.get(query.task_id, 0):
        raise ValueError("not asked for")
    ballots = _count(value["ballots"])
    # Only what a file of candidates may hold: it is read again by the same rules.
    tallies = tuple(
        Tally(check(grid), _count(votes, ballots), _number(weight), _share(confidence))
        for grid, votes, weight, confidence in value["candidates"]
    )
    return query, Answer(tallies, ballots, _count(value.get("ages", 0)))


def _count(value: object, most: int = 1 << 53) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("no count")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ValueError("no weight")
    return float(value)


def _share(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("no confidence")
    return float(value)
