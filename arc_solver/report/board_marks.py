"""Which cells of an answer to a board break its rules, and the same in words. Boards are (side, side) uint8.

The marks of an answer are checked; nothing here searches for an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from arc_solver.domains.boards.board_file import board_domain
from arc_solver.domains.sudoku.rules import repetitions
from arc_solver.report.panels import Cells, Mask
from augment.maze import CHARACTERS
from submission.messages import count

WALL, FREE, START, GOAL, PATH = range(len(CHARACTERS))


class Marks(NamedTuple):
    """Cells `given` by the question and cells `broken`, with the faults as one line each."""

    given: Mask
    broken: Mask
    faults: tuple[str, ...]

    def verdict(self) -> str:
        """In words: "keeps the rules", or how many are broken, and the first of them."""
        if not self.faults:
            return "keeps the rules"
        if len(self.faults) == 1:
            return f"breaks 1 rule: {self.faults[0]}"
        return f"breaks {len(self.faults)} rules (for example, {self.faults[0]})"


def board_marks(kind: str, question: Cells, answer: Cells) -> Marks:
    """The marks of an answer to a board; 0, or a number that is not a value, is an empty cell."""
    if kind in _MARKERS:
        return _MARKERS[kind](question, answer)
    given, rows = question > 0, (question.reshape(1, -1), answer.reshape(1, -1))
    keeps = bool(board_domain(kind).kind.keeps_the_rules(*rows)[0])
    return Marks(
        given, given & (answer != question), () if keeps else ("the answer does not fit the question",)
    )


def _sudoku_marks(question: Cells, answer: Cells) -> Marks:
    given = question > 0
    broken = given & (answer != question)
    faults = [
        f"the given {question[r, c]} at row {r + 1}, column {c + 1} is gone"
        for r, c in np.argwhere(broken).tolist()
    ]
    for digit, name, cells in repetitions(answer.ravel()):
        faults.append(f"{digit} appears twice in {name}")
        broken.ravel()[cells] = True
    empty = int((~given & ((answer == 0) | (answer > len(question)))).sum())
    if empty:
        faults.append(f"{count(empty, 'cell')} without a digit")
    return Marks(given, broken, tuple(faults))


def _maze_marks(question: Cells, answer: Cells) -> Marks:
    given = question != FREE
    broken = given & (answer != question)
    faults = []
    if broken.any():
        faults.append(f"{count(int(broken.sum()), 'cell')} of the question drawn over")
    strange = ~given & (answer != FREE) & (answer != PATH)
    if strange.any():
        faults.append(f"{count(int(strange.sum()), 'free cell')} turned into something else")
    path = ~given & (answer == PATH)
    steps = path | (question == START) | (question == GOAL)
    reached = _reached(steps, question == START)
    if not reached[question == GOAL].any():
        faults.append("the path does not reach G")
    apart = path & ~reached
    if apart.any():
        faults.append(f"{count(int(apart.sum()), 'cell')} apart from the path")
    # A cell of a path has one before it and one behind it.
    ends = path & reached & (_num_neighbors(steps) < 2)
    if ends.any():
        faults.append(count(int(ends.sum()), "dead end"))
    return Marks(given, broken | strange | apart | ends, tuple(faults))


_MARKERS: dict[str, Callable[[Cells, Cells], Marks]] = {"sudoku": _sudoku_marks, "maze": _maze_marks}


def _reached(steps: Mask, start: Mask) -> Mask:
    """The cells of `steps` connected with `start`."""
    reached = start & steps
    while True:
        grown = (reached | (_num_neighbors(reached) > 0)) & steps
        if (grown == reached).all():
            return reached
        reached = grown


def _num_neighbors(mask: Mask) -> Cells:
    """How many of the four neighbors of each cell belong to the mask."""
    wide = np.pad(mask, 1).astype(np.uint8)
    return np.asarray(wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:], np.uint8)
