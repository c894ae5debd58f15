"""Where the answers stand while workers report them: checked at the border, complete at every moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet
from arc_solver.domains.boards.domain import BLOCK, BoardDomain
from arc_solver.domains.boards.kind import NO_VALUE
from arc_solver.domains.boards.reading import csv_of
from arc_solver.domains.protocols import Bytes, Domain, Faults, Flags
from arc_solver.prediction.manifest import source_facts
from arc_solver.prediction.messages import Message
from arc_solver.prediction.rewriter import Rewriter
from arc_solver.prediction.truth import owed_outputs
from arc_solver.storage.files import sha256_file, write_atomic
from arc_solver.storage.text import shown
from arc_solver.tasks.task import Task
from submission.candidates import from_tallies, write_candidates
from submission.grid import GridError, check_grid
from submission.kaggle_json import build_submission, dump_submission
from submission.messages import count
from submission.vote import Query, Tally

SOURCE = "arc-solver"
NUM_SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """The candidates for one query, best first, the ballots they come from and the ages spent on them."""

    tallies: tuple[Tally, ...]
    ballots: int
    ages: int = 0


class AnswerSheet(Protocol):
    """The newest answer to every query; its file holds all queries from the start."""

    file: Rewriter

    def has_answers(self) -> bool:
        """Whether any query has an answer."""

    def opening(self) -> list[str]:
        """What is said once the file is there."""

    def take(self, items: Sequence[str], message: Message) -> bool:
        """Keep the answers of a message of kind "answers" about these items; False if any is nonsense."""

    def write_candidates(self, path: Path) -> None:
        """Write every candidate that came with its votes, one JSON line each, in order."""

    def missing(self) -> str | None:
        """What is without an answer, in one line; None where nothing is."""

    def facts(self) -> dict[str, Any]:
        """What was handed in, for `--json`."""

    def inputs(self, source: str) -> dict[str, Any]:
        """What the manifest says at the start: the name of the file, and what it answers."""

    def manifest(self) -> dict[str, Any]:
        """What the manifest says at the end beside `facts`."""

    def score(self) -> dict[str, Any]:
        """The score by the answers that came with the material; empty without."""

    def text(self, facts: dict[str, Any]) -> str:
        """What a person is shown of the facts and the score."""


def sheet_of(
    domain: Domain[Any],
    out: Path,
    material: Any,
    faults: Faults,
    say: Callable[[str], None],
    *,
    everything: bool,
) -> AnswerSheet:
    """The sheet for some material; with `everything` it keeps all candidates.

    Two attempts are a submission, one is a file of boards.
    """
    if isinstance(domain, BoardDomain):
        return BoardSheet(out, domain, material, say, everything=everything)
    return SubmissionSheet(out, material, faults, say)


class SubmissionSheet:
    """A submission: two attempts for each test input that is owed; one without any gets the fallback."""

    def __init__(
        self,
        path: Path,
        tasks: Sequence[Task],
        faults: Faults | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """What is owed at `path` are the test inputs of the tasks, then those of tasks that are faulty."""
        self.path, self.tasks, self.faults = path, tasks, faults or {}
        self.owed = owed_outputs(tasks, self.faults)
        self.answers: dict[Query, Answer] = {}
        self._table = ""
        self.file = Rewriter(self._write, say)

    def opening(self) -> list[str]:
        owed = count(len(self.owed), "task")
        lines = [f"{self.path}: complete fallback for {owed}; answers replace it as they come"]
        for fault in self.faults.values():
            named = "it gets the fallback answer"
            answer = named if fault.id in self.owed else "no submission can name it, so it is left out"
            lines.append(f"warning: {fault.text}; {answer}")
        return lines

    def take(self, items: Sequence[str], message: Message) -> bool:
        """As AnswerSheet; an answer that rests on fewer ballots than the one at hand is passed over."""
        allowed = {item: self.owed.get(item, 0) for item in items}
        found, sound = checked_answers(message, allowed, check_grid)
        for query, answer in found:
            known = self.answers.get(query)
            if known is None or answer.ballots >= known.ballots:
                self.answers[query] = answer
                self.file.stale = True
        return sound

    def has_answers(self) -> bool:
        return bool(self.answers)

    def write_candidates(self, path: Path) -> None:
        answers = ((query, self.answers[query]) for query in self.queries() if query in self.answers)
        write_atomic(path, candidate_lines(answers))

    def queries(self) -> list[Query]:
        """Everything that is owed, in order."""
        return [Query(task_id, index) for task_id, num in self.owed.items() for index in range(num)]

    def unanswered(self) -> list[Query]:
        """The queries of readable tasks that are without any guess."""
        readable = {task.id for task in self.tasks}
        return [
            query
            for query in self.queries()
            if query.task_id in readable and (query not in self.answers or not self.answers[query].tallies)
        ]

    def missing(self) -> str | None:
        queries = self.unanswered()
        if not queries:
            return None
        names = ", ".join(f"{shown(query.task_id)}[{query.index}]" for query in queries[:NUM_SHOWN])
        more = " ..." if len(queries) > NUM_SHOWN else ""
        return f"without a guess: {len(queries)} outputs ({names}{more})"

    def facts(self) -> dict[str, Any]:
        return {
            "submission": str(self.path),
            "tasks": len(self.owed),
            "outputs": sum(self.owed.values()),
            "unreadable": len(self.faults),
            "unanswered": len(self.unanswered()),
        }

    def inputs(self, source: str) -> dict[str, Any]:
        faulty = [fault.id for fault in self.faults.values()]
        inputs = source_facts(source, self.tasks)
        return {"submission": self.path.name, "inputs": inputs, "faulty_tasks": faulty}

    def manifest(self) -> dict[str, Any]:
        """Per task the ballots, one per view, that each of its outputs got."""
        counts = {task_id: [0] * num for task_id, num in self.owed.items()}
        for query, answer in self.answers.items():
            counts[query.task_id][query.index] = answer.ballots
        return {"ballots": counts}

    def score(self) -> dict[str, Any]:
        """By the outputs that came with the tasks; no other file is opened for it."""
        from arc_solver.tasks.truth import carried_truth, truth_hash
        from submission.lenient_reader import load_answers
        from submission.score import score

        truth = carried_truth(self.tasks)
        if not truth:
            return {}
        result = score(load_answers(self.path), truth, truth_hash(truth))
        self._table = result.table()
        return {"score": result.to_json()}

    def text(self, facts: dict[str, Any]) -> str:
        return self._table

    def _write(self) -> None:
        attempts = {
            query: [tally.grid for tally in answer.tallies[:2]] for query, answer in self.answers.items()
        }
        write_atomic(self.path, dump_submission(build_submission(self.owed, attempts)))


class BoardSheet:
    """A file of boards: all questions, and one answer to each for which one came."""

    def __init__(
        self,
        path: Path,
        domain: BoardDomain,
        boards: BoardSet,
        say: Callable[[str], None] = lambda _: None,
        *,
        everything: bool = False,
    ) -> None:
        self.path, self.domain, self.boards = path, domain, boards
        self.cells = np.zeros_like(boards.questions)
        self.ages = np.zeros(len(boards), np.int64)
        self.answered = np.zeros(len(boards), np.bool_)
        self.ballots = np.zeros(len(boards), np.int64)
        self.answers: dict[int, Answer] = {}  # with `everything` only: they take much memory
        self._everything = everything
        self.file = Rewriter(self._write, say)

    def opening(self) -> list[str]:
        return [f"{self.path}: all {len(self.boards)} questions; answers are added as they come"]

    def take(self, items: Sequence[str], message: Message) -> bool:
        """As AnswerSheet; an answer that rests on fewer ballots than the one at hand is passed over."""
        num = len(self.boards)
        allowed = {item: min(BLOCK, max(0, num - int(item) * BLOCK)) for item in items}
        found, sound = checked_answers(message, allowed, self._board)
        for query, answer in found:
            number = int(query.task_id) * BLOCK + query.index
            if answer.ballots < self.ballots[number]:
                continue
            self.answered[number], self.ages[number] = True, answer.ages
            self.ballots[number] = answer.ballots
            if answer.tallies:
                cells, question = answer.tallies[0].grid.ravel(), self.boards.questions[number]
                self.cells[number] = np.where(cells == NO_VALUE, question, cells)
            if self._everything:
                self.answers[number] = answer
            self.file.stale = True
        return sound

    def has_answers(self) -> bool:
        return bool(self.answered.any())

    def write_candidates(self, path: Path) -> None:
        """As AnswerSheet; a board is called by its number in the file, from 1."""
        answers = ((Query(str(number + 1), 0), self.answers[number]) for number in sorted(self.answers))
        write_atomic(path, candidate_lines(answers))

    def missing(self) -> str | None:
        num = int((~self.answered).sum())
        return f"without an answer: {num} of {len(self.boards)} boards" if num else None

    def facts(self) -> dict[str, Any]:
        answered, given, kept = self.answered, self.given(), self.kept()
        return {
            "answers": str(self.path),
            "boards": len(self.boards),
            "unanswered": int((~answered).sum()),
            "abstained": int((answered & ~given).sum()),
            "keep_the_rules": int(kept.sum()),
            "break_the_rules": int((given & ~kept).sum()),
            "mean_ages": round(float(self.ages[answered].mean()), 3) if answered.any() else 0.0,
        }

    def inputs(self, source: str) -> dict[str, Any]:
        path = Path(source)
        digest = sha256_file(path) if path.is_file() else ""
        inputs = {"name": source, "boards": len(self.boards), "sha256": digest}
        return {"answers": self.path.name, "inputs": inputs}

    def manifest(self) -> dict[str, Any]:
        return {}

    def score(self) -> dict[str, Any]:
        """Exact and valid share where all answers are known; a board without an answer is wrong."""
        if not self.boards.answers.any(axis=1).all():
            return {}
        shares = self.domain.scores(self.boards, self.cells)
        return {name: round(share, 5) for name, share in shares.items()}

    def given(self) -> Flags:
        """(n,): which boards have an answer."""
        return self.answered & np.asarray(self.cells.any(axis=1))

    def kept(self) -> Flags:
        """(n,): which answers keep the rules, as far as that can be told without solving a board."""
        kept = self.given()
        numbers = np.flatnonzero(kept)
        kept[numbers] = self.domain.keeps_the_rules(self.boards, numbers, self.cells[numbers])
        return kept

    def text(self, facts: dict[str, Any]) -> str:
        """In sentences."""
        kept, broken = facts["keep_the_rules"], facts["break_the_rules"]
        lines = [f"{count(len(self.boards), 'board')}: {_rules(kept, broken)}"]
        if none := facts["unanswered"] + facts["abstained"]:
            lines.append(f"{count(none, 'board')} without an answer")
        if "exact" in facts:
            lines.append(
                f"by the answers in the file: {100 * facts['exact']:.2f} % exact, "
                f"{100 * facts['valid']:.2f} % valid"
            )
        lines.append(f"{facts['mean_ages']:g} ages a board, all its views together")
        return "".join(f"{line}\n" for line in lines)

    def _board(self, value: object) -> Bytes:
        grid, side = np.array(value), self.boards.side
        if grid.shape != (side, side) or grid.dtype.kind != "i" or grid.min() < 0:
            raise ValueError("no board")
        if (grid[grid != NO_VALUE] >= self.domain.kind.num_values(side)).any():
            raise ValueError("no value of a cell")
        return grid.astype(np.uint8)

    def _write(self) -> None:
        unrated = np.full(len(self.boards), UNKNOWN_RATING, np.int64)
        boards = BoardSet(self.boards.kind, self.boards.questions, self.cells, unrated)
        write_atomic(self.path, csv_of(self.domain.kind, boards, SOURCE))


def _rules(kept: int, broken: int) -> str:
    """How many answers keep the rules and how many do not."""
    if not kept and not broken:
        return "no answer"
    parts = []
    if kept:
        parts.append(f"{count(kept, 'answer')} {'keeps' if kept == 1 else 'keep'} the rules")
    if broken:
        verb, them = "breaks" if broken == 1 else "break", "them" if kept else "the rules"
        parts.append(f"{count(broken, 'answer')} {verb} {them}: there the network was not sure")
    return ", ".join(parts)


def candidate_lines(answers: Iterable[tuple[Query, Answer]]) -> Iterable[bytes]:
    """The lines of a file of candidates; an answer with cells that have no value is none."""
    return write_candidates(
        candidate
        for query, answer in answers
        for candidate in from_tallies(query, answer.tallies, SOURCE, answer.ballots)
        if candidate.votes and candidate.grid.max() < NO_VALUE
    )


def checked_answers(
    message: Message, allowed: Mapping[str, int], check: Callable[[object], Bytes]
) -> tuple[list[tuple[Query, Answer]], bool]:
    """The answers of a message about queries of these items (item -> how many), and whether all are sound.

    `check` makes a grid of a value, and raises a ValueError for what is none.
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
    """One answer as a worker tells it; raises for anything that is not one to an item it was given."""
    query = Query(value["task"], _count(value["index"]))
    if query.index >= allowed.get(query.task_id, 0):
        raise ValueError("not asked for")
    ballots = _count(value["ballots"])
    # What a file of candidates may hold, and no more: it is read again by the same rules.
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
