"""A training run in a folder: start or resume, train under limits, keep checkpoints and metrics."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from arc_solver.config import Preset
from arc_solver.corpus import Corpus, read_corpus
from arc_solver.device import choose_device
from arc_solver.files import append_line, lock_folder, sweep_stale
from arc_solver.model.trm import Model
from arc_solver.puzzles import PuzzleMap
from arc_solver.training.checkpoint import BEST_NAME, resume, save_state, save_weights
from arc_solver.training.distributed import team_of
from arc_solver.training.loop import Hooks, Limits, Metrics, run_steps
from arc_solver.training.state import TrainState
from arc_solver.weights import check_state, load

METRICS_NAME = "metrics.jsonl"
FINAL_NAME = "final.safetensors"


class Interrupted(RuntimeError):
    """A signal ended the run after its checkpoint was written."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = 128 + number


class Evaluator(Protocol):
    """Scores a run on what it has not seen: `eval_exact` decides which checkpoint is the best."""

    def evaluate(self, model: Model, puzzles: PuzzleMap) -> Metrics:
        """Metrics of the averaged weights, every name starting with `eval_`."""


@dataclass
class RunOptions:
    """How a run is carried out; nothing here changes what is learnt but `time_limit` and `init`."""

    time_limit: float | None = None
    init: Path | None = None
    device: str = "auto"
    quiet: bool = True
    evaluator: Evaluator | None = None
    say: Callable[[str], None] = field(default=lambda _: None)


def train(
    preset: Preset,
    data: Corpus | str | Path | Sequence[str | Path],
    out: str | Path,
    options: RunOptions | None = None,
) -> Path:
    """Train `preset` on `data` in the folder `out` and return the weights to predict with.

    `data` is a Corpus, or names and paths as on the command line. Where `out` holds a run of the same recipe
    and data it goes on from its newest whole checkpoint. Raises a ValueError subclass for bad input,
    FolderInUse where another process trains there, Interrupted after SIGINT or SIGTERM.
    """
    options = options or RunOptions()
    corpus = (
        data if isinstance(data, Corpus) else read_corpus([data] if isinstance(data, str | Path) else data)
    )
    examples, puzzles = corpus.training_data(preset)
    model = Model(preset.model, num_rows=max(1, puzzles.num_rows), seed=preset.train.seed)
    if options.init is not None:
        start_from(model, options.init)
    out = Path(out)
    with contextlib.ExitStack() as stack:
        team, device = stack.enter_context(team_of(choose_device(options.device)))
        caught = stack.enter_context(stop_signals())
        if team.leads:
            stack.enter_context(lock_folder(out))
            sweep_stale(out)
        state = TrainState(model, examples, preset.train, device, team=team)
        found = resume(out, state, preset, examples, options.say)
        if found is not None:
            options.say(f"resuming {out} at step {state.step}")
        best = float((found or {}).get("best", -1.0))
        facts: dict[str, Any] = {"files": corpus.manifest, "best": best}

        def report(metrics: Metrics) -> None:
            if not team.leads:
                return
            append_line(out / METRICS_NAME, json.dumps(metrics).encode())
            exact = metrics.get("eval_exact")
            if exact is not None and exact > facts["best"]:
                facts["best"] = exact
                save_weights(out / BEST_NAME, state, preset, puzzles, facts | {"scores": metrics})

        def evaluate() -> Metrics:
            return options.evaluator.evaluate(state.averaged, puzzles) if options.evaluator else {}

        hooks = Hooks(
            report=report,
            save=lambda: save_state(out, state, preset, puzzles, examples, facts),
            evaluate=evaluate if options.evaluator and team.leads else None,
        )
        limits = Limits(time_limit=options.time_limit, stop=lambda: bool(caught))
        complete = run_steps(state, preset.train, limits, hooks, quiet=options.quiet or not team.leads)
        saved = save_state(out, state, preset, puzzles, examples, facts)
        if not complete:
            number = caught[0] if caught else signal.SIGTERM
            raise Interrupted(number, f"stopped by signal {number} at step {state.step}; saved {saved}")
        if not team.leads:
            return out / FINAL_NAME
        scores = evaluate()
        if scores:
            report({"step": state.step, "seconds": state.seconds, **scores})
        save_weights(out / FINAL_NAME, state, preset, puzzles, facts | {"scores": scores})
    return out / FINAL_NAME


def start_from(model: Model, path: Path) -> None:
    """Copy a checkpoint's dense weights into `model`; its rows too where the tables have the same shape."""
    theirs = load(path).model.state_dict()
    mine = model.state_dict()
    if theirs["puzzle.rows"].shape != mine["puzzle.rows"].shape:
        theirs["puzzle.rows"] = mine["puzzle.rows"]
    check_state({name: tuple(t.shape) for name, t in mine.items()}, theirs, path.name)
    model.load_state_dict(theirs)


@contextlib.contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list so that the step can be finished; a second one ends at once.

    Outside the main thread, where handlers cannot be set, the list stays empty.
    """
    caught: list[int] = []

    def handle(number: int, _: object) -> None:
        if caught:
            raise SystemExit(128 + number)
        caught.append(number)

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        yield caught
        return
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def measure_step(preset: Preset, corpus: Corpus, device: str, num_steps: int = 1) -> dict[str, Any]:
    """What a dry run tells: sizes, and the seconds of one step after one to warm up."""
    examples, puzzles = corpus.training_data(preset)
    model = Model(preset.model, num_rows=max(1, puzzles.num_rows), seed=preset.train.seed)
    state = TrainState(model, examples, preset.train, choose_device(device))
    seconds: list[float] = []
    config = dataclasses.replace(preset.train, steps=num_steps + 1, save_every=num_steps + 2, eval_every=0)
    for count in (1, num_steps + 1):
        before = state.seconds
        run_steps(state, dataclasses.replace(config, steps=count), Limits(), Hooks())
        seconds.append(state.seconds - before)
    dense = sum(p.numel() for p in model.parameters())
    return {
        "parameters": dense,
        "row_parameters": model.puzzle.rows.numel(),
        "puzzles": puzzles.num_rows,
        "canvases": {
            f"{h}x{w}": n for (h, w), n in zip(examples.canvases, state.batches.global_slots, strict=True)
        },
        "seconds_per_step": seconds[1] / num_steps,
        "hours": seconds[1] / num_steps * preset.train.steps / 3600,
    }
