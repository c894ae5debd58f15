"""What a rule of the library is: a change of a grid, its settings, and scenes where it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows

Setting = tuple[int, ...]
"""What is chosen once a task: an option, then the colors that the rule reads, then those that it paints."""

ALL_COLORS = range(1, 10)


class Room(NamedTuple):
    """What a scene has to keep to: a shape and the colors to draw with."""

    height: int
    width: int
    colors: tuple[int, ...]


Change = Callable[[Rows, Setting], Rows | None]
"""The output for an input, or None where the rule says nothing of it."""
Scene = Callable[[Draws, Room, Setting], Rows]
Example = tuple[Rows, Rows]


class Trait(IntEnum):
    """What holds of every pair of a rule; whoever looks for rules that fit a pair passes over the others."""

    SAME = 1  # the output has the input's shape
    ADDS = 2  # of the same shape, and only black cells change
    CLEARS = 4  # of the same shape, and cells that change become black
    DYES = 8  # of the same shape, and what is black stays it
    COUNTS = 16  # as many cells of every color as before
    SMALLER = 32  # fewer cells
    LARGER = 64  # more cells
    OTHER = 128  # the output has another shape than the input
    LINE = 256  # the output is one row or one column


@dataclass(frozen=True, eq=False)
class Rule:
    """A family of tasks. `grow(option)` bounds how often the input's side goes into the output's.

    `traits` is a sum of what always holds. A rule that paints changes cells into its painted colors or black
    alone, and fills outputs of another shape with nothing else where it is `pure`; one that does not paint
    brings no new color. A rule that `takes` changes cells of the colors that it reads alone.
    `draw` and `fits` are for settings that cannot be listed: a random one, and those that fit demonstrations.
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
    """What tells before trying whether a rule may fit demonstrations."""

    traits: int
    reads: int
    paints: int
    takes: bool
    pure: bool
    fitted: bool


@dataclass(frozen=True, eq=False)
class Library:
    """Rules in order, and the same sorted by kind, so that whole kinds can be passed over."""

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
