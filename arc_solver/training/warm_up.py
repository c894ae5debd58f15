"""Compiling before the first step, so that no step waits for it and it does not count as training time."""

from __future__ import annotations

import time
from collections.abc import Callable

from arc_solver.config import TrainConfig
from arc_solver.model.compiling import Compiler
from arc_solver.storage.text import count
from arc_solver.training.replays import aside
from arc_solver.training.schedule import depths
from arc_solver.training.state import TrainState
from arc_solver.training.step import differentiated


def warm_up(
    state: TrainState,
    config: TrainConfig,
    stop: Callable[[], bool] = lambda: False,
    late: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Compile what the steps of `config` call, on rows that are thrown away; the run itself does not change.

    Between two canvases `stop()` may end it; after `late()` or a failure, training goes on uncompiled.
    """
    compiler = state.run
    if not isinstance(compiler, Compiler) or compiler.failed or state.warm:
        return
    started = time.monotonic()
    work = [(each, groups) for each in depths(config, state.model.config) for groups in state.joined_groups()]
    say(f"compiling before the first step, canvas by canvas; the code is kept in {compiler.folder}")
    slots = state.fresh_slots()
    batches = [batch.to(state.batches.device) for batch in state.batches.paint(0)]
    try:
        total = count(len(work), "canvas", "canvases")
        for number, (depth, (group,)) in enumerate(work):
            if stop():
                say(f"stopped after compiling {number} of {total}, before the first step")
                return
            if late():
                compiler.failed = True
                say(f"short of time: compiled {number} of {total}; going on without")
                return
            with aside(state.batches.device):
                differentiated(state, [slots[group]], config, depth, [batches[group]])
    except compiler.failures as error:
        compiler.give_up(error)
    finally:
        state.optimizers.drop_gradients()
    state.warm = True
    say(f"compiled after {time.monotonic() - started:.0f} s, which do not count as training")
