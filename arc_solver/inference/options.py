"""How one prediction runs, as plain values; and who hears of it while it runs."""

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
    """How one prediction runs. `deadline` is a monotonic instant at which no further work is begun.

    `preset` is a recipe or its name, `adapt_each` learns unknown tasks one by one, else together; `keep` is a
    folder for what is learnt. Fields that are None leave it to the recipe.
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
        """The recipe with all settings, and the options that stand for some."""
        recipe = apply_settings(recipe, list(self.settings))
        given = {name: value for name in CHOSEN if (value := getattr(self, name)) is not None}
        return dataclasses.replace(recipe, predict=with_values(recipe.predict, given))

    def over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def part(self, share: float) -> SolveOptions:
        """The same with this share of the time that is left."""
        if self.deadline is None:
            return self
        now = time.monotonic()
        return dataclasses.replace(self, deadline=now + max(0.0, self.deadline - now) * share)


class Standing(NamedTuple):
    """Where a query stands: candidates, best first, and the ballots they come from.

    Without any candidate, although rows finished, it abstains: nothing they said counts as an answer.
    """

    candidates: Sequence[Tally]
    ballots: int


class Answers(Protocol):
    """What is known so far of some queries, by their numbers."""

    ages: Numbers  # (n,): spent on each in all

    @property
    def closed(self) -> Flags:
        """(n,): which get no further rows."""

    def standings(self, numbers: Numbers, most: int | None = None) -> list[Standing]:
        """How queries stand, each with at most so many candidates."""


def _ignore(*_: object) -> None:
    """Hear and do nothing."""


@dataclass(frozen=True)
class Listener:
    """Hears of a prediction while it runs.

    `say` gets remarks, `heard(answers, numbers, queries)` that rows of queries finished, which the answers
    know by `numbers` and the material by `queries`; `finished` of queries that get no further rows, `facts`
    what the manifest should say.
    """

    say: Callable[[str], None] = _ignore
    heard: Callable[[Answers, Numbers, Numbers], None] = _ignore
    finished: Callable[[Numbers], None] = _ignore
    facts: Callable[[dict[str, Any]], None] = _ignore


SILENT = Listener()
