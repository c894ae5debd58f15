"""Test-time training: learn new tasks from their demonstrations, in the time and memory available."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from arc_solver.checkpoints.file_format import CheckpointError, newest_step
from arc_solver.checkpoints.weights import Loaded
from arc_solver.config import ModelConfig, Preset, TrainConfig
from arc_solver.domains.arc.examples import ArcTraining
from arc_solver.hardware.memory import is_out_of_memory, release_memory
from arc_solver.inference.measured_time import (
    is_short_of_time,
    seconds_of_step,
    seconds_per_cell,
    shared_time,
    stretch,
    views_in_time,
)
from arc_solver.inference.options import Listener, SolveOptions
from arc_solver.inference.own_budget import leaves_views_open
from arc_solver.inference.time_budget import UNCOMPILED
from arc_solver.model.puzzle_embedding import mean_rows
from arc_solver.model.trm import Model
from arc_solver.storage.files import lock_folder, sweep_stale, write_atomic
from arc_solver.storage.text import count
from arc_solver.tasks.puzzles import PuzzleMap, puzzles_of
from arc_solver.tasks.task import Task, without_answers
from arc_solver.training.loop import Hooks, Limits, Metrics, run_steps
from arc_solver.training.run_checkpoint import resume, run_hash, save_state, save_weights
from arc_solver.training.state import TrainState

# Is called with the model, as it would answer now, and its step.
Glance = Callable[[Model, int], None]
ADAPTED_NAME = "adapted.safetensors"
# The pause between two saves: at least so many seconds, and so many times the last save took.
SAVE_SECONDS, PAUSE_FACTOR = 30.0, 20.0
# The share of the seconds beyond UNCOMPILED after which nothing more is compiled.
MAX_COMPILING = 0.3
WITHOUT_LEARNING = "short of time: answering without learning; --time-limit gives more time"


@dataclass(frozen=True)
class Fit:
    """How many views of every task are learned, and the seconds of a step, if known."""

    views: list[int]
    step: float | None = None


@dataclass(frozen=True)
class Keep:
    """Where test-time training is saved: each run in a folder below `folder`, named by a hash of its data.

    `recipe` and `facts` go into its files; `start` identifies the initial weights ("" for none). A run is
    saved every `seconds` and at its end, then also the weights to predict with (ADAPTED_NAME).
    """

    folder: Path
    recipe: Preset
    start: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    say: Callable[[str], None] = field(default=lambda _: None)
    seconds: float = SAVE_SECONDS

    def run_folder(self, data: ArcTraining) -> Path:
        """The folder of the run that learns `data`, the same for the same run."""
        digest = hashlib.sha256(f"{run_hash(self.recipe, data)} {self.start}".encode())
        return self.folder / digest.hexdigest()[:16]

    def fitted(
        self, data_of: Callable[[list[int]], ArcTraining], usual: list[int], fit: Callable[[], Fit | None]
    ) -> Fit | None:
        """What `fit` finds, unless a saved run goes on: with the `usual` views or those fitted to it then.

        `data_of` gives the data with so many views of every task.
        """
        folder = self.run_folder(data_of(usual))
        if newest_step(folder) is not None:
            return Fit(usual)
        path = folder.with_suffix(".views.json")
        most = max(self.recipe.train.num_views, self.recipe.predict.views)
        with contextlib.suppress(OSError, ValueError, RecursionError):
            views = json.loads(path.read_bytes())
            if (
                isinstance(views, list)
                and [type(num) for num in views] == [int] * len(usual)
                and all(0 < num <= most for num in views)
                and newest_step(self.run_folder(data_of(views))) is not None
            ):
                return Fit(views)
        found = fit()
        if found is not None and found.views != usual:
            write_atomic(path, json.dumps(found.views).encode())
        return found


def cold_model(config: ModelConfig, puzzles: PuzzleMap, seed: int) -> Model:
    """An untrained model with zero rows for `puzzles`."""
    return Model(config, num_rows=puzzles.num_rows, seed=seed)


def warm_model(loaded: Loaded, puzzles: PuzzleMap) -> Model:
    """The trained weights with a new table: every row of `puzzles` is the mean of the trained rows."""
    model = copy.deepcopy(loaded.model).requires_grad_(True)
    model.puzzle.rows = mean_rows(model.puzzle.rows, puzzles.num_rows)
    return model


def adapt(
    model: Model,
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    config: TrainConfig,
    limits: Limits,
    device: torch.device,
    *,
    hooks: Hooks | None = None,
    keep: Keep | None = None,
    glance: Glance | None = None,
    quiet: bool = True,
) -> Model:
    """Train `model` on the demonstrations of `tasks` (never looking at test outputs) within the limits.

    Returns the averaged model, ready to predict. The first `config.rows_only_share` trains the rows alone.
    With `keep` it resumes an earlier run on the same data, however that ended; that run's seconds count for
    `limits.time_limit`. `glance` is called at each tenth of the run.
    """
    blind = [without_answers(task) for task in tasks]
    data = ArcTraining(blind, puzzles, config)
    state = TrainState(model, data, config, device)
    hooks = hooks or Hooks()
    answering = state.averaged if config.ema else state.model
    if glance is not None:
        hooks.evaluate = _evaluation(glance, answering, state)
    if keep is None:
        run_steps(state, config, limits, hooks, label="learn", quiet=quiet)
    else:
        folder = keep.run_folder(data)
        with lock_folder(folder):
            sweep_stale(folder)
            if _went_on(folder, state, data, keep):
                keep.say(f"going on with what was learned in {folder}, step {state.step}")
            session = _RunSession(folder, state, puzzles, data, keep, hooks)
            run_steps(state, config, limits, session.hooks, label="learn", quiet=quiet)
            session.finish()
            hooks.last = session.hooks.last
    return answering.requires_grad_(False)


def _evaluation(glance: Glance, model: Model, state: TrainState) -> Callable[[], Metrics]:
    def evaluate() -> Metrics:
        was_training = model.training
        glance(model, state.step)
        model.train(was_training)
        return {}

    return evaluate


def _went_on(folder: Path, state: TrainState, data: ArcTraining, keep: Keep) -> bool:
    """Whether `state` was restored from a saved run; one that cannot be used costs only a warning."""
    try:
        return resume(folder, state, keep.recipe, data, keep.say) is not None
    except CheckpointError as error:
        keep.say(f"warning: {error}; learning anew")
        return False


class _RunSession:
    """One session of a saved run."""

    def __init__(
        self, folder: Path, state: TrainState, puzzles: PuzzleMap, data: ArcTraining, keep: Keep, hooks: Hooks
    ) -> None:
        self.folder, self.state, self.puzzles, self.data, self.keep = folder, state, puzzles, data, keep
        self._report = hooks.report
        self._next = time.monotonic() + keep.seconds
        self.hooks = dataclasses.replace(hooks, report=self.report)

    def report(self, metrics: Metrics) -> None:
        """Pass the report on, and save if it is time."""
        self._report(metrics)
        started = time.monotonic()
        if started >= self._next:
            self.save()
            ended = time.monotonic()
            self._next = ended + max(self.keep.seconds, PAUSE_FACTOR * (ended - started))

    def save(self) -> None:
        """Write a checkpoint of this step."""
        save_state(self.folder, self.state, self.keep.recipe, self.puzzles, self.data, self.keep.facts)

    def finish(self) -> None:
        """Write the last checkpoint, and the weights by themselves."""
        self.save()
        path = self.folder / ADAPTED_NAME
        save_weights(path, self.state, self.keep.recipe, self.puzzles, self.keep.facts)


def learned(
    tasks: Sequence[Task],
    loaded: Loaded | None,
    preset: Preset,
    options: SolveOptions,
    device: torch.device,
    listener: Listener,
    glance: Glance | None = None,
    *,
    until_learned: bool = False,
) -> tuple[Model, PuzzleMap]:
    """A model for tasks that no checkpoint knows, after test-time training unless that is switched off.

    `glance` is called with the model from time to time. With `until_learned` the training may end before its
    time (see AdaptBudget).
    """
    network = loaded.model.config if loaded else preset.model
    kind = network.embedding
    puzzles = puzzles_of(tasks, kind, preset.train, options.seed)

    def untrained() -> Model:
        return warm_model(loaded, puzzles) if loaded else cold_model(preset.model, puzzles, options.seed)

    if not options.adapt:
        return untrained().to(device).requires_grad_(False), puzzles
    config = _config(preset, options, from_weights=loaded is not None and kind != "none")
    blind = list(map(without_answers, tasks))

    def keep() -> Keep | None:
        return _keep(loaded, dataclasses.replace(preset, train=config), options, listener)

    def data_of(views: list[int]) -> ArcTraining:
        return ArcTraining(blind, puzzles_of(tasks, kind, preset.train, options.seed, views), config)

    usual = [preset.train.num_views] * len(tasks)
    fit: Callable[[], Fit | None] = partial(Fit, usual)
    if options.deadline is not None and options.adapt_steps is None:
        fit = partial(_fitted, untrained, puzzles, tasks, preset, options, device, listener)
    saved = keep()
    if saved is None:
        found = fit()
    else:
        found = saved.fitted(data_of, usual, fit) if leaves_views_open(options) else Fit(usual)
    if found is None:
        listener.say(WITHOUT_LEARNING)
        return untrained().to(device).requires_grad_(False), puzzles
    if found.views != usual:
        puzzles = puzzles_of(tasks, kind, preset.train, options.seed, found.views)
    step = found.step
    while True:
        limits, hooks = Limits(deadline=options.deadline), Hooks(say=listener.say)
        if options.deadline is not None:
            budget = shared_time(tasks, puzzles, preset, network.cycles, limits, options.deadline)
            budget.until_learned = until_learned
            hooks.report, hooks.ready = budget.report, budget.begin
            if step is not None:
                budget.expect(step, preset.train.batch_size)
            limits.patience = time.monotonic() + MAX_COMPILING * max(0.0, budget.seconds - UNCOMPILED)
        try:
            model = adapt(
                untrained(),
                puzzles,
                tasks,
                config,
                limits,
                device,
                hooks=hooks,
                keep=keep(),
                glance=glance,
                quiet=options.quiet,
            )
            if hooks.last:
                listener.say(_learned_line(hooks.last))
            elif step is not None:
                listener.say(WITHOUT_LEARNING)
            listener.facts({"adapted": {"tasks": [task.id for task in tasks], **hooks.last}})
            return model, puzzles
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or config.batch_size == 1:
                raise
        config = dataclasses.replace(config, batch_size=config.batch_size // 2)
        listener.say(f"warning: not enough memory; learning again with batches of {config.batch_size}")
        release_memory()


def _fitted(
    untrained: Callable[[], Model],
    puzzles: PuzzleMap,
    tasks: Sequence[Task],
    preset: Preset,
    options: SolveOptions,
    device: torch.device,
    listener: Listener,
) -> Fit | None:
    """As many views of every task as can be learned in time, and the seconds of a step; None if none can.

    A few steps are timed for it.
    """
    assert options.deadline is not None
    model = untrained().to(device).requires_grad_(False)
    per_cell = seconds_per_cell(model, tasks, puzzles, preset)
    step = seconds_of_step(per_cell, tasks, preset.train, model.config.cycles)
    if is_short_of_time(per_cell, step, tasks, preset, options.deadline):
        return None
    num = preset.train.num_views
    views = [num] * len(tasks)
    if leaves_views_open(options) and (
        found := views_in_time(preset, untrained().to(device), puzzles, tasks, options.deadline, step)
    ):
        views, step = found
        if set(views) != {num}:
            span = " to ".join(map(str, sorted({min(views), max(views)})))
            reason = "short of time" if max(views) <= num else "there is time for more"
            reason = "fitted to the time" if min(views) < num < max(views) else reason
            listener.say(f"{reason}: {span} views of a task are learned and asked")
    return Fit(views, step)


def _learned_line(last: Metrics) -> str:
    steps = count(last["step"], "step")
    return f"learned in {steps}: {100 * last['exact']:.0f} % of the last training examples were right"


def _config(preset: Preset, options: SolveOptions, *, from_weights: bool) -> TrainConfig:
    """The config of test-time training; from weights with rows its first share trains the new rows alone."""
    train = dataclasses.replace(preset.train, seed=options.seed)
    if from_weights:
        train = dataclasses.replace(train, rows_only_share=preset.predict.adapt_rows_share)
    if options.adapt_steps is not None:
        train = dataclasses.replace(train, steps=max(1, options.adapt_steps))
    return train


def stretch_here(
    tasks: Sequence[Task], loaded: Loaded | None, preset: Preset, options: SolveOptions, device: torch.device
) -> float:
    """By what the default time for these tasks is multiplied on this machine, by a few timed steps."""
    network = loaded.model.config if loaded else preset.model
    puzzles = puzzles_of(tasks, network.embedding, preset.train, options.seed)
    model = warm_model(loaded, puzzles) if loaded else cold_model(preset.model, puzzles, options.seed)
    return stretch(preset.train, model.to(device), puzzles, tasks)


def _keep(loaded: Loaded | None, recipe: Preset, options: SolveOptions, listener: Listener) -> Keep | None:
    """Where this run is saved; None if it is not."""
    if options.keep is None:
        return None
    if loaded is None:
        return Keep(options.keep, recipe, say=listener.say)
    start = str(loaded.metadata.get("self", ""))
    facts = {"files": loaded.metadata.get("files", []), "adapted_from": start}
    return Keep(
        options.keep, dataclasses.replace(recipe, model=loaded.model.config), start, facts, listener.say
    )
