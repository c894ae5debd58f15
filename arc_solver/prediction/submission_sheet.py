"""The answers to tasks: a submission, complete at every moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from arc_solver.domains.protocols import Faults
from arc_solver.prediction.manifest import source_facts
from arc_solver.prediction.messages import Message
from arc_solver.prediction.reported_answers import Answer, candidate_lines, checked_answers
from arc_solver.prediction.rewriter import Rewriter
from arc_solver.prediction.truth import owed_outputs
from arc_solver.storage.files import write_atomic
from arc_solver.storage.text import shown
from arc_solver.tasks.task import Task
from submission.grid import check_grid
from submission.kaggle_json import build_submission, dump_submission
from submission.messages import count
from submission.vote import Query

NUM_SHOWN = 5


class SubmissionSheet:
    """A submission: two attempts at each test input that is owed; one without an answer gets the fallback."""

    def __init__(
        self,
        path: Path,
        tasks: Sequence[Task],
        faults: Faults | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Owed at `path` are the test inputs of the tasks, then those of faulty tasks."""
        self.path, self.tasks, self.faults = path, tasks, faults or {}
        self.owed = owed_outputs(tasks, self.faults)
        self.answers: dict[Query, Answer] = {}
        self._table = ""
        self.file = Rewriter(self._write, say)

    def opening(self) -> list[str]:
        owed = count(len(self.owed), "task")
        lines = [f"{self.path}: a valid placeholder for {owed}; answers replace it as they come"]
        for fault in self.faults.values():
            named = "it gets the fallback answer"
            answer = named if fault.id in self.owed else "no submission can name it, so it is left out"
            lines.append(f"warning: {fault.text}; {answer}")
        return lines

    def take(self, items: Sequence[str], message: Message) -> bool:
        """As AnswerSheet; an answer from fewer ballots than the one at hand is ignored."""
        allowed = {item: self.owed.get(item, 0) for item in items}
        found, sound = checked_answers(message, allowed, check_grid)
        for query, answer in found:
            known = self.answers.get(query)
            if known is None or not known.tallies or answer.ballots >= known.ballots:
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
        """The queries of readable tasks without any guess."""
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
        return f"without a guess: {count(len(queries), 'output')} ({names}{more})"

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
        """Per task, the ballots that each of its outputs got, one per view."""
        counts = {task_id: [0] * num for task_id, num in self.owed.items()}
        for query, answer in self.answers.items():
            counts[query.task_id][query.index] = answer.ballots
        return {"ballots": counts}

    def score(self) -> dict[str, Any]:
        """By the outputs that came with the tasks; opens no other file."""
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
