"""Composition root of prediction: tasks that the weights know are answered, the others learned first."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.checkpoints.file_format import CheckpointError, check_domain
from arc_solver.checkpoints.weights import Loaded, load, preset_values
from arc_solver.config import Preset
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.protocols import Domain, Numbers
from arc_solver.hardware.torch_device import choose_device
from arc_solver.inference.adaptation import learned, stretch_here
from arc_solver.inference.answer import Answering
from arc_solver.inference.options import SILENT, Listener, SolveOptions, Standing
from arc_solver.inference.own_budget import leaves_it_open, own_budget_line, own_seconds
from arc_solver.inference.time_budget import UNCOMPILED, Pace
from arc_solver.model.compiling import Compiler, compiles, plainly
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.progress import progress
from arc_solver.storage.files import sha256_file
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from submission.messages import count
from submission.vote import Query

COLD_PRESET = "cpu-arc"
# Fewer forward passes than this take less time than compiling.
MIN_COMPILED = 1000


def vote(
    tasks: Sequence[Task], checkpoint: str | Path | None, options: SolveOptions, listener: Listener = SILENT
) -> dict[Query, Standing]:
    """All candidates for every test input of `tasks` with their votes.

    Tasks that the checkpoint knows by content are answered with their rows; others are learned from their
    demonstrations first, starting from the checkpoint's weights or, without one, from scratch.
    """
    queries = [Query(task.id, i) for task in tasks for i in range(len(task.test))]
    found = {query: Standing((), 0) for query in queries}
    for part, answering in Prediction(ARC, tuple(tasks), checkpoint, options, listener).run():
        numbers = np.arange(len(part))
        for query, standing in zip(part.tolist(), answering.standings(numbers), strict=True):
            found[queries[query]] = standing
    return found


@dataclass
class Prediction:
    """The answers to some material of one domain."""

    domain: Domain[Any]
    material: Any
    checkpoint: str | Path | None
    options: SolveOptions
    listener: Listener = SILENT

    def run(self) -> list[tuple[Numbers, Answering]]:
        """Answer everything; returns each group answered together, with its queries' numbers in the material.

        CheckpointError for weights for other material, ConfigError for an impossible recipe.
        """
        started = time.monotonic()
        self.device = choose_device(self.options.device)
        side = self.domain.side(self.material)
        self.loaded = load(self.checkpoint, side) if self.checkpoint is not None else None
        self._check_weights()
        self.recipe = recipe_of(self.loaded, self.options)
        self.domain.check(self.loaded.model.config if self.loaded else self.recipe.model, self.recipe.predict)
        numbers = np.full(len(self.material), -1)
        if self.loaded:
            numbers = self.domain.numbers(self.material, self.loaded.puzzles)
        known, unknown = np.flatnonzero(numbers >= 0), np.flatnonzero(numbers < 0)
        ids = self.domain.ids(self.material) if self.domain.learns else []
        self.listener.facts(
            self._facts() | {"known": [ids[place] for place in known.tolist()] if ids else True}
        )
        done = []
        if len(known) and self.loaded:
            if ids:
                self.listener.say(f"known to the checkpoint: {len(known)} of {count(len(ids), 'task')}")
            # The others get their share of the time.
            mine = self.options.part(len(known) / len(numbers))
            model = self.loaded.model.to(self.device)
            done.append(self._answer(model, self.loaded.puzzles, known, numbers[known].tolist(), mine))
        groups = [*unknown[:, None]] if self.options.adapt_each else [unknown] if len(unknown) else []
        costs = [sum(block.cost for block in self.domain.blocks(self._take(group))) for group in groups]
        own = self._own_seconds(groups)
        for number, group in enumerate(groups):
            if self.options.over():
                break
            mine = self.options.part(costs[number] / sum(costs[number:]))
            self._say_what_is_learned(number, groups)
            # Our own time limit ends only the learning: everything is answered, however long that takes.
            learning = replace(mine, deadline=time.monotonic() + own[number]) if own else mine
            model, puzzles = learned(
                self._take(group),
                self.loaded,
                self.recipe,
                learning,
                self.device,
                self.listener,
                until_learned=bool(own),
            )
            done.append(self._answer(model, puzzles, group, range(len(group)), mine))
        self.listener.facts({"seconds": round(time.monotonic() - started, 2)})
        return done

    def _take(self, places: Numbers) -> Any:
        return self.domain.take(self.material, places)

    def _check_weights(self) -> None:
        """CheckpointError if the weights are for other material."""
        if self.loaded is None:
            return
        name = Path(str(self.checkpoint)).name
        check_domain(self.loaded.metadata, self.domain.name, self.domain.noun, name)
        fault = self.domain.fault(self.loaded.model.config, self.material)
        if fault:
            raise CheckpointError(f"{name}: {fault}")

    def _own_seconds(self, groups: Sequence[Numbers]) -> list[float]:
        """The default budget of each group, announced before it begins; empty if the user chose one."""
        if not (groups and self.domain.learns and leaves_it_open(self.options)):
            return []
        everything = self._take(np.concatenate(groups))
        stretch = stretch_here(everything, self.loaded, self.recipe, self.options, self.device)
        together = own_seconds(everything, stretch)
        each = [own_seconds(self._take(group)) for group in groups]
        seconds = [together * own / sum(each) for own in each]
        self.listener.say(own_budget_line(together, sum(map(len, groups))))
        return seconds

    def _say_what_is_learned(self, number: int, groups: Sequence[Numbers]) -> None:
        if self.options.adapt:
            num = len(groups)
            what = count(len(groups[number]), "task") if num == 1 else f"task {number + 1} of {num}"
            whose = "its" if len(groups[number]) == 1 else "their"
            start = "starting from the checkpoint's weights" if self.loaded else "from scratch"
            self.listener.say(f"learning {what} from {whose} demonstrations, {start}")

    def _facts(self) -> dict[str, Any]:
        """The recipe, weights and device, for the manifest."""
        facts: dict[str, Any] = {"recipe": preset_values(self.recipe), "device": str(self.device)}
        facts["checkpoint"] = None
        if self.loaded and self.checkpoint is not None:
            facts["checkpoint"] = {
                "name": str(self.checkpoint),
                "sha256": sha256_file(Path(self.checkpoint)),
                "step": self.loaded.metadata.get("step"),
                "trained_on": self.loaded.metadata.get("files", []),
            }
        return facts

    def _answer(
        self, model: Model, puzzles: PuzzleMap, places: Numbers, numbers: Sequence[int], options: SolveOptions
    ) -> tuple[Numbers, Answering]:
        """Answer the puzzles at some places; the listener gets them as they come."""
        mine, config, listener = self._take(places), self.recipe.predict, self.listener
        questions = self.domain.questions(mine, puzzles, numbers, config, self.recipe.train.canvas)
        answering = Answering(self.domain, mine, questions, config)
        model.run = self._run(int(questions.owed.sum()) * config.ages / config.batch_size, options.deadline)
        queries = self._queries_of(places)
        total = int(questions.owed.sum())
        # Complete boards owe nothing, however many views there are.
        most = (int(questions.owed.max(initial=0)) or questions.contenders) // config.rollouts
        if options.views is not None and options.views > most:
            there = (
                f"the recipe has {most} (--set num_views=...)" if self.domain.learns else f"there are {most}"
            )
            listener.say(f"{options.views} views were asked for; {there}")
        pace = None if options.deadline is None else Pace(config.ages, options.deadline, listener.say)
        with progress("predict", "view", total, quiet=options.quiet) as bar:
            for found in answering.run(model.eval(), stop=options.over, pace=pace):
                touched = np.unique(found.queries)
                listener.heard(answering, touched, queries[touched])
                bar.update(len(found.queries))
        self._say_what_was_saved(answering, options, total)
        if not options.over():
            listener.finished(queries)
        return queries, answering

    @cached_property
    def _ends(self) -> Numbers:
        """(places + 1,): the number of the first query of each place, and of all queries."""
        blocks = self.domain.blocks(self.material)
        # A block of several places has one query per place.
        per_place = [np.full(len(b.places), b.num_queries // len(b.places)) for b in blocks]
        return np.concatenate([[0], *per_place]).cumsum()

    def _queries_of(self, places: Numbers) -> Numbers:
        """The numbers of the queries of some places."""
        ends = self._ends
        return np.concatenate([np.arange(ends[p], ends[p + 1]) for p in places.tolist()])

    def _run(self, forwards: float, deadline: float | None) -> Callable[..., Any]:
        """How to call the network: on a GPU compiled, if there are enough forward passes and time."""
        left = math.inf if deadline is None else deadline - time.monotonic()
        compilable = self.device.type == "cuda" and compiles(self.recipe.train.compile, self.device)
        if not compilable or forwards < MIN_COMPILED or left < UNCOMPILED:
            return plainly
        self.listener.say("compiling the network for these answers, at its first forward on every canvas")
        return Compiler()

    def _say_what_was_saved(self, answering: Answering, options: SolveOptions, total: int) -> None:
        """How many rows were not needed, and how many there was time for."""
        missing = answering.questions.owed - answering.answered
        saved = int(missing[answering.closed].sum())
        if saved:
            self.listener.say(
                f"not needed, since their outputs were decided before: {saved} of {count(total, 'view')}"
            )
        answered = int(answering.answered.sum())
        if options.over() and answered + saved < total:
            self.listener.say(f"short of time: answered under {answered} of {count(total, 'view')}")


def recipe_of(loaded: Loaded | None, options: SolveOptions) -> Preset:
    """The recipe asked for, else that of the checkpoint, with all settings applied."""
    asked = find_preset(options.preset) if isinstance(options.preset, str) else options.preset
    return options.applied(asked or (loaded.preset if loaded else find_preset(COLD_PRESET)))
