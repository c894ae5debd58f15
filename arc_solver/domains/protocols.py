"""What a kind of puzzle must say of itself, so that model, slots, engine and vote need not know it.

Shapes: B rows, N answers, L tokens of a canvas (height · width), C cells of the largest answer.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.int32]
Canvas = tuple[int, int]
Moves = npt.NDArray[np.int32]
NEVER, NOT_ASKED = np.iinfo(np.int32).max, -1


class TrainingData(Protocol):
    """An endless stream of examples per canvas; example i of a canvas is a pure function of (seed, i)."""

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        """(height, width) of every group of slots."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Tasks or puzzles per canvas: slots are shared out in this proportion."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides which example i is."""

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        """Write examples first, first + 1, ... of a group: tokens and targets (B, L), codes (B, 12)."""


class Hints(NamedTuple):
    """Dense labels of examples, and after how many moves from cell to cell each label can be known."""

    labels: Bytes  # (B, L): a class from 1; 0 where there is none to be known
    label_moves: Moves  # (B, L); NEVER where there is none, NOT_ASKED where nothing is asked
    target_moves: Moves  # (B, L): when the target can be known; NOT_ASKED where the question tells it


@runtime_checkable
class HintedData(Protocol):
    """Training data of a domain that has dense labels."""

    def hints(self, tokens: Bytes, targets: Bytes) -> Hints:
        """The dense labels of painted examples, tokens and targets (B, L)."""


class Restored(NamedTuple):
    """Answers turned back to the frame of their query."""

    cells: Bytes  # (N, C): row-major cells at the front
    shapes: Bytes  # (N, 2): height, width; 0, 0 where the tokens form no answer
    keys: npt.NDArray[np.uint64]  # (N, 2): content hash
    overflow: npt.NDArray[np.bool_]  # (N,): the answer fills a canvas that is not the largest


class QueryData(Protocol):
    """Rows to answer, grouped by canvas: each is one query under one view."""

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        """(height, width) of every group."""

    def queries(self, group: int) -> npt.NDArray[np.int64]:
        """The number of the query that each row of a group belongs to."""

    def paint(self, group: int, rows: npt.NDArray[np.int64], tokens: Bytes, codes: Codes) -> None:
        """Write the questions of some rows of a group into tokens (B, L) and codes (B, 12)."""

    def restore(self, group: int, rows: npt.NDArray[np.int64], answers: Bytes) -> Restored:
        """Undo the view of answers (N, L) to some rows of a group."""
