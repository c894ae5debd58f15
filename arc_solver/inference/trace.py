"""How one question is answered: after every age, under every view, and during test-time training.

Shapes: a grid is (H, W) uint8; 255 is a cell without a value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from arc_solver.checkpoints.weights import Loaded
from arc_solver.config import PredictConfig
from arc_solver.domains.arc.examples import CANVASES, ArcQueries
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.examples import BoardQuestions
from arc_solver.domains.protocols import Bytes, QueryData
from arc_solver.inference.adaptation import learned
from arc_solver.inference.answer import Answering
from arc_solver.inference.engine import Thought, answer_rows
from arc_solver.inference.options import Listener, SolveOptions
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task, without_answers
from augment.canvas import crop
from augment.grid import Grid
from augment.view import View

NO_VALUE = 255


@dataclass(frozen=True, eq=False)
class ChainTrace:
    """The answers (ages, H, W) of contender `number` after every age, and its halting logits (ages,)."""

    number: int
    answers: Bytes
    halt_logits: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ViewTrace(ChainTrace):
    """The same under a view: `question` and `answers` are in its frame; `restored` is the last answer with
    the view undone, None if it is not a grid, and `confidence` that of its vote.
    """

    view: View
    question: Grid
    restored: Grid | None
    confidence: float


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that can answer `task`, which has `number` in `puzzles`, on the `canvas` it was trained on."""

    model: Model
    task: Task
    puzzles: PuzzleMap
    number: int
    canvas: str

    def num_views(self, most: int) -> int:
        """The number of views, at most `most`."""
        starts = self.puzzles.starts
        return min(most, int(starts[self.number + 1] - starts[self.number]))


class _Chains:
    """The cells and halting logits of every contender that was watched, age after age."""

    def __init__(self) -> None:
        self._chains: dict[int, list[tuple[Bytes, float]]] = {}

    def add(self, number: int, age: int, cells: Bytes, logit: float) -> None:
        """Record one age; at age 1 a contender starts anew."""
        chain = self._chains.setdefault(number, [])
        if age == 1:
            chain.clear()
        chain.append((cells.copy(), logit))

    def trace(self, number: int, drawn: Callable[[Bytes], Bytes]) -> ChainTrace:
        """The trace of contender `number`, its cells (ages, ...) `drawn` as grids (ages, H, W)."""
        cells, logits = zip(*self._chains[number], strict=True)
        return ChainTrace(number, drawn(np.stack(cells)), np.array(logits, np.float32))

    def traces(self, drawn: Callable[[Bytes], Bytes]) -> list[ChainTrace]:
        """The traces of all contenders, in order."""
        return [self.trace(number, drawn) for number in sorted(self._chains)]


def watch_board(
    model: Model, domain: BoardDomain, board: BoardSet, config: PredictConfig
) -> tuple[list[ChainTrace], Grid | None]:
    """The contenders for the only board in `board`, in order, and the elected answer, None if there is none.

    A cell without a value is `domain.kind.missing`.
    """
    chains = _Chains()

    def watch(data: QueryData, thought: Thought) -> None:
        numbers = data.contenders(thought.group)[thought.rows]
        cells = data.restore(thought.group, thought.rows, thought.tokens).cells
        for place in range(len(numbers)):
            logit = float(thought.halt_logits[place])
            chains.add(int(numbers[place]), int(thought.ages[place]), cells[place], logit)

    answering = Answering(domain, board, BoardQuestions(domain.kind, board, config), config)
    for _ in answering.run(model.eval(), watch=watch):
        pass
    (standing,) = answering.standings(np.zeros(1, np.int64), 1)
    elected = standing.candidates[0].grid if standing.candidates else None
    return chains.traces(lambda cells: cells.reshape(-1, board.side, board.side)), elected


def known_subject(loaded: Loaded, task: Task, device: torch.device) -> Subject | None:
    """The task, if the checkpoint knows it by its demonstrations; else None."""
    number = loaded.puzzles.find(task)
    if number is None:
        return None
    return Subject(loaded.model.to(device), task, loaded.puzzles, number, loaded.preset.train.canvas)


def learned_subject(
    loaded: Loaded,
    task: Task,
    options: SolveOptions,
    device: torch.device,
    listener: Listener,
    glance: Callable[[Subject, int], None],
) -> Subject:
    """The task after the test-time training of a prediction, its test outputs unseen.

    `glance` is called with it from time to time, with the number of steps so far.
    """
    # Only the tenths of the run decide when `glance` is called.
    preset = dataclasses.replace(loaded.preset, train=dataclasses.replace(loaded.preset.train, eval_every=0))
    blind = without_answers(task)
    still = dataclasses.replace(options, adapt=False)
    start, puzzles = learned([blind], loaded, preset, still, device, listener)
    subject = Subject(start, blind, puzzles, 0, preset.train.canvas)
    glance(subject, 0)
    model, puzzles = learned(
        [blind],
        loaded,
        preset,
        options,
        device,
        listener,
        lambda model, step: glance(dataclasses.replace(subject, model=model), step),
    )
    return dataclasses.replace(subject, model=model, puzzles=puzzles)


def watch_views(subject: Subject, index: int, config: PredictConfig) -> list[ViewTrace]:
    """The trace of every view of test input `index`; if most overflowed, also those on the full canvas."""
    traces, overflow = _asked(subject, index, config, subject.canvas)
    retries = config.retry_overflow and subject.canvas != "full" and not subject.model.config.length
    if retries and 2 * sum(overflow) > len(overflow):
        traces += _asked(subject, index, config, "full")[0]
    return traces


def _asked(
    subject: Subject, index: int, config: PredictConfig, canvas: str
) -> tuple[list[ViewTrace], list[bool]]:
    """The traces of all views on one canvas, in order, and whether each answer overflowed it."""
    question = subject.task.test[index].input
    asked = without_answers(dataclasses.replace(subject.task, test=(subject.task.test[index],)))
    data = ArcQueries([asked], [subject.number], subject.puzzles, config.views, CANVASES[canvas])
    chains = _Chains()

    def watch(_: QueryData, thought: Thought) -> None:
        for place, row in enumerate(thought.rows.tolist()):
            logit = float(thought.halt_logits[place])
            chains.add(row, int(thought.ages[place]), thought.tokens[place], logit)

    first = int(subject.puzzles.starts[subject.number])
    found: dict[int, tuple[ViewTrace, bool]] = {}
    for left in answer_rows(subject.model.eval(), data, config, watch=watch):
        back = data.restore(left.group, left.rows, left.tokens)
        confidence = data.confidence(left.group, left.rows, back.shapes, left.log_probabilities)
        for place, row in enumerate(left.rows.tolist()):
            number = int(data.view_numbers(left.group)[row])
            table = subject.puzzles.views
            view = View(int(table.dihedrals[number]), tuple(table.colors[number].tolist()))
            height, width = back.shapes[place].tolist()
            grid = back.cells[place, : height * width].reshape(height, width) if height else None
            trace = chains.trace(row, partial(_colors, canvas=data.canvases[left.group]))
            seen = ViewTrace(
                number - first,
                trace.answers,
                trace.halt_logits,
                view,
                view.apply(question),
                grid,
                float(confidence[place]),
            )
            found[number] = seen, bool(back.overflow[place])
    ordered = [found[number] for number in sorted(found)]
    return [trace for trace, _ in ordered], [over for _, over in ordered]


def _colors(tokens: Bytes, canvas: tuple[int, int]) -> Bytes:
    """Answers (ages, L) as grids of one size that holds all of them, padded with NO_VALUE."""
    grids = [crop(each.reshape(canvas)) for each in tokens]
    height, width = (max([1, *(g.shape[axis] for g in grids if g is not None)]) for axis in (0, 1))
    cells = np.full((len(grids), height, width), NO_VALUE, np.uint8)
    for place, grid in enumerate(grids):
        if grid is not None:
            cells[place, : grid.shape[0], : grid.shape[1]] = grid
    return cells
