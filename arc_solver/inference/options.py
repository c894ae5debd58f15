"""The options of one prediction as plain values, and the callbacks while it runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from arc_solver.config import Preset
from arc_solver.settings import apply_settings, with_values
from submission.vote import Tally

if TYPE_CHECKING:
    from arc_solver.domains.protocols import Flags, Numbers

# Fields of PredictConfig that have options of their own.
CHOSEN = ("views", "ages", "rollouts", "sigma", "seed")


@dataclass(frozen=True)
class SolveOptions:
    """The options of one prediction. `deadline` is a monotonic instant after which no work is begun.

    `preset` is a recipe or its name; `adapt_each` learns unknown tasks one by one, else together; `keep` is a
    folder for what is learned. Fields that are None leave the choice to the recipe.
    """

    preset: Preset | str | None = None
    settings: tuple[str, ...] = ()
    views: int | None = None
    ages: int | None = None
    rollouts: int | None = None
    sigma: float | None = None
    adapt: bool = True
    adapt_steps: int | None = None
    adapt_each: bool = False
    keep: Path | None = None
    deadline: float | None = None
    device: str = "auto"
    seed: int = 0
    quiet: bool = True

    def applied(self, recipe: Preset) -> Preset:
        """The recipe with all settings, and the options that are short for some."""
        recipe = apply_settings(recipe, list(self.settings))
        given = {name: value for name in CHOSEN if (value := getattr(self, name)) is not None}
        return dataclasses.replace(recipe, predict=with_values(recipe.predict, given))

    def over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def part(self, share: float) -> SolveOptions:
        """The same options with this share of the time that is left."""
        if self.deadline is None:
            return self
        now = time.monotonic()
        return dataclasses.replace(self, deadline=now + max(0.0, self.deadline - now) * share)


class Standing(NamedTuple):
    """The candidates for a query, best first, and the number of ballots.

    A query with ballots but without candidates abstains: none of its rows gave an answer.
    """

    candidates: Sequence[Tally]
    ballots: int


class Answers(Protocol):
    """The answers so far to some queries, which have numbers."""

    ages: Numbers  # (n,): spent on each in total

    @property
    def closed(self) -> Flags:
        """(n,): queries that get no further rows."""

    def standings(self, numbers: Numbers, most: int | None = None) -> list[Standing]:
        """The standings of queries, each with at most `most` candidates."""


def _ignore(*_: object) -> None:
    """Hear and do nothing."""


@dataclass(frozen=True)
class Listener:
    """Callbacks of a prediction while it runs.

    `say` gets remarks; `heard(answers, numbers, queries)` is called when rows of queries finished, which have
    these numbers in `answers` and in the material; `finished` gets queries without further rows, `facts` what
    the manifest should say.
    """

    say: Callable[[str], None] = _ignore
    heard: Callable[[Answers, Numbers, Numbers], None] = _ignore
    finished: Callable[[Numbers], None] = _ignore
    facts: Callable[[dict[str, Any]], None] = _ignore


SILENT = Listener()
