"""The answers to boards: a file of all questions with one answer each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.domains.boards.board_reader import OWN_SOURCE
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.domain import BLOCK, BoardDomain
from arc_solver.domains.boards.kind import NO_VALUE
from arc_solver.domains.boards.reading import csv_of
from arc_solver.domains.protocols import Bytes, Flags
from arc_solver.prediction.messages import Message
from arc_solver.prediction.reported_answers import Answer, candidate_lines, checked_answers
from arc_solver.prediction.rewriter import Rewriter
from arc_solver.storage.files import sha256_file, write_atomic
from submission.messages import count
from submission.vote import Query


class BoardSheet:
    """A file of boards: all questions, and one answer to each for which one came; no file without a path."""

    def __init__(
        self,
        path: Path | None,
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
        num = count(len(self.boards), "question")
        return [
            f"{self.path}: {num}; answers are added as they come"
            if self.path
            else f"answering {num}; torch is loaded first, a few seconds"
        ]

    def take(self, items: Sequence[str], message: Message) -> bool:
        """As AnswerSheet; an answer from fewer ballots than the one at hand is ignored."""
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
        """As AnswerSheet; a board's name is its number in the file, from 1."""
        answers = ((Query(str(number + 1), 0), self.answers[number]) for number in sorted(self.answers))
        write_atomic(path, candidate_lines(answers))

    def missing(self) -> str | None:
        num = int((~self.answered).sum())
        return f"without an answer: {num} of {count(len(self.boards), 'board')}" if num else None

    def facts(self) -> dict[str, Any]:
        answered, given, kept = self.answered, self.given(), self.kept()
        return {
            "answers": str(self.path) if self.path else None,
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
        return {"answers": self.path.name if self.path else None, "inputs": inputs}

    def manifest(self) -> dict[str, Any]:
        return {}

    def score(self) -> dict[str, Any]:
        """Exact and valid share if all answers are known; a board without an answer is wrong."""
        if not self.boards.answers.any(axis=1).all():
            return {}
        shares = self.domain.scores(self.boards, self.cells)
        return {name: round(share, 5) for name, share in shares.items()}

    def given(self) -> Flags:
        """(n,): boards with an answer."""
        return self.answered & np.asarray(self.cells.any(axis=1))

    def kept(self) -> Flags:
        """(n,): answers that keep the rules, as far as can be checked without solving the board."""
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
        mean = facts["mean_ages"]
        lines.append(f"the network was called {mean:.3g} {'time' if mean == 1 else 'times'} per board")
        return "".join(f"{line}\n" for line in lines)

    def _board(self, value: object) -> Bytes:
        grid, side = np.array(value), self.boards.side
        if grid.shape != (side, side) or grid.dtype.kind != "i" or grid.min() < 0:
            raise ValueError("no board")
        if (grid[grid != NO_VALUE] >= self.domain.kind.num_values(side)).any():
            raise ValueError("no value of a cell")
        return grid.astype(np.uint8)

    def _write(self) -> None:
        if self.path is None:
            return
        boards = BoardSet.unrated(self.boards.kind, self.boards.questions, self.cells)
        write_atomic(self.path, csv_of(self.domain.kind, boards, OWN_SOURCE))


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
