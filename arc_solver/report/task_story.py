"""How an ARC test input is answered, as frames: test-time training, the answer of every view, the vote.

Grids are (H, W) uint8; 255 is a cell without a color.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from arc_solver.report.board_story import Chain, follow
from arc_solver.report.panels import ARC_LOOK, Frame, Mask, Opening, Panel
from arc_solver.tasks.task import Task
from augment.dihedral import DIHEDRALS
from augment.grid import NUM_COLORS, Grid
from augment.view import View
from submission.messages import count
from submission.vote import BallotBox, Query


class ViewTrace(Chain, Protocol):
    """What the network saw and answered under one view; `restored` is the answer with the view undone, None
    if it is not a grid. `answers` (ages, H, W) and `question` are in the frame of the view.
    """

    @property
    def view(self) -> View: ...
    @property
    def question(self) -> Grid: ...
    @property
    def restored(self) -> Grid | None: ...
    @property
    def confidence(self) -> float: ...


def shown(task: Task, attempts: Sequence[Sequence[Grid | None]]) -> tuple[Opening, list[Frame]]:
    """A task: its demonstrations, and a frame for every test input with its attempts."""
    frames = []
    for number, pair in enumerate(task.test, start=1):
        mine = attempts[number - 1] if number <= len(attempts) else ()
        panels = [Panel("input", pair.input)]
        for place, guess in enumerate(mine, start=1):
            right = guess is not None and pair.output is not None and np.array_equal(guess, pair.output)
            verdict = "" if pair.output is None else ": right" if right else ": wrong"
            panels.append(Panel(f"attempt {place}{verdict}", guess))
        if pair.output is not None or not mine:
            panels.append(Panel("output", pair.output))
        frames.append(Frame(f"test {number}", "", tuple(panels)))
    return Opening(task.id, ARC_LOOK, demonstrations(task)), frames


def demonstrations(task: Task) -> tuple[tuple[Panel, ...], ...]:
    """The demonstration pairs of a task."""
    return tuple(
        (Panel(f"train {number}", pair.input), Panel("output", pair.output))
        for number, pair in enumerate(task.train, start=1)
    )


def view_name(view: View) -> str:
    """A view in words."""
    colors = "" if view.colors == tuple(range(NUM_COLORS)) else ", new colors"
    return ("as it stands" if view.dihedral == 0 else DIHEDRALS[view.dihedral]) + colors


@dataclass
class TaskStory:
    """One test input of a task that is answered; its output is shown beside it if it is known."""

    task: Task
    index: int
    _last: Grid | None = field(default=None, init=False)
    _views: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._query = Query(self.task.id, self.index)
        self._box = BallotBox([self._query])

    @property
    def truth(self) -> Grid | None:
        """The output, None if it is not known."""
        return self.task.test[self.index].output

    def opening(self) -> Opening:
        """The task's id and its demonstrations."""
        return Opening(self.task.id, ARC_LOOK, demonstrations(self.task), ("changed",))

    def learning(self, step: int, seconds: float, budget: str, answer: Grid | None) -> Frame:
        """The answer after `step` steps and `seconds` of test-time training, with changes marked."""
        title = f"learning, {budget}: step {step}, {seconds:.0f} s" if step else "before learning"
        changed = _changed(self._last, answer)
        news = [_news(self._last, answer, changed), *self._compared(answer)]
        self._last = answer
        panel = Panel("answer so far", answer, changed=changed)
        return Frame(title, "; ".join(news), (self._input(), panel, *self._output()))

    def view(self, trace: ViewTrace, num_views: int) -> Iterator[Frame]:
        """The answer under one view, and that answer with the view undone: its vote.

        For the first view there is also a frame for every age, if there are several.
        """
        title = f"view {trace.number + 1} of {num_views}: {view_name(trace.view)}"
        asked = Panel("input, as shown", trace.question)
        thoughts = follow(trace.answers, trace.halt_logits)
        for thought in thoughts if self._views == 0 and len(thoughts) > 1 else ():
            panel = Panel("answer", thought.cells, changed=thought.changed)
            heading = f"{title}, age {thought.age} of {thought.num_ages}"
            yield Frame(heading, thought.news().removeprefix("= "), (asked, panel), thought.logit)
        self._views += 1
        panels = (asked, Panel("answer", thoughts[-1].cells), Panel("turned back", trace.restored))
        yield Frame(title, self._vote(trace), panels)

    def ending(self) -> Frame:
        """The two attempts with their votes, beside the truth if it is known."""
        tallies = self._box.tallies(self._query)
        panels = [self._input()]
        for place, tally in enumerate(tallies[:2], start=1):
            panels.append(Panel(f"attempt {place}: {count(tally.votes, 'vote')}", tally.grid))
        panels += self._output()
        if not tallies:
            return Frame("the vote", "no view gave a grid", tuple(panels), stay=True)
        title = f"the vote of {count(self._views, 'view')}: {count(len(tallies), 'different answer')}"
        return Frame(title, self._judged([tally.grid for tally in tallies[:2]]), tuple(panels), stay=True)

    def _judged(self, attempts: Sequence[Grid]) -> str:
        if self.truth is None:
            return "the right answer is not known here"
        right = [place for place, grid in enumerate(attempts, 1) if np.array_equal(grid, self.truth)]
        if right:
            return f"solved: attempt {right[0]} is right"
        return f"not solved; attempt 1: {self._compared(attempts[0])[0]}"

    def _vote(self, trace: ViewTrace) -> str:
        if trace.restored is None:
            return "no grid, so no vote"
        self._box.cast(self._query, trace.restored, trace.confidence)
        tallies = self._box.tallies(self._query)
        (mine,) = [tally for tally in tallies if np.array_equal(tally.grid, trace.restored)]
        news = f"{count(mine.votes, 'vote')} for this answer"
        against = sum(tally.votes for tally in tallies) - mine.votes
        others = f", {against} for {count(len(tallies) - 1, 'other')}" if against else ""
        return f"{news}{others}; confidence {trace.confidence:.3f}"

    def _input(self) -> Panel:
        number = f" {self.index + 1}" if len(self.task.test) > 1 else ""
        return Panel(f"test input{number}", self.task.test[self.index].input, still=True)

    def _output(self) -> tuple[Panel, ...]:
        return () if self.truth is None else (Panel("truth", self.truth, still=True),)

    def _compared(self, answer: Grid | None) -> list[str]:
        if self.truth is None or answer is None:
            return []
        if answer.shape != self.truth.shape:
            return ["not the shape of the truth"]
        wrong = int((answer != self.truth).sum())
        return [count(wrong, "wrong cell") if wrong else "matches the truth"]


def _changed(before: Grid | None, after: Grid | None) -> Mask | None:
    """The cells that differ, None if the shapes do."""
    if before is None or after is None or before.shape != after.shape:
        return None
    return np.asarray(before != after, np.bool_)


def _news(before: Grid | None, after: Grid | None, changed: Mask | None) -> str:
    if after is None:
        return "no grid"
    if before is None:
        return "first answer"
    if changed is None:
        return f"now {after.shape[0]}x{after.shape[1]}, before {before.shape[0]}x{before.shape[1]}"
    return f"{count(int(changed.sum()), 'cell')} changed" if changed.any() else "unchanged"
