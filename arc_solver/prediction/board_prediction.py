"""A prediction of boards as the command line runs it, without torch: first the questions, then answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.checkpoints.file_format import Header, check_domain, preset_from, read_header
from arc_solver.checkpoints.shipped import reach, shipped_weights
from arc_solver.domains.boards.board_file import texts_from_cells
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import board_scores
from arc_solver.prediction.board_sheet import BLOCK, BoardStanding
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.manifest import now_text, versions, write_manifest
from arc_solver.prediction.messages import Message
from arc_solver.prediction.request import Wish
from arc_solver.prediction.supervisor import Outcome, supervise
from arc_solver.prediction.worker_process import Job
from arc_solver.prediction.workforce import WORKER, conditions_of
from arc_solver.settings import apply_settings
from arc_solver.storage.files import sha256_file, sweep_beside
from arc_solver.storage.text import DataError
from arc_solver.tasks.sharding import cut


@dataclass
class BoardPrediction:
    """A prediction of boards under way; their answers, where they came with any, reach no worker."""

    wish: Wish
    boards: BoardSet
    times: Times
    say: Callable[[str], None]
    worker: tuple[str, ...] = WORKER
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.standing = BoardStanding(self.wish.out, self.boards, self.say)
        self.checkpoint = self.wish.checkpoint or shipped_weights(self.boards.kind, self.boards.side)
        self._known: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Write the file without answers, answer the boards, write what came; returns what was done.

        What can be seen at once to be wrong with the checkpoint or a setting is raised before anything is
        written, a WorkerRefusal with the file in place.
        """
        used, header = self._checked()
        if self.wish.checkpoint is None and (doubt := reach(self.boards.kind, self.boards.side)):
            self.say(f"warning: {doubt}")
        sweep_beside(self.wish.out)
        self.standing.file.write()
        self.say(f"{self.wish.out}: all {len(self.boards)} questions; answers are added as they come")
        self._write_manifest({"state": "unfinished"})
        try:
            outcome = self._answer(used)
        finally:
            self.standing.file.close()
        facts = {
            "answers": str(self.wish.out),
            "boards": len(self.boards),
            "unanswered": int((~self.standing.answered).sum()),
            "mean_ages": round(self.standing.mean_ages(), 3) if self.standing.answered.any() else 0.0,
            "out_of_time": outcome.out_of_time,
            "failures": list(outcome.failures),
            **self._scores(),
        }
        for failure in outcome.failures:
            self.say(f"warning: {failure}")
        checkpoint = {
            "name": str(used),
            "sha256": sha256_file(used),
            "step": header.metadata.get("step"),
            "trained_on": header.metadata.get("files", []),
        }
        seconds = round(time.monotonic() - self.times.started, 2)
        self._write_manifest(
            {"state": "done", "ended": now_text(), "seconds": seconds, "checkpoint": checkpoint}
            | {"workers": list(self.facts.values()), "done": facts}
        )
        return facts

    def _checked(self) -> tuple[Path, Header]:
        """The weights and their header; refuses what can be refused without a worker and in no time."""
        if self.checkpoint is None:
            raise DataError(
                f"{self.wish.source}: no weights ship for {self.boards.kind} of side {self.boards.side}; "
                f"name some with --checkpoint (`arc-solve train --data {self.wish.source}` makes them)"
            )
        header, name = read_header(self.checkpoint), self.checkpoint.name
        check_domain(header.metadata, self.boards.kind, name)
        apply_settings(preset_from(header.metadata, name), list(self.wish.settings))
        return self.checkpoint, header

    def _answer(self, checkpoint: Path) -> Outcome:
        conditions = conditions_of(self.wish, self.times, self.say, self.worker)
        blocks = self.standing.blocks()
        parts = cut([1.0] * len(blocks), len(conditions.environments))

        def job(part: list[int], first: bool) -> Job:
            return Job(
                tuple(blocks[b] for b in part),
                lambda left, seconds: self._request(checkpoint, left, seconds, first),
            )

        jobs = [job(part, number == 0) for number, part in enumerate(parts) if part]
        return supervise(jobs, self._take, conditions, self.standing.file.refresh)

    def _request(
        self, checkpoint: Path, blocks: Sequence[str], seconds: float | None, first: bool
    ) -> Message:
        wish, end = self.wish, len(self.boards)
        numbers = [n for b in map(int, blocks) for n in range(b * BLOCK, min(end, (b + 1) * BLOCK))]
        return {
            "kind": "boards",
            "parent": os.getpid(),
            "board": self.boards.kind,
            "side": self.boards.side,
            "numbers": numbers,
            "questions": texts_from_cells(self.boards.kind, self.boards.questions[np.array(numbers)]),
            "seconds": seconds,
            "checkpoint": str(checkpoint),
            "settings": wish.settings,
            "views": wish.views,
            "ages": wish.ages,
            "device": wish.device,
            "seed": wish.seed,
            # Several progress bars would overwrite each other.
            "quiet": wish.quiet or not first,
        }

    def _take(self, items: Sequence[str], message: Message) -> bool:
        if message.get("kind") == "say":
            self.say(str(message.get("text")))
            return True
        if message.get("kind") == "facts" and isinstance(message.get("facts"), dict):
            self.facts.setdefault(items[0], {}).update(message["facts"])
            return True
        return self.standing.take(items, message)

    def _scores(self) -> dict[str, float]:
        """Exact and valid share where all answers are known; a board without an answer is wrong."""
        if not self.boards.answers.any(axis=1).all():
            return {}
        return {
            name: round(share, 5) for name, share in board_scores(self.boards, self.standing.cells).items()
        }

    def _write_manifest(self, more: dict[str, Any]) -> None:
        """Say what is known, with `more`."""
        if not self._known:
            path = Path(self.wish.source)
            asked = asdict(self.wish).items()
            self._known = {
                "answers": self.wish.out.name,
                "inputs": {
                    "name": self.wish.source,
                    "boards": len(self.boards),
                    "sha256": sha256_file(path) if path.is_file() else "",
                },
                "asked": {key: str(value) if isinstance(value, Path) else value for key, value in asked},
                "seed": self.wish.seed,
                "versions": versions(),
                "begun": now_text(),
            }
        write_manifest(self.wish.out, self._known | more)
