"""Frames in a terminal: drawn over each other if possible, else one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from arc_solver.report.panel_text import legend, panel_block
from arc_solver.report.panels import Frame, Opening, Panel
from arc_solver.report.terminal import Block, shelved
from arc_solver.storage.text import printable

BAR_WIDTH = 20
STAY = 2.5  # times the duration of other frames, for a frame that is to stay
PAIRS_GAP, GAP = 6, 2


@dataclass
class Player:
    """Shows frames on a screen of `columns` and `lines`, each for some `seconds`.

    Without `animated`, frames follow each other without waiting, with a blank line between.
    """

    write: Callable[[str], object]
    columns: int
    lines: int
    color: bool
    animated: bool
    seconds: float = 0.6
    sleep: Callable[[float], object] = time.sleep
    _begun: bool = field(default=False, init=False)  # whether there was a frame
    _behind: int = field(default=0, init=False)  # lines of the last frame, where the next may cover it

    def begin(self, opening: Opening) -> None:
        """Write the opening."""
        self._begun, self._behind = False, 0
        lines = [self._cut(opening.title), ""] if opening.title else []
        if opening.pairs:
            lines += [line.rstrip(" ") for line in self._pairs(opening).lines] + [""]
        if opening.marks:
            lines += [*shelved(legend(opening, self.color), self.columns, 3).lines, ""]
        self._write_lines(lines)

    def show(self, frame: Frame) -> None:
        """Write a frame, over the one before if it fits, and wait."""
        head = [self._cut(frame.title), self._cut(frame.news)]
        foot = [] if frame.probability is None else [self._cut(_bar(frame))]
        block, fits = self._layout(frame.panels, self.lines - len(head) - len(foot) - 1)
        lines = [*head, *(line.rstrip(" ") for line in block.lines), *foot]
        if self._behind and fits:
            self.write(f"\x1b[{self._behind}A\x1b[J")
        elif self._begun:
            self._write_lines([""])
        self._write_lines(lines)
        self._begun, self._behind = True, len(lines) if self.animated and fits else 0
        if self.animated:
            self.sleep(self.seconds * (STAY if frame.stay else 1))

    def _layout(self, panels: tuple[Panel, ...], lines: int) -> tuple[Block, bool]:
        """The panels as one block, as large as the screen allows, and whether it fits the screen."""
        marked = any(panel.mask(name).any() for panel in panels for name in ("changed", "broken"))
        moving = tuple(panel for panel in panels if not panel.still) or panels
        blocks = [
            self._beside(panels, dense=False, columns=10**6),
            # Marks take room, but matter more than having panels side by side.
            *([self._beside(panels, dense=False)] if marked else []),
            self._beside(panels, dense=True),
            self._beside(moving, dense=False),
            self._beside(moving, dense=True),
        ]
        for block in blocks:
            if block.width <= self.columns and (not self.animated or len(block.lines) <= lines):
                return block, True
        return blocks[-3], False

    def _beside(self, panels: Sequence[Panel], *, dense: bool, columns: int | None = None) -> Block:
        blocks = [panel_block(panel, color=self.color, dense=dense) for panel in panels]
        return shelved(blocks, columns or self.columns, GAP)

    def _pairs(self, opening: Opening) -> Block:
        widest = max(sum(2 * _columns(panel) + GAP for panel in pair) - GAP for pair in opening.pairs)
        dense = widest > self.columns
        blocks = [self._beside(pair, dense=dense) for pair in opening.pairs]
        return shelved(blocks, self.columns, PAIRS_GAP)

    def _cut(self, text: str) -> str:
        return printable(text, max(2, self.columns))

    def _write_lines(self, lines: list[str]) -> None:
        self.write("".join(line + "\n" for line in lines))


def _columns(panel: Panel) -> int:
    return 1 if panel.cells is None else panel.cells.shape[1]


def _bar(frame: Frame) -> str:
    """The halting probability as a bar and in figures, in ASCII."""
    probability = frame.probability or 0.0
    full = round(BAR_WIDTH * probability)
    return f"halt [{'#' * full}{'.' * (BAR_WIDTH - full)}] {probability:.3f}"
