"""arc-solve watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arc_solver.commands.console import refuse_ending, refuse_options, sayer, seconds_of, set_threads
from arc_solver.commands.options import CHECKPOINT, COLOR, DEVICE, QUIET, SEED, SOURCE, TASKS, THREADS
from arc_solver.commands.screen import Screen, Stage
from arc_solver.commands.source import board_place, improper, one_source, read_source
from arc_solver.commands.task_answers import LEARNED, learned_share, more_time
from arc_solver.progress import announce_loading, duration

if TYPE_CHECKING:
    from arc_solver.checkpoints.weights import Loaded
    from arc_solver.config import PredictConfig
    from arc_solver.domains.boards.board_set import BoardSet
    from arc_solver.inference.options import SolveOptions
    from arc_solver.tasks.task import Task

EPILOG = (
    "\b\nExample: arc-solve watch 00d62c1b\n         arc-solve watch puzzles.csv --id 3 --out thinking.gif"
)
FORMATS = (".gif", ".png")
# The defaults: seconds to learn an unknown task, and views to show.
LEARNING_SECONDS, SHOWN_VIEWS = 60.0, 16


@dataclass(frozen=True)
class Wanted:
    """How to make the answer."""

    checkpoint: str | None
    views: int | None
    ages: int | None
    adapt_steps: int | None
    seconds: float | None
    seed: int
    device: str
    say: Callable[[str], None]
    quiet: bool

    def config(self, loaded: Loaded, num_views: int | None = None) -> PredictConfig:
        """The recipe with the options; by default at most `num_views` views."""
        import dataclasses

        own = loaded.preset.predict
        views = self.views or (min(own.views, num_views) if num_views else own.views)
        return dataclasses.replace(own, views=views, ages=self.ages or own.ages, seed=self.seed)


def watch(
    source: str | None = SOURCE,
    tasks: str | None = TASKS,
    task_id: str | None = typer.Option(
        None, "--id", help="The task to watch (for boards, the number, counting from 1); default: the first."
    ),
    index: int = typer.Option(0, min=0, help="Which of its test inputs, counting from 0."),
    checkpoint: str | None = CHECKPOINT,
    out: Path | None = typer.Option(
        None, help="An animation (.gif) or one sheet with all frames (.png) in place of the terminal."
    ),
    views: int | None = typer.Option(None, min=1, help="How many views; default: the recipe's, at most 16."),
    ages: int | None = typer.Option(None, min=1, help="How many refinements; default: the recipe's."),
    adapt_steps: int | None = typer.Option(None, min=1, help="Learn an unknown task for this many steps."),
    time_limit: str | None = typer.Option(
        None,
        help="Learn and answer an unknown task in this time (90s, 25m); default: 60s, more on a slow core.",
    ),
    color: bool | None = COLOR,
    pause: float = typer.Option(0.6, min=0, max=60, help="Seconds per frame."),
    seed: int = SEED,
    device: str = DEVICE,
    threads: int | None = THREADS,
    quiet: bool = QUIET,
) -> None:
    """Watch an answer form.

    In the terminal or as a picture: the answer after every age, under every view, and while a new task is
    learned. Changed cells are marked, and so are the rules that a board breaks.
    """
    refuse_ending("--out", out, *FORMATS)
    from arc_solver.tasks.reader import refuse_unreadable

    given, seconds = one_source(source, tasks), seconds_of(time_limit)
    say = sayer(quiet)
    found, faults = read_source(given, with_solutions=True, notice=say)
    if isinstance(found, list):
        refuse_unreadable([] if task_id in faults else found, faults)
        task = _one_task(found, task_id, index, given, say)
    else:
        only_tasks = {"--index": index, "--adapt-steps": adapt_steps, "--time-limit": time_limit}
        refuse_options(only_tasks, "for tasks; these are boards")
        board, number = _one_board(found, task_id, say)
    screen = Screen.find(color)
    wanted = Wanted(
        *(checkpoint, views, ages, adapt_steps, seconds, seed, device, say),
        quiet=quiet or (out is None and screen.moves),
    )
    stage = Stage(screen, out, pause)
    announce_loading(say)
    set_threads(threads)
    if isinstance(found, list):
        _watch_task(task, index, wanted, stage)
    else:
        _watch_board(board, number, wanted, stage)
    stage.close()


def _one_task(
    tasks: list[Task], task_id: str | None, index: int, source: str, say: Callable[[str], None]
) -> Task:
    from arc_solver.storage.text import near

    by_id = {task.id: task for task in tasks}
    if task_id is not None and task_id not in by_id:
        raise typer.BadParameter(f"--id {task_id!r}: no such task in {source}{near(task_id, set(by_id))}")
    task = tasks[0] if task_id is None else by_id[task_id]
    if task_id is None and len(tasks) > 1:
        say(f"{task.id}, the first of {len(tasks)} tasks; --id picks another")
    if index >= len(task.test):
        from submission.messages import count

        raise typer.BadParameter(
            f"--index {index}: the task has {count(len(task.test), 'test input')}, counted from 0"
        )
    return task


def _one_board(boards: BoardSet, number: str | None, say: Callable[[str], None]) -> tuple[BoardSet, int]:
    """Board `number`, counted from 1; without it the first. DataError for one that is no proper puzzle."""
    from arc_solver.domains.boards.board_file import board_domain
    from arc_solver.storage.text import DataError

    place = board_place("1" if number is None else number, len(boards))
    if number is None and len(boards) > 1:
        say(f"the first of {len(boards)} boards; --id picks another")
    board = boards.take(slice(place, place + 1))
    if faults := board_domain(board.kind).kind.faults(board):
        raise DataError(improper(board.kind, faults[0]))
    return board, place + 1


def _weights(wanted: Wanted, kind: str, side: int = 0) -> tuple[Loaded, str]:
    """The named weights, or those that ship for this kind, and their name."""
    from arc_solver.checkpoints.shipped import find_weights, shipped_weights
    from arc_solver.checkpoints.weights import load
    from arc_solver.storage.text import DataError

    asked = wanted.checkpoint
    path = shipped_weights(kind) if asked is None else find_weights(asked, say=wanted.say)
    if path is None:
        raise DataError(f"no weights ship for {kind}; name some with --checkpoint")
    return load(path, side), path.name


def _watch_board(board: BoardSet, number: int, wanted: Wanted, stage: Stage) -> None:
    """Show the contenders for a board, and the chosen answer."""
    from arc_solver.checkpoints.file_format import CheckpointError, check_domain
    from arc_solver.domains.boards.domain import BoardDomain
    from arc_solver.domains.domains import find_domain
    from arc_solver.hardware.torch_device import choose_device
    from arc_solver.inference.trace import watch_board
    from arc_solver.report.board_story import BoardStory

    loaded, name = _weights(wanted, board.kind, board.side)
    domain = find_domain(board.kind)
    assert isinstance(domain, BoardDomain)
    check_domain(loaded.metadata, domain.name, domain.noun, name)
    if fault := domain.fault(loaded.model.config, board):
        raise CheckpointError(f"{name}: {fault}")
    config, story = wanted.config(loaded), BoardStory.of(board, 0, number)
    stage.begin(story.opening())
    traces, elected = watch_board(loaded.model.to(choose_device(wanted.device)), domain, board, config)
    answer = traces[0].answers[-1] if elected is None else elected
    for frame in story.whole(traces, answer, domain.kind.num_views(config.views), config.halt_logit):
        stage.show(frame)


def _watch_task(task: Task, index: int, wanted: Wanted, stage: Stage) -> None:
    """Show how a task is learned, what its views answer, and the vote."""
    from arc_solver.checkpoints.file_format import check_domain
    from arc_solver.domains.arc.domain import ARC
    from arc_solver.hardware.torch_device import choose_device
    from arc_solver.inference.options import Listener
    from arc_solver.inference.trace import Subject, known_subject, learned_subject, watch_views
    from arc_solver.report.task_story import TaskStory

    loaded, name = _weights(wanted, ARC.name)
    check_domain(loaded.metadata, ARC.name, ARC.noun, name)
    device, story = choose_device(wanted.device), TaskStory(task, index)
    subject = known_subject(loaded, task, device)
    if subject is not None:
        wanted.say(f"{task.id} is known to the weights, so nothing is learned")
    options, budget = _learning(wanted, loaded, task, tell=subject is None)
    stage.begin(story.opening())
    started, facts = time.monotonic(), list[dict[str, Any]]()

    def glance(now: Subject, step: int) -> None:
        trace = watch_views(now, index, wanted.config(loaded, 1))[-1]
        stage.show(story.learning(step, time.monotonic() - started, budget, trace.restored))

    if subject is None:
        listener = Listener(say=stage.remarking(wanted.say), facts=facts.append)
        subject = learned_subject(loaded, task, options, device, listener, glance)
    config = wanted.config(loaded, SHOWN_VIEWS)
    for trace in watch_views(subject, index, config):
        for frame in story.view(trace, subject.num_views(config.views)):
            stage.show(frame)
    stage.show(story.ending())
    share = learned_share(facts)
    if share is not None and share < LEARNED:
        stage.remarking(wanted.say)(more_time(share, time.monotonic() - started, wanted.seed))


def _learning(wanted: Wanted, loaded: Loaded, task: Task, *, tell: bool) -> tuple[SolveOptions, str]:
    """How an unknown task is learned, and its budget in words, which is announced if `tell`."""
    from arc_solver.hardware.torch_device import choose_device
    from arc_solver.inference.adaptation import stretch_here
    from arc_solver.inference.options import SolveOptions
    from submission.messages import count

    seconds = wanted.seconds or (None if wanted.adapt_steps else LEARNING_SECONDS)
    if tell and seconds is not None and not wanted.seconds:
        plain, device = SolveOptions(seed=wanted.seed), choose_device(wanted.device)
        seconds *= stretch_here([task], loaded, loaded.preset, plain, device)
    budget = count(wanted.adapt_steps or 0, "step") if seconds is None else f"at most {duration(seconds)}"
    if tell:
        shown = count(len(task.train), "demonstration")
        wanted.say(f"{task.id}: new to the weights, learning its {shown}, {budget}")
        if not (wanted.seconds or wanted.adapt_steps):
            wanted.say("(--time-limit 5m gives it longer, --adapt-steps counts steps)")
    return SolveOptions(
        adapt_steps=wanted.adapt_steps,
        deadline=None if seconds is None else time.monotonic() + seconds,
        device=wanted.device,
        seed=wanted.seed,
        quiet=wanted.quiet,
    ), budget
