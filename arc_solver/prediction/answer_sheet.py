"""Where the answers stand while workers report them: checked at the border, complete at every moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arc_solver.prediction.messages import Message
from arc_solver.prediction.rewriter import Rewriter
from arc_solver.storage.files import write_atomic
from submission.candidates import from_tallies, write_candidates
from submission.grid import GridError, check_grid
from submission.kaggle_json import build_submission, dump_submission
from submission.vote import Query, Tally

SOURCE = "arc-solver"


@dataclass(frozen=True)
class Answer:
    """The candidates for one query, best first, and the ballots they come from."""

    tallies: tuple[Tally, ...]
    ballots: int
    spoiled: int


class Standing:
    """The newest answer to each query that is owed; a query without one gets the fallback."""

    def __init__(
        self, path: Path, owed: Mapping[str, int], say: Callable[[str], None] = lambda _: None
    ) -> None:
        """`owed` is the number of test inputs per task id, in the order of the file at `path`."""
        self.path, self.owed = path, dict(owed)
        self.answers: dict[Query, Answer] = {}
        self.file = Rewriter(self._write, say)

    def take(self, items: Sequence[str], message: Message) -> bool:
        """Keep the answers of a message of kind "standing" about these tasks; False if any of it is nonsense.

        An answer that rests on fewer ballots than the one at hand is passed over.
        """
        answers = message.get("answers")
        if message.get("kind") != "standing" or not isinstance(answers, list):
            return False
        allowed = set(items)
        sound = True
        for value in answers:
            try:
                query, answer = self._checked(value, allowed)
            except (GridError, KeyError, TypeError, ValueError):
                sound = False
                continue
            known = self.answers.get(query)
            if known is None or answer.ballots >= known.ballots:
                self.answers[query] = answer
                self.file.stale = True
        return sound

    def _write(self) -> None:
        attempts = {
            query: [tally.grid for tally in answer.tallies[:2]] for query, answer in self.answers.items()
        }
        write_atomic(self.path, dump_submission(build_submission(self.owed, attempts)))

    def write_candidates(self, path: Path) -> None:
        """Write every candidate that came with its votes, one JSON line each, in the order of the tasks."""
        listed = [
            candidate
            for query in self.queries()
            if query in self.answers
            for candidate in from_tallies(
                query, self.answers[query].tallies, SOURCE, self.answers[query].ballots
            )
        ]
        write_atomic(path, write_candidates(listed))

    def queries(self) -> list[Query]:
        """Everything that is owed, in order."""
        return [Query(task_id, index) for task_id, num in self.owed.items() for index in range(num)]

    def unanswered(self) -> list[Query]:
        """The queries without any guess."""
        return [
            query for query in self.queries() if query not in self.answers or not self.answers[query].tallies
        ]

    def _checked(self, value: Message, allowed: set[str]) -> tuple[Query, Answer]:
        """One answer as a worker tells it; raises for anything that is not one to a task it was given."""
        query = Query(value["task"], _count(value["index"]))
        if query.task_id not in allowed or query.index >= self.owed.get(query.task_id, 0):
            raise ValueError("not asked for")
        ballots = _count(value["ballots"])
        # What a file of candidates may hold, and no more: it is read again by the same rules.
        tallies = tuple(
            Tally(check_grid(grid), _count(votes, ballots), _number(weight), _share(confidence))
            for grid, votes, weight, confidence in value["candidates"]
        )
        return query, Answer(tallies, ballots, _count(value["spoiled"]))


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
