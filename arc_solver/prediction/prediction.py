"""A prediction as the command line runs it, without torch: fallback first, then workers, then the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arc_solver.checkpoints.file_format import MATERIAL, check_domain, preset_from, read_header
from arc_solver.config import ConfigError
from arc_solver.prediction.answer_sheet import Standing
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.manifest import now_text, source_facts, versions, write_manifest
from arc_solver.prediction.messages import Message
from arc_solver.prediction.request import Wish, packed_tasks
from arc_solver.prediction.supervisor import Outcome, supervise
from arc_solver.prediction.truth import owed_outputs
from arc_solver.prediction.worker_process import Job
from arc_solver.prediction.workforce import WORKER, conditions_of
from arc_solver.presets import find_preset
from arc_solver.settings import apply_settings
from arc_solver.storage.files import sweep_beside
from arc_solver.storage.text import shown
from arc_solver.tasks.sharding import cost, cut
from arc_solver.tasks.task import Task, TaskFault
from submission.vote import Query

if TYPE_CHECKING:
    from submission.score import Score

NUM_SHOWN = 5


@dataclass
class Prediction:
    """A prediction under way."""

    wish: Wish
    tasks: Sequence[Task]
    faults: Mapping[str, TaskFault]
    times: Times
    say: Callable[[str], None]
    worker: tuple[str, ...] = WORKER
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.standing = Standing(self.wish.out, owed_outputs(self.tasks, self.faults), self.say)
        self._known: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Write the fallback, answer the tasks, write what came; returns what was done.

        What can be seen at once to be wrong with a recipe or checkpoint is raised before anything is written.
        From then on the file is valid and complete; a WorkerRefusal is raised with the fallback in place.
        """
        self._check()
        sweep_beside(self.wish.out, self.wish.candidates)
        self.standing.file.write()
        owed = self.standing.owed
        self.say(f"{self.wish.out}: complete fallback for {len(owed)} tasks; answers replace it as they come")
        for fault in self.faults.values():
            named = fault.id in owed
            answer = (
                "it gets the fallback answer" if named else "no submission can name it, so it is left out"
            )
            self.say(f"warning: {fault.text}; {answer}")
        self._write_manifest()
        outcome = Outcome(False, ())
        try:
            if self.tasks:
                outcome = self._answer()
        finally:
            self.standing.file.close()
        if self.wish.candidates is not None:
            self.standing.write_candidates(self.wish.candidates)
        self._write_manifest(outcome)
        for failure in outcome.failures:
            self.say(f"warning: {failure}")
        return {
            "submission": str(self.wish.out),
            "tasks": len(owed),
            "outputs": sum(owed.values()),
            "unreadable": len(self.faults),
            "unanswered": len(self.missing()),
            "out_of_time": outcome.out_of_time,
            "failures": list(outcome.failures),
        }

    def missing(self) -> list[Query]:
        """The test inputs of readable tasks that are without any guess."""
        readable = {task.id for task in self.tasks}
        return [query for query in self.standing.unanswered() if query.task_id in readable]

    def _check(self) -> None:
        """Refuse what can be refused without a worker and in no time: only the header of a file is read."""
        wish = self.wish
        if wish.preset is not None:
            recipe = apply_settings(find_preset(wish.preset), list(wish.settings))
            if recipe.train.domain != "arc":
                raise ConfigError(
                    f"preset {recipe.name!r} is for {recipe.train.domain}, but these are {MATERIAL['arc']}"
                )
        if wish.checkpoint is not None:
            header = read_header(wish.checkpoint)
            check_domain(header.metadata, "arc", wish.checkpoint.name)
            own = preset_from(header.metadata, wish.checkpoint.name)
            if wish.preset is None:
                apply_settings(own, list(wish.settings))

    def _answer(self) -> Outcome:
        wish, times = self.wish, self.times
        conditions = conditions_of(wish, times, self.say, self.worker)
        by_id = {task.id: task for task in self.tasks}
        num_parts = len(conditions.environments)
        parts = [part for part in cut([cost(task) for task in self.tasks], num_parts) if part]

        def job(part: list[int], first: bool) -> Job:
            ids = tuple(self.tasks[t].id for t in part)
            return Job(ids, lambda left, seconds: self._request([by_id[i] for i in left], seconds, first))

        jobs = [job(part, number == 0) for number, part in enumerate(parts)]
        return supervise(jobs, self._take, conditions, self.standing.file.refresh)

    def _request(self, tasks: Sequence[Task], seconds: float | None, first: bool) -> Message:
        wish = self.wish
        return {
            "kind": "tasks",
            "parent": os.getpid(),
            "tasks": packed_tasks(tasks),
            "seconds": seconds,
            "checkpoint": None if wish.checkpoint is None else str(wish.checkpoint),
            "preset": wish.preset,
            "settings": wish.settings,
            "views": wish.views,
            "ages": wish.ages,
            "adapt": wish.adapt,
            "adapt_steps": wish.adapt_steps,
            "adapt_each": wish.adapt_each,
            "keep": None if wish.keep is None else str(wish.keep.absolute()),
            "device": wish.device,
            "seed": wish.seed,
            # Several progress bars would overwrite each other.
            "quiet": wish.quiet or not first,
            "everything": wish.candidates is not None,
        }

    def _take(self, items: Sequence[str], message: Message) -> bool:
        if message.get("kind") == "say":
            self.say(str(message.get("text")))
            return True
        if message.get("kind") == "facts" and isinstance(message.get("facts"), dict):
            self.facts.setdefault(items[0], {}).update(message["facts"])
            return True
        return self.standing.take(items, message)

    def _write_manifest(self, outcome: Outcome | None = None) -> None:
        """Say what is known: at the start, and with the outcome at the end."""
        if outcome is None:
            asked = asdict(self.wish).items()
            self._known = {
                "submission": self.wish.out.name,
                "inputs": source_facts(self.wish.source, self.tasks),
                "faulty_tasks": [fault.id for fault in self.faults.values()],
                "asked": {key: str(value) if isinstance(value, Path) else value for key, value in asked},
                "seed": self.wish.seed,
                "versions": versions(),
                "begun": now_text(),
                "state": "unfinished",
            }
            write_manifest(self.wish.out, self._known)
            return
        adapted = any("adapted" in facts for facts in self.facts.values())
        known = any(facts.get("known") for facts in self.facts.values())
        write_manifest(
            self.wish.out,
            self._known
            | {
                "state": "done",
                "ended": now_text(),
                "seconds": round(time.monotonic() - self.times.started, 2),
                "out_of_time": outcome.out_of_time,
                "failures": outcome.failures,
                "trained_on_demonstrations_of_these_tasks": adapted or known,
                "workers": list(self.facts.values()),
                "ballots": self._ballots(),
            },
        )

    def _ballots(self) -> dict[str, list[int]]:
        """Per task the ballots, one per view, that each of its outputs got."""
        counts = {task_id: [0] * num for task_id, num in self.standing.owed.items()}
        for query, answer in self.standing.answers.items():
            counts[query.task_id][query.index] = answer.ballots
        return counts


def missing_line(queries: Sequence[Query]) -> str | None:
    """What is without a guess, in one line; None where nothing is."""
    if not queries:
        return None
    names = ", ".join(f"{shown(query.task_id)}[{query.index}]" for query in queries[:NUM_SHOWN])
    return f"without a guess: {len(queries)} outputs ({names}{' ...' if len(queries) > NUM_SHOWN else ''})"


def carried_score(out: Path, tasks: Sequence[Task]) -> Score | None:
    """The score of a submission by the outputs that came with its tasks; None where there are none."""
    from arc_solver.tasks.truth import carried_truth, truth_hash
    from submission.lenient_reader import load_answers
    from submission.score import score

    truth = carried_truth(tasks)
    return score(load_answers(out), truth, truth_hash(truth)) if truth else None
