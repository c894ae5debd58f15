"""A prediction as the command line runs it, without torch: first a complete file, then answers."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.checkpoints.file_format import check_domain, preset_from, read_header
from arc_solver.checkpoints.shipped import reach, shipped_weights
from arc_solver.config import ConfigError
from arc_solver.domains.domains import idle_settings
from arc_solver.domains.protocols import Block, Domain, Faults
from arc_solver.hardware.accelerators import check_device_name, worker_environments
from arc_solver.prediction.answer_sheet import sheet_of
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.manifest import now_text, versions, write_manifest
from arc_solver.prediction.messages import Message
from arc_solver.prediction.request import PredictRequest
from arc_solver.prediction.supervisor import Outcome, supervise
from arc_solver.prediction.worker_process import Conditions, Job
from arc_solver.presets import find_preset
from arc_solver.storage.files import sweep_beside
from arc_solver.storage.text import DataError
from arc_solver.tasks.sharding import cut

WORKER = (sys.executable, "-P", "-m", "arc_solver.prediction.worker")
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class PredictionIncomplete(RuntimeError):
    """Workers failed for good and left something unanswered; the file is valid nevertheless."""

    exit_code = 1


@dataclass
class Prediction:
    """One prediction; answers that came with the material never reach a worker."""

    request: PredictRequest
    domain: Domain[Any]
    material: Any
    faults: Faults
    times: Times
    say: Callable[[str], None]
    worker: tuple[str, ...] = WORKER
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        request, domain = self.request, self.domain
        if request.checkpoint is None and request.solve.preset is None:
            shipped = shipped_weights(domain.name)
            self.request = dataclasses.replace(request, checkpoint=shipped)
        self.sheet = sheet_of(
            domain,
            request.out,
            self.material,
            self.faults,
            self.say,
            everything=request.candidates is not None,
        )
        self._asked = request
        self._blocks = {block.name: block for block in domain.blocks(self.material)}
        self._known: dict[str, Any] = {}

    def run(self, remarks: Sequence[str] = ()) -> dict[str, Any]:
        """Write a complete file without answers, let workers answer, write the answers; returns the facts.

        Obvious errors of recipe or checkpoint are raised before anything is written, or `remarks` are said.
        From then on the file is valid and complete, even if a WorkerRefusal is raised.
        """
        self._check()
        for line in remarks:
            self.say(line)
        out, candidates = self.request.out, self.request.candidates
        sweep_beside(out, candidates)
        self.sheet.file.write()
        for line in self.sheet.opening():
            self.say(line)
        self._begin_manifest()
        outcome = Outcome(False, ())
        try:
            if self._blocks:
                conditions = self._conditions()
                jobs = self._jobs(len(conditions.environments))
                outcome = supervise(jobs, self._take, conditions, self.sheet.file.refresh)
        finally:
            self.sheet.file.close()
        if candidates is not None:
            self.sheet.write_candidates(candidates)
        for failure in outcome.failures:
            self.say(f"warning: {failure}")
        done = self.sheet.facts() | {"out_of_time": outcome.out_of_time, "failures": list(outcome.failures)}
        self._end_manifest(done)
        return done

    def _check(self) -> None:
        """Refuse what can be refused quickly and without a worker: only the header of a file is read."""
        request, domain, side = self.request, self.domain, self.domain.side(self.material)
        check_device_name(request.solve.device)
        asked = find_preset(request.solve.preset) if isinstance(request.solve.preset, str) else None
        if asked and asked.train.domain != domain.name:
            raise ConfigError(
                f"preset {asked.name!r} is for {asked.train.domain}, but these are {domain.noun}"
            )
        if request.checkpoint is not None:
            header, name = read_header(request.checkpoint), request.checkpoint.name
            check_domain(header.metadata, domain.name, domain.noun, name)
            own = preset_from(header.metadata, name)
            domain.check(own.model, request.solve.applied(asked or own).predict)
        elif asked:
            recipe = request.solve.applied(asked)
            domain.check(recipe.model, recipe.predict)
        elif not domain.learns:
            raise DataError(
                f"{request.source}: no weights ship for {domain.name}; "
                f"name some with --checkpoint (`arc-solve train --data {request.source}` makes them)"
            )
        if line := idle_settings(domain, request.solve.settings):
            self.say(line)
        if self._asked.checkpoint is None and (doubt := reach(domain.name, side)):
            self.say(f"warning: {doubt}")

    def _conditions(self) -> Conditions:
        """How the workers are run: one per environment."""
        request, times = self.request, self.times
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(PACKAGE_ROOT)]))
        environments = worker_environments(request.solve.device, request.workers, request.threads)
        return Conditions(
            self.worker,
            tuple(environment | {"PYTHONPATH": path} for environment in environments),
            times.kill_at,
            times.stop_at,
            times.silence(),
            say=self.say,
        )

    def _jobs(self, num_workers: int) -> list[Job]:
        blocks = list(self._blocks.values())
        parts = cut([block.cost for block in blocks], num_workers)

        def job(part: list[Block], first: bool) -> Job:
            items = tuple(block.name for block in part)
            return Job(items, lambda left, seconds: self._message(left, seconds, first))

        dealt = [[blocks[place] for place in part] for part in parts if part]
        return [job(part, number == 0) for number, part in enumerate(dealt)]

    def _message(self, items: Sequence[str], seconds: float | None, first: bool) -> Message:
        """The request to a worker that has these items."""
        mine = [self._blocks[item] for item in items]
        places = np.concatenate([block.places for block in mine])
        return {
            "parent": os.getpid(),
            "seconds": seconds,
            # Several progress bars would overwrite each other.
            "quiet": self.request.solve.quiet or not first,
            "domain": self.domain.name,
            "items": [[block.name, block.num_queries] for block in mine],
            "material": self.domain.pack(self.domain.take(self.material, places)),
            "request": self.request.to_message(),
        }

    def _take(self, items: Sequence[str], message: Message) -> bool:
        if message.get("kind") == "say":
            self.say(str(message.get("text")))
            return True
        if message.get("kind") == "facts" and isinstance(message.get("facts"), dict):
            self.facts.setdefault(items[0], {}).update(message["facts"])
            return True
        return self.sheet.take(items, message)

    def _begin_manifest(self) -> None:
        """Write what is known at the start."""
        asked = asdict(self._asked)
        asked |= asked.pop("solve")
        self._known = {
            "domain": self.domain.name,
            "asked": {key: str(value) if isinstance(value, Path) else value for key, value in asked.items()},
            "seed": self.request.solve.seed,
            "versions": versions(),
            "begun": now_text(),
            "state": "unfinished",
        } | self.sheet.inputs(self.request.source)
        self._write_manifest(self._known)

    def _end_manifest(self, done: dict[str, Any]) -> None:
        adapted = any("adapted" in facts for facts in self.facts.values())
        known = any(facts.get("known") for facts in self.facts.values())
        ended = {
            "state": "done",
            "ended": now_text(),
            "seconds": round(time.monotonic() - self.times.started, 2),
            "out_of_time": done["out_of_time"],
            "failures": done["failures"],
            "trained_on_demonstrations_of_these_tasks": self.domain.learns and (adapted or known),
            "workers": list(self.facts.values()),
            "done": done,
        }
        self._write_manifest(self._known | self.sheet.manifest() | ended)

    def _write_manifest(self, facts: dict[str, Any]) -> None:
        if self.request.out is not None:
            write_manifest(self.request.out, facts)
