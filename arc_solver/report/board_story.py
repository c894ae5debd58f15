"""How a board is answered, as frames: the answer after every age of its contenders, and the one chosen.

Grids are (H, W) uint8; numbers that are not values of the board's kind are empty cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from arc_solver.report.board_marks import board_marks
from arc_solver.report.panels import Cells, Frame, Mask, Opening, Panel, PictureError, board_look
from submission.messages import count

if TYPE_CHECKING:
    from arc_solver.domains.boards.board_set import BoardSet

BOARD_MARKS = {"sudoku": ("given", "guess", "changed", "broken"), "maze": ("changed", "broken")}


class Chain(Protocol):
    """The answers (ages, H, W) of one contender after every age, and its halting logits (ages,)."""

    @property
    def number(self) -> int: ...
    @property
    def answers(self) -> Cells: ...
    @property
    def halt_logits(self) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True, eq=False)
class Thought:
    """The answer (H, W) after one age, its halting logit, and how it differs from the one before."""

    cells: Cells
    age: int
    num_ages: int
    logit: float
    changed: Mask
    unchanged_for: int

    def news(self) -> str:
        """How the answer differs from the one before, in words."""
        if self.age == 1:
            return "first answer"
        if self.unchanged_for:
            return f"= unchanged for {count(self.unchanged_for, 'age')}"
        return f"{count(int(self.changed.sum()), 'cell')} changed"


def follow(answers: npt.NDArray[np.integer], halt_logits: npt.NDArray[np.floating]) -> list[Thought]:
    """The thoughts of answers (ages, H, W) with values 0..255 and halting logits (ages,)."""
    answers, logits = np.asarray(answers), np.asarray(halt_logits, np.float64)
    if answers.ndim != 3 or answers.size == 0:
        raise PictureError(
            f"answers of shape {answers.shape}, expected (ages, rows, columns), none of them 0"
        )
    if logits.shape != answers.shape[:1] or np.isnan(logits).any():
        raise PictureError(f"logits {logits.tolist()}, expected a number for each of {len(answers)} ages")
    if not np.issubdtype(answers.dtype, np.integer) or answers.min() < 0 or answers.max() > 255:
        raise PictureError(f"answers of {answers.dtype}, expected integers from 0 to 255")
    cells = answers.astype(np.uint8)
    thoughts: list[Thought] = []
    for place, (own, logit) in enumerate(zip(cells, logits.tolist(), strict=True)):
        changed = own != cells[place - 1] if place else np.zeros(own.shape, bool)
        unchanged_for = thoughts[-1].unchanged_for + 1 if place and not changed.any() else 0
        thoughts.append(Thought(own, place + 1, len(cells), logit, changed, unchanged_for))
    return thoughts


@dataclass(frozen=True, eq=False)
class BoardStory:
    """A board (side, side) that is answered; `truth` is the right answer if it is known."""

    kind: str
    name: str
    question: Cells
    truth: Cells | None = None

    @classmethod
    def of(cls, boards: BoardSet, place: int, number: int | None = None) -> BoardStory:
        """Of the board at `place` of a set; `number` is what it is called by, if not its place from 1."""
        shape, answer = (boards.side, boards.side), boards.answers[place]
        return cls(
            boards.kind,
            f"{boards.kind.capitalize()} {number or place + 1}",
            boards.questions[place].reshape(shape),
            answer.reshape(shape) if answer.any() else None,
        )

    def opening(self) -> Opening:
        """The title and the legend, shown before the frames."""
        return Opening(self.name, board_look(self.kind, len(self.question)), marks=_marks_of(self.kind))

    def frames(self, chain: Chain, title: str = "", halt_logit: float = math.inf) -> Iterator[Frame]:
        """A frame for every age of one contender, which `title` names; the last says why it is the last."""
        before = f"{title}, " if title else ""
        for thought in follow(chain.answers, chain.halt_logits):
            panel, verdict = self._panel("answer", thought.cells, thought.changed)
            heading = f"{before}age {thought.age} of {thought.num_ages}"
            last = thought.age == thought.num_ages
            verdict = self._why_it_ends(thought, verdict, halt_logit) if last else verdict
            yield Frame(
                heading,
                f"{thought.news().removeprefix('= ')}; {verdict}",
                (self._asked(), panel),
                thought.logit,
                stay=last,
            )

    def _why_it_ends(self, thought: Thought, verdict: str, halt_logit: float) -> str:
        """The verdict on the last answer, and why it is the last."""
        if not board_marks(self.kind, self.question, thought.cells).faults:
            return f"stopped: the board is full and {verdict}"
        why = "sure enough" if thought.logit > halt_logit else "no more ages, or another was done first"
        return f"{verdict}; stopped: {why}"

    def whole(
        self, chains: Sequence[Chain], answer: Cells, num_views: int, halt_logit: float
    ) -> Iterator[Frame]:
        """The frames of the first contender, of the one that gave the answer if another, and of the answer.

        Contenders are numbered through the views, then through further chains of each; one whose halting
        logit is above `halt_logit` is sure.
        """
        first = chains[0]
        names = [_name(chain.number, num_views) for chain in chains]
        kind = "view" if chains[-1].number < num_views else "chain"
        yield from self.frames(first, names[0] if len(chains) > 1 else "", halt_logit)
        same = [place for place, chain in enumerate(chains) if np.array_equal(chain.answers[-1], answer)]
        winner = min(same, key=lambda place: len(chains[place].answers), default=0)
        if winner:
            yield from self.frames(chains[winner], names[winner], halt_logit)
        how = "the answer"
        if len(chains) > 1:
            sure = chains[winner].halt_logits[-1] > halt_logit
            how = f"{len(same)} of {count(len(chains), kind)} gave this answer; "
            how += f"{names[winner]} was sure first" if sure else "none was sure"
        if len(chains) > 1 or self.truth is not None:
            yield self._ending(answer, how, float(chains[winner].halt_logits[-1]))

    def shown(self, answer: Cells | None, *, apart: bool) -> Frame:
        """The question with an answer; `apart` compares it with the one that the board came with."""
        if answer is None:
            marks = board_marks(self.kind, self.question, self.question)
            clash = self.kind == "sudoku" and marks.broken.any()
            news = f"no answer; the givens clash: {marks.faults[0]}" if clash else "no answer"
            return Frame(self.name, news, (replace(self._asked(), broken=marks.broken if clash else None),))
        panel, verdict = self._panel("answer", answer, None)
        if apart and self.truth is not None:
            verdict += self._compared(answer)
        return Frame(self.name, verdict, (self._asked(), panel))

    def _ending(self, answer: Cells, how: str, halt_logit: float) -> Frame:
        """The answer and the truth, with the last logit of the contender that gave it."""
        panel, verdict = self._panel("chosen answer", answer, None)
        panels = [self._asked(), panel]
        if self.truth is not None:
            verdict += self._compared(answer)
            if not np.array_equal(self.truth, answer):
                panels.append(replace(self._panel("in the file", self.truth, None)[0], still=True))
        return Frame(how, verdict, tuple(panels), halt_logit, stay=True)

    def _compared(self, answer: Cells) -> str:
        same = np.array_equal(self.truth, answer) if self.truth is not None else False
        return f"; {'matches' if same else 'does not match'} the solution in the file"

    def _asked(self) -> Panel:
        panel, _ = self._panel("question", self.question, None)
        return replace(panel, broken=None, still=True)

    def _panel(self, title: str, cells: Cells, changed: Mask | None) -> tuple[Panel, str]:
        marks = board_marks(self.kind, self.question, cells)
        look = board_look(self.kind, len(self.question))
        return Panel(title, cells, look, marks.given, changed, marks.broken), marks.verdict()


def legend_of(kind: str, side: int) -> Opening:
    """The legend for boards that are only shown."""
    marks = tuple(mark for mark in _marks_of(kind) if mark != "changed")
    return Opening("", board_look(kind, side), marks=marks)


def _name(number: int, num_views: int) -> str:
    """The name of contender `number`."""
    chain, view = divmod(number, num_views)
    if num_views == 1:
        return f"chain {chain + 1}"
    return f"view {view + 1}" + (f", chain {chain + 1}" if chain else "")


def _marks_of(kind: str) -> tuple[str, ...]:
    return BOARD_MARKS.get(kind, ("given", "changed", "broken"))
