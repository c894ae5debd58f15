"""The solver from Python: what the commands do, as functions."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from arc_solver.checkpoints.shipped import find_weights, shipped_weights
from arc_solver.config import ConfigError, Preset, did_you_mean
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.boards.board_score import BoardScore, score_boards
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.domains import domain_of
from arc_solver.inference.options import Listener, SolveOptions
from arc_solver.prediction.truth import read_truth
from arc_solver.progress import announce_loading
from arc_solver.settings import seconds_from
from arc_solver.storage.files import write_atomic
from arc_solver.tasks.task import Task
from augment.grid import Grid
from submission.kaggle_json import build_submission, dump_submission
from submission.lenient_reader import load_answers
from submission.messages import count
from submission.score import Score
from submission.score import score as judge
from submission.vote import Query

COUNTS = ("views", "ages", "rollouts", "adapt_steps")


def solve(
    tasks: Sequence[Task],
    checkpoint: str | Path | None = None,
    *,
    time_limit: str | float | None = None,
    preset: Preset | str | None = None,
    views: int | None = None,
    ages: int | None = None,
    seed: int = 0,
    device: str = "auto",
    quiet: bool = False,
    **more: Any,
) -> dict[Query, list[Grid]]:
    """Up to two grids for every test input of `tasks`, best first.

    Starts from the shipped weights, from those of `checkpoint` (a file, or the name of shipped ones), or with
    only a `preset` from scratch. Tasks that the weights do not know are learned from their demonstrations
    first, within the `time_limit` ("90s", "25m", or seconds), by default one that fits their number and size.
    `more` are further fields of SolveOptions. Remarks go to standard error unless `quiet`. Bad input is a
    ValueError of one line.
    """
    started, listed = time.monotonic(), _checked_tasks(tasks)
    given = {"preset": preset, "views": views, "ages": ages, "seed": seed, "device": device, "quiet": quiet}
    options = _options(given | more)
    if time_limit is not None:
        options = dataclasses.replace(options, deadline=started + _seconds(time_limit))
    if not listed:
        return {}
    listener = Listener() if quiet else Listener(say=lambda text: print(text, file=sys.stderr, flush=True))
    announce_loading(listener.say)
    from arc_solver.inference.solve import vote

    weights = find_weights(str(checkpoint)) if checkpoint is not None else None
    if weights is None and preset is None:
        weights = shipped_weights(ARC.name)
    standings = vote(listed, weights, options, listener)
    if empty := sum(not found.candidates for found in standings.values()):
        listener.say(f"no answer to {empty} of {count(len(standings), 'output')}; give a larger time_limit")
    return {query: [tally.grid for tally in found.candidates[:2]] for query, found in standings.items()}


def write_submission(
    path: str | Path, answers: Mapping[Query, Sequence[Grid]], tasks: Iterable[Task] | Mapping[str, int]
) -> None:
    """Write a complete submission atomically: every task in order, two attempts for each of its test inputs.

    `tasks` may also map ids to numbers of test inputs. SubmissionError, a ValueError, for answers to other
    tasks, or that are not grids.
    """
    if isinstance(tasks, Mapping):
        owed = dict(tasks)
    else:
        owed = {task.id: len(task.test) for task in _checked_tasks(tasks)}
    write_atomic(Path(path), dump_submission(build_submission(owed, answers)))


def score(submission: str | Path, solutions: str | Path) -> Score | BoardScore:
    """Score a submission, or answers to boards, as `arc-solve score` does.

    `solutions` is a file, a folder or a named set ("arc1:evaluation"). ValueError of one line if either
    cannot be read.
    """
    if isinstance(domain_of(str(submission)), BoardDomain):
        return score_boards(Path(submission), str(solutions))
    truth, digest = read_truth(str(solutions))
    return judge(load_answers(Path(submission)), truth, digest)


def _checked_tasks(tasks: object) -> tuple[Task, ...]:
    """The tasks, each id once; ConfigError for anything else."""
    if isinstance(tasks, str | Path | Task | Mapping) or not isinstance(tasks, Iterable):
        raise ConfigError(
            f"tasks={_kind(tasks)}: expected a list of tasks, as read_tasks returns it (one task: [task])"
        )
    listed = tuple(tasks)
    for task in listed:
        if not isinstance(task, Task):
            raise ConfigError(f"tasks: holds {_kind(task)}, expected tasks, as read_tasks returns them")
    if len({task.id for task in listed}) < len(listed):
        ids = [task.id for task in listed]
        twice = next(each for each in ids if ids.count(each) > 1)
        raise ConfigError(f"tasks: {twice!r} comes more than once; answers are told apart by the id")
    return listed


def _options(given: dict[str, Any]) -> SolveOptions:
    known = [field.name for field in dataclasses.fields(SolveOptions)]
    for name in given:
        if name not in known:
            near = did_you_mean(name, [*known, "time_limit"])
            hint = near or f"; known: time_limit, {', '.join(known)}"
            raise ConfigError(f"solve has no option {name!r}{hint}")
    for name in COUNTS:
        value = given.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise ConfigError(f"{name}={value!r}: expected a whole number from 1 on")
    return SolveOptions(**given)


def _seconds(value: object) -> float:
    if isinstance(value, str):
        return seconds_from(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"time_limit={value!r}: expected 90s, 25m, 11h or a number of seconds")
    return float(value)


def _kind(value: object) -> str:
    return repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
