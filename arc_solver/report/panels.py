"""What there is to see of an answer under way: grids with marked cells, gathered into frames.

Shapes: a grid is (H, W) uint8 values of a look; a mask is (H, W) bool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.report.grid_drawing import CLASSIC

Cells = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class PictureError(ValueError):
    """What came cannot be drawn; the text says what was wanted."""

    exit_code = 2


@dataclass(frozen=True, eq=False)
class Look:
    """How values are drawn: value v in `colors[v]` (V, 3) uint8, with `symbols[v]` on it if not empty.

    Without colors value v is `letters[v]`. Values beyond V are left empty. Lines between boxes of `box` =
    (rows, columns) cells are drawn thick.
    """

    colors: npt.NDArray[np.uint8]
    symbols: tuple[str, ...] = ()
    box: tuple[int, int] | None = None
    letters: str = ""


ARC_LOOK = Look(CLASSIC.rgb(), letters="0123456789")


def sudoku_look(side: int) -> Look:
    """Digits 0 (blank) to `side` on paper, with the boxes of a 4, 6 or 9 board."""
    boxes = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
    if side not in boxes:
        raise PictureError(f"a Sudoku of side {side}, expected 4, 6 or 9")
    colors = np.full((side + 1, 3), 255, np.uint8)
    digits = tuple(map(str, range(1, side + 1)))
    return Look(colors, ("", *digits), boxes[side], ".123456789"[: side + 1])


def maze_look() -> Look:
    """Cells as places in "# SGo": wall, free, start, goal, path."""
    colors = [(45, 48, 54), (255, 255, 255), (31, 95, 191), (19, 105, 60), (255, 176, 32)]
    return Look(np.array(colors, np.uint8), ("", "", "S", "G", ""), letters="# SGo")


def board_look(kind: str, side: int) -> Look:
    """The look of a kind of board."""
    return sudoku_look(side) if kind == "sudoku" else maze_look()


@dataclass(frozen=True, eq=False)
class Panel:
    """A grid below its title; None where there is none, as for an answer that is not known.

    Cells of the masks are told apart: `given` by the question, `changed` since the frame before, `broken`
    against the rules. A `still` panel is the same in every frame.
    """

    title: str
    cells: Cells | None
    look: Look = ARC_LOOK
    given: Mask | None = None
    changed: Mask | None = None
    broken: Mask | None = None
    still: bool = False

    def mask(self, name: str) -> Mask:
        """One of the masks; nowhere True where it is not given."""
        found: Mask | None = getattr(self, name)
        if found is not None:
            return found
        return np.zeros((0, 0) if self.cells is None else self.cells.shape, np.bool_)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of an animation: a title, news about it, panels, and the halting logit where there is one.

    A frame that is to `stay` is looked at for longer.
    """

    title: str
    news: str
    panels: tuple[Panel, ...]
    halt_logit: float | None = None
    stay: bool = False

    @property
    def probability(self) -> float | None:
        """The halting probability."""
        if self.halt_logit is None:
            return None
        # The clip keeps exp in range; beyond it the probability is 0 or 1 to every digit shown.
        return 1 / (1 + math.exp(-min(max(self.halt_logit, -60.0), 60.0)))


@dataclass(frozen=True, eq=False)
class Opening:
    """What stands before the first frame: a title, pairs that show the task, and which marks will be met.

    Marks are "given", "guess", "changed" and "broken", made on values of `look`.
    """

    title: str
    look: Look
    pairs: tuple[tuple[Panel, ...], ...] = ()
    marks: tuple[str, ...] = ()
