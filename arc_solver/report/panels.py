"""What pictures of an answer in progress are made of: grids with marked cells, gathered into frames.

Shapes: a grid is (H, W) uint8 values of a look; a mask is (H, W) bool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arc_solver.domains.protocols import Look
from arc_solver.report.grid_drawing import CLASSIC

Cells = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class PictureError(ValueError):
    """A value that cannot be drawn; the text says what was expected."""

    exit_code = 2


ARC_LOOK = Look(CLASSIC.rgb(), letters="0123456789")
# Mark -> what it is called in a legend.
MARK_NAMES = {"given": "given", "guess": "guess", "changed": "changed", "broken": "breaks a rule"}


def board_look(kind: str, side: int) -> Look:
    """The look of a kind of board."""
    from arc_solver.domains.domains import find_domain  # loads numba, which tasks do not need

    return find_domain(kind).look(side) or ARC_LOOK


@dataclass(frozen=True, eq=False)
class Panel:
    """A grid below its title; `cells` is None for an answer that is not known.

    Masks mark cells `given` by the question, `changed` since the frame before, `broken`: against the rules.
    A `still` panel is the same in every frame.
    """

    title: str
    cells: Cells | None
    look: Look = ARC_LOOK
    given: Mask | None = None
    changed: Mask | None = None
    broken: Mask | None = None
    still: bool = False

    def mask(self, name: str) -> Mask:
        """The mask of that name, all False where the panel has none."""
        found: Mask | None = getattr(self, name)
        if found is not None:
            return found
        return np.zeros((0, 0) if self.cells is None else self.cells.shape, np.bool_)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of an animation: a title, the news, panels, and a halting logit if there is one.

    A frame that is to `stay` is shown for longer.
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
    """What is shown before the first frame: a title, the demonstration pairs, and a legend.

    `marks` are keys of MARK_NAMES, drawn on values of `look`.
    """

    title: str
    look: Look
    pairs: tuple[tuple[Panel, ...], ...] = ()
    marks: tuple[str, ...] = ()
