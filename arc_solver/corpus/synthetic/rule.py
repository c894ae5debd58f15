"""A rule of the library: a change of a grid, its settings, and scenes to show it on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows

Setting = tuple[int, ...]
"""Chosen once per task: an option, then the colors that the rule reads, then those that it paints."""

ALL_COLORS = range(1, 10)


class Room(NamedTuple):
    """The constraints of a scene: its shape and the colors to draw with."""

    height: int
    width: int
    colors: tuple[int, ...]


Change = Callable[[Rows, Setting], Rows | None]
"""The output for an input, or None if the rule does not apply."""
Scene = Callable[[Draws, Room, Setting], Rows]
Example = tuple[Rows, Rows]


class Trait(IntEnum):
    """What holds for every pair of a rule, so that a search for rules that fit a pair can skip others."""

    SAME = 1  # the output has the input's shape
    ADDS = 2  # of the same shape, and only black cells change
    CLEARS = 4  # of the same shape, and cells that change become black
    DYES = 8  # of the same shape, and black cells stay black
    COUNTS = 16  # as many cells of each color as before
    SMALLER = 32  # fewer cells
    LARGER = 64  # more cells
    OTHER = 128  # the output has another shape than the input
    LINE = 256  # the output is one row or one column


@dataclass(frozen=True, eq=False)
class Rule:
    """A family of tasks. `grow(option)` bounds the ratio of the output's side to the input's.

    `traits` is the sum of those that always hold. A rule that `paints` changes cells only to the colors that
    it paints or to black, and if `pure` an output of another shape has no other colors; one that does not
    paint brings no new color. A rule that `takes` changes only cells of the colors that it reads. `least` is
    the smallest side of an input. `draw` and `fits` are for settings that cannot be listed: a random one, and
    those that fit demonstrations.
    """

    name: str
    change: Change
    scene: Scene
    traits: int = 0
    options: Sequence[int] = (0,)
    reads: int = 0
    paints: int = 0
    takes: bool = False
    pure: bool = False
    least: int = 3
    grow: Callable[[int], int] = lambda _: 1
    draw: Callable[[Draws], Setting] | None = None
    fits: Callable[[Sequence[Example]], Iterable[Setting]] | None = None

    @property
    def about(self) -> str:
        """What the rule does, in one line."""
        return (self.change.__doc__ or "").splitlines()[0]

    def random_setting(self, draws: Draws) -> Setting:
        """A setting with all of its colors different."""
        if self.draw is not None:
            return self.draw(draws)
        return (draws.pick(self.options), *draws.some(ALL_COLORS, self.reads + self.paints))


class Kind(NamedTuple):
    """The properties of rules that show whether they may fit demonstrations, before they are tried."""

    traits: int
    reads: int
    paints: int
    takes: bool
    pure: bool
    fitted: bool


@dataclass(frozen=True, eq=False)
class Library:
    """Rules in order, and grouped by kind, so that whole kinds can be skipped."""

    rules: tuple[Rule, ...]
    kinds: tuple[tuple[Kind, tuple[Rule, ...]], ...]

    @staticmethod
    def of(rules: Sequence[Rule]) -> Library:
        """The library of these rules."""
        kinds: dict[Kind, list[Rule]] = {}
        for rule in rules:
            kind = Kind(rule.traits, rule.reads, rule.paints, rule.takes, rule.pure, rule.fits is not None)
            kinds.setdefault(kind, []).append(rule)
        return Library(tuple(rules), tuple((kind, tuple(members)) for kind, members in kinds.items()))
