"""The training loop: evaluate, save, stop, step, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from arc_solver.config import TrainConfig
from arc_solver.progress import progress as progress_bar
from arc_solver.training.schedule import depth, rate_factor
from arc_solver.training.state import TrainState
from arc_solver.training.step import MEASURES, train_step
from arc_solver.training.warm_up import warm_up

Metrics = dict[str, Any]
REPORT_SECONDS = 2.0


@dataclass
class Limits:
    """When a session ends: `time_limit` in training seconds of the run, `deadline` as a monotonic time.

    From the monotonic time `patience` on, nothing more is compiled.
    """

    time_limit: float | None = None
    deadline: float | None = None
    patience: float | None = None
    stop: Callable[[], bool] = field(default=lambda: False)
    clock: Callable[[], float] = time.monotonic

    def over(self) -> bool:
        """Whether the session ends now, complete or not."""
        return self.stop() or (self.deadline is not None and self.clock() >= self.deadline)

    def impatient(self) -> bool:
        """Whether compiling must end."""
        return self.patience is not None and self.clock() >= self.patience


@dataclass
class Hooks:
    """Callbacks of the loop: `say` a remark, `report` metrics, `save`, `evaluate`.

    `ready` gets the training seconds so far, once everything is compiled and training begins.
    """

    say: Callable[[str], None] = field(default=lambda _: None)
    ready: Callable[[float], None] = field(default=lambda seconds: None)
    report: Callable[[Metrics], None] = field(default=lambda _: None)
    save: Callable[[], object] = field(default=lambda: None)
    evaluate: Callable[[], Metrics] | None = None
    last: Metrics = field(default_factory=dict)  # the newest training report


def run_steps(
    state: TrainState,
    config: TrainConfig,
    limits: Limits,
    hooks: Hooks,
    *,
    label: str = "train",
    quiet: bool = True,
) -> bool:
    """Train `state` from its step to `config.steps` or a limit; True if the run is complete.

    Compiling, evaluating and saving count neither as training time nor in the rates; after the last step the
    caller evaluates and saves. Among several processes rank 0 decides on time, and any may stop. Raises
    NotFinite before the report, evaluation or save that follows a step that was not finite.
    """
    clock = limits.clock
    warm_up(state, config, limits.over, limits.impatient, hooks.say)
    hooks.ready(state.seconds)
    sums = torch.zeros(len(MEASURES), device=state.model.first_answer.device)
    started, reported, reported_step = clock(), clock(), state.step
    base, first, before = state.seconds, state.step, 1.0
    # With a time limit, the number of steps is estimated at every report.
    total = config.steps if limits.time_limit is None else None
    bar = progress_bar(label, "step", total, done=state.step, quiet=quiet)
    complete = False
    for batches in state.batches.from_step(state.step):
        state.seconds = base + clock() - started
        spent = state.seconds / max(limits.time_limit, 1e-9) if limits.time_limit is not None else 0.0
        progress, due, stop = state.team.agree(
            max(state.step / config.steps, spent), clock() - reported >= REPORT_SECONDS, anyone=limits.over()
        )
        paused = clock()

        # evaluate
        under_way = state.step > first and progress < 1
        if hooks.evaluate and under_way and evaluation_due(config, state.step, before, progress):
            state.guard.check()
            hooks.report({"step": state.step, "seconds": state.seconds, **hooks.evaluate()})
        before = progress

        # save
        if under_way and state.step % config.save_every == 0:
            state.guard.check()
            hooks.save()
        pause = clock() - paused
        started, reported = started + pause, reported + pause

        # stop
        complete = progress >= 1
        if complete or stop:
            break

        # step
        rows_only = progress < config.rows_only_share
        sums += train_step(
            state,
            batches,
            config,
            rate_factor(config, state.step, progress),
            rows_only=rows_only,
            depth=depth(config, state.model.config, progress),
        )
        bar.update()

        # report
        if due or (state.team.world == 1 and clock() - reported >= REPORT_SECONDS):
            state.guard.check()
            metrics = measured(state.team.total(sums), state.step - reported_step, clock() - reported)
            hooks.last = {"step": state.step, "seconds": base + clock() - started, **metrics}
            hooks.report(hooks.last)
            bar.total = max(state.step, round(state.step / max(progress, 1e-9)))  # as many as time allows
            bar.set_postfix({k: metrics[k] for k in ("loss", "exact")}, refresh=False)
            sums.zero_()
            reported, reported_step = clock(), state.step
    state.guard.check()
    state.seconds = base + clock() - started
    bar.total = state.step if complete else bar.total  # where time was the limit
    bar.close()
    if state.step > reported_step:
        seconds = max(clock() - reported, 1e-9)
        metrics = measured(state.team.total(sums), state.step - reported_step, seconds)
        hooks.last = {"step": state.step, "seconds": state.seconds, **metrics}
        hooks.report(hooks.last)
    return complete


def evaluation_due(config: TrainConfig, step: int, before: float, progress: float) -> bool:
    """Whether to score at `step`: every `eval_every` steps, or by default at each tenth of the progress.

    `before` is the progress at the previous step.
    """
    if config.eval_every:
        return step % config.eval_every == 0
    return int(10 * progress) > int(10 * before)


def measured(sums: torch.Tensor, num_steps: int, seconds: float) -> Metrics:
    """The report of `num_steps` steps from the sums of their measures: the only host-device sync."""
    total = dict(zip(MEASURES, sums.tolist(), strict=True))
    rows, finished = max(total["rows"], 1.0), max(total["finished"], 1.0)
    return {
        "loss": round(total["loss"] / rows, 5),
        "cell_loss": round(total["cells"] / rows, 5),
        "halt_loss": round(total["halting"] / rows, 5),
        "exact": round(total["finished_exact"] / finished, 5),
        "ages": round(total["finished_age"] / finished, 3),
        "examples_per_s": round(total["finished"] / seconds, 2),
        "forwards_per_s": round(total["rows"] / seconds, 2),
        "steps_per_s": round(num_steps / seconds, 3),
    }
