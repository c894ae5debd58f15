"""What there is to see of an answer under way: grids with marked cells, gathered into frames.

Shapes: a grid is (H, W) uint8 values of a look; a mask is (H, W) bool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.domains.domains import find_domain
from arc_solver.domains.protocols import Look
from arc_solver.report.grid_drawing import CLASSIC

Cells = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class PictureError(ValueError):
    """What came cannot be drawn; the text says what was wanted."""

    exit_code = 2


ARC_LOOK = Look(CLASSIC.rgb(), letters="0123456789")
# Mark -> what it is called in a legend.
MARK_NAMES = {"given": "given", "guess": "guess", "changed": "changed", "broken": "breaks a rule"}


def board_look(kind: str, side: int) -> Look:
    """The look of a kind of board."""
    return find_domain(kind).look(side) or ARC_LOOK


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

    Marks are of MARK_NAMES, made on values of `look`.
    """

    title: str
    look: Look
    pairs: tuple[tuple[Panel, ...], ...] = ()
    marks: tuple[str, ...] = ()
