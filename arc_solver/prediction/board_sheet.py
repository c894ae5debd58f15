"""Where the answers to boards stand while workers report them: checked at the border, one file at any moment.

Shapes: n boards, L cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from arc_solver.domains.boards.board_file import board_csv, cells_from_texts
from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet
from arc_solver.prediction.messages import Message
from arc_solver.prediction.rewriter import Rewriter
from arc_solver.storage.files import write_atomic
from arc_solver.storage.text import DataError

SOURCE = "arc-solver"
# Boards are dealt out to workers, and called finished, in blocks of consecutive ones.
BLOCK = 64
MAX_AGES = 10**9


class BoardStanding:
    """The newest answer to each board; the file at `path` holds all questions, and the answers that came."""

    def __init__(self, path: Path, boards: BoardSet, say: Callable[[str], None] = lambda _: None) -> None:
        self.boards, self.path = boards, path
        self.cells = np.zeros_like(boards.questions)
        self.ages = np.zeros(len(boards), np.int64)
        self.answered = np.zeros(len(boards), np.bool_)
        self.file = Rewriter(self._write, say)

    def blocks(self) -> list[str]:
        """The names of all blocks."""
        return [str(number) for number in range(-(-len(self.boards) // BLOCK))]

    def take(self, items: Sequence[str], message: Message) -> bool:
        """Keep the answers of a message of kind "boards" about these blocks; False if any is nonsense."""
        answers = message.get("answers")
        if message.get("kind") != "boards" or not isinstance(answers, list):
            return False
        allowed = set(items)
        sound = [self._keep(answer, allowed) for answer in answers]
        return all(sound)

    def _keep(self, answer: object, allowed: set[str]) -> bool:
        """Keep one answer [number, text, ages]; False where it is none to a board of these blocks."""
        if not isinstance(answer, list) or len(answer) != 3:
            return False
        number, text, ages = answer
        if type(number) is not int or type(ages) is not int or not isinstance(text, str):
            return False
        if not (0 <= number < len(self.boards) and 0 <= ages <= MAX_AGES and str(number // BLOCK) in allowed):
            return False
        try:
            cells = cells_from_texts(self.boards.kind, self.boards.side, [text])
        except DataError:
            return False
        self.cells[number], self.ages[number], self.answered[number] = cells[0], ages, True
        self.file.stale = True
        return True

    def mean_ages(self) -> float:
        """Mean of the ages spent on an answered board."""
        return float(self.ages[self.answered].mean()) if self.answered.any() else math.nan

    def _write(self) -> None:
        unrated = np.full(len(self.boards), UNKNOWN_RATING, np.int64)
        boards = BoardSet(self.boards.kind, self.boards.questions, self.cells, unrated)
        write_atomic(self.path, board_csv(boards, SOURCE))
