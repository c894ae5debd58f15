"""A training run in a folder: start or resume, train under limits, keep checkpoints and metrics."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from arc_solver.checkpoints.file_format import FINAL_NAME, newest_step, opened_files
from arc_solver.checkpoints.weights import build_model
from arc_solver.config import Preset
from arc_solver.corpus.corpus import Corpus, read_corpus
from arc_solver.domains.protocols import TrainingData
from arc_solver.hardware.memory import memory_for
from arc_solver.hardware.torch_device import choose_device
from arc_solver.model.compiling import compiles
from arc_solver.model.trm import Model
from arc_solver.storage.files import lock_folder, sha256_file, sweep_stale
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.training.batches import slots_of
from arc_solver.training.cost import Estimate, check_disk, estimate
from arc_solver.training.distributed import team_of
from arc_solver.training.loop import Hooks, Limits, Metrics, run_steps
from arc_solver.training.metrics import MetricsLog, check_tensorboard
from arc_solver.training.run_checkpoint import BEST_NAME, resume, save_state, save_weights
from arc_solver.training.signals import Caught, EvaluationStopped, Interrupted, stop_signals
from arc_solver.training.state import TrainState
from arc_solver.training.warm_start import start_from

METRICS_NAME = "metrics.jsonl"
AGAIN = "the same command goes on from there"


class Evaluator(Protocol):
    """Scores a run on unseen puzzles: `eval_exact` decides which checkpoint is the best."""

    def count(self, model: Model, puzzles: PuzzleMap, rank: int, world: int) -> dict[str, float]:
        """The counts of share `rank` of `world` of the material, as sums over its puzzles."""

    def metrics(self, counts: dict[str, float]) -> Metrics:
        """Metrics from the sums over all shares; every name starts with `eval_`."""


@dataclass
class RunOptions:
    """How a run is carried out; of these, only `time_limit` and `init` change what is learned.

    At the monotonic time `session_end` this session saves and ends, complete or not. `expect` is called with
    the estimated cost when a run begins; without it nothing is measured.
    """

    time_limit: float | None = None
    session_end: float | None = None
    init: Path | None = None
    device: str = "auto"
    quiet: bool = True
    evaluator: Evaluator | None = None
    say: Callable[[str], None] = field(default=lambda _: None)
    expect: Callable[[Estimate], None] | None = None
    tensorboard: bool = False


def train(
    preset: Preset,
    data: Corpus | str | Path | Sequence[str | Path],
    out: str | Path,
    options: RunOptions | None = None,
) -> Path:
    """Train `preset` on `data` in the folder `out` and return the path of the weights to predict with.

    If the session ended before the run, this is a checkpoint, whose name is not FINAL_NAME. `data` is a
    Corpus, or names and paths as on the command line. If `out` holds a run of the same recipe and data, it is
    resumed from its newest intact checkpoint. Raises a ValueError subclass for bad input, FolderInUse if
    another process trains there, StorageError if no checkpoint fits, OutOfMemory if the batch does not fit,
    NotFinite, PeerLost if another process of the run is gone, FolderNotShared if the processes do not see the
    same folder, Interrupted after SIGINT or SIGTERM.
    """
    options = options or RunOptions()
    corpus = (
        data if isinstance(data, Corpus) else read_corpus([data] if isinstance(data, str | Path) else data)
    )
    examples, puzzles = corpus.training_data(preset)
    model = build_model(preset, max(1, puzzles.num_rows), preset.train.seed)
    out, files = Path(out), list(corpus.manifest)
    going_on = newest_step(out)
    if options.init is not None and going_on is None:
        start_from(model, preset, puzzles, options.init, options.say)
        files.append((f"{options.init.name} (--init)", sha256_file(options.init)))
    elif options.init is not None:
        options.say(f"{out} holds a run already, which goes on without --init {options.init}")
    if options.tensorboard:
        check_tensorboard()
    with contextlib.ExitStack() as stack:
        stack.enter_context(memory_for(preset.train.batch_size))
        team, device = stack.enter_context(team_of(choose_device(options.device)))
        caught = stack.enter_context(stop_signals(quiet=options.quiet or not team.leads))
        if team.leads:
            stack.enter_context(lock_folder(out))
            sweep_stale(out)
        team.check_same_step(out, going_on)
        # Measuring would wait for the compiler, for which a session may have no time.
        hurried = options.session_end is not None and compiles(preset.train.compile, device)
        if options.expect is not None and going_on is None and not hurried:
            options.expect(estimate(preset, model, examples, device, team))
        state = TrainState(model, examples, preset.train, device, team=team)
        if team.leads and (warning := check_disk(out, state, preset.train.keep)):
            options.say(warning)
        session = RunSession(out, state, preset, puzzles, examples, files, options, caught)
        stack.callback(session.log.close)
        hooks = Hooks(
            say=options.say,
            report=session.report,
            save=session.save,
            evaluate=session.evaluate if options.evaluator else None,
        )
        limits = Limits(options.time_limit, options.session_end, stop=lambda: bool(caught))
        complete = run_steps(state, preset.train, limits, hooks, quiet=options.quiet or not team.leads)
        saved = session.save()
        if not complete:
            (signaled,) = team.agree(anyone=bool(caught))
            if not signaled:
                return saved
            number = caught[0] if caught else signal.SIGTERM
            raise Interrupted(number, f"at step {state.step}; saved {saved}; {AGAIN}")
        session.finish()
        if caught:
            number = caught[0]
            raise Interrupted(number, f"at the end of training; saved {saved}")
    return out / FINAL_NAME


class RunSession:
    """A run from one start to its end or the next stop: what it saves, scores and reports."""

    def __init__(
        self,
        out: Path,
        state: TrainState,
        preset: Preset,
        puzzles: PuzzleMap,
        examples: TrainingData,
        files: Sequence[tuple[str, str]],
        options: RunOptions,
        caught: Caught,
    ) -> None:
        self.out, self.state, self.preset, self.puzzles, self.examples = out, state, preset, puzzles, examples
        self.evaluator, self.caught = options.evaluator, caught
        found = resume(out, state, preset, examples, options.say)
        if found is not None:
            options.say(f"resuming {out} at step {state.step}")
        found = found or {}
        self.facts: dict[str, Any] = {
            "files": list(dict.fromkeys([*opened_files(found), *files])),
            "best": float(found.get("best", -1.0)),
        }
        tensorboard = options.tensorboard and state.team.leads
        self.log = MetricsLog(out / METRICS_NAME, tensorboard=tensorboard, step=state.step)

    def report(self, metrics: Metrics) -> None:
        """Log metrics, and save weights that score better than all before."""
        if not self.state.team.leads:
            return
        self.log.add(metrics)
        exact = metrics.get("eval_exact")
        if exact is not None and exact > self.facts["best"]:
            self.facts["best"] = exact
            self._save_weights(BEST_NAME, metrics)

    def save(self) -> Path:
        """Write the checkpoint of this step."""
        return save_state(self.out, self.state, self.preset, self.puzzles, self.examples, self.facts)

    def evaluate(self) -> Metrics:
        """Score the averaged weights, each process a share; empty without evaluator or after a signal."""
        if self.evaluator is None:
            return {}
        started, team = time.monotonic(), self.state.team
        try:
            # One of several processes must not leave the others waiting for its share.
            with self.caught.at_once() if team.world == 1 else contextlib.nullcontext():
                counts = self.evaluator.count(self.state.averaged, self.puzzles, team.rank, team.world)
        except EvaluationStopped:
            return {}
        metrics = self.evaluator.metrics(team.add_up(counts))
        return metrics | {"eval_seconds": round(time.monotonic() - started, 2)}

    def finish(self) -> None:
        """Score and save the final weights; nothing is saved if a signal ended the scoring."""
        scores = self.evaluate()
        if not self.state.team.leads or self.caught:
            return
        if scores:
            self.report({"step": self.state.step, "seconds": self.state.seconds, **scores})
        self._save_weights(FINAL_NAME, scores)

    def _save_weights(self, name: str, scores: Metrics) -> None:
        facts = self.facts | {"scores": scores}
        save_weights(self.out / name, self.state, self.preset, self.puzzles, facts)


def measure_step(
    preset: Preset,
    corpus: Corpus,
    device: str,
    init: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    time_limit: float | None = None,
) -> dict[str, Any]:
    """The facts of a dry run: sizes, and what a run would cost; all processes of a run call this together.

    `hours` are those of the steps that fit into `time_limit` seconds. The weights `init` are opened as in a
    run, so that unsuitable ones are refused here already.
    """
    examples, puzzles = corpus.training_data(preset)
    model = build_model(preset, max(1, puzzles.num_rows), preset.train.seed)
    if init is not None:
        start_from(model, preset, puzzles, init, say)
    with memory_for(preset.train.batch_size), team_of(choose_device(device)) as (team, own):
        cost = estimate(preset, model, examples, own, team)
    fitting = cost.steps if time_limit is None else cost.steps_within(time_limit)
    slots = slots_of(examples, preset.train)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "row_parameters": model.puzzle.rows.numel(),
        "puzzles": puzzles.num_rows,
        "examples": sum(examples.sizes),
        "canvases": {f"{h}x{w}": n for (h, w), n in zip(examples.canvases, slots, strict=True)},
        "seconds_per_step": cost.seconds_per_step,
        "steps": cost.steps,
        "steps_that_fit": fitting,
        "hours": cost.seconds * fitting / cost.steps / 3600,
        "activation_bytes": cost.activation_bytes,
        "checkpoint_bytes": cost.checkpoint_bytes,
        "disk_bytes": cost.disk_bytes,
    }
