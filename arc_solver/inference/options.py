"""How one prediction of tasks runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arc_solver.config import Preset
from submission.vote import BallotBox


@dataclass
class SolveOptions:
    """How one prediction runs. `deadline` is a monotonic instant at which no further work is begun.

    `adapt_each` learns unknown tasks one by one, else together; `keep` is a folder for what is learnt. While
    it runs, `on_votes` gets the votes so far now and then, `on_finished` the ids of tasks that will get no
    further votes, and `on_facts` what the manifest should say.
    """

    preset: Preset | None = None
    settings: tuple[str, ...] = ()
    views: int | None = None
    ages: int | None = None
    adapt: bool = True
    adapt_steps: int | None = None
    adapt_each: bool = False
    keep: Path | None = None
    deadline: float | None = None
    device: str = "auto"
    seed: int = 0
    quiet: bool = True
    say: Callable[[str], None] = field(default=lambda _: None)
    on_votes: Callable[[BallotBox], None] = field(default=lambda _: None)
    on_finished: Callable[[Sequence[str]], None] = field(default=lambda _: None)
    on_facts: Callable[[dict[str, Any]], None] = field(default=lambda _: None)

    def over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def part(self, share: float) -> SolveOptions:
        """The same with this share of the time that is left."""
        if self.deadline is None:
            return self
        now = time.monotonic()
        return dataclasses.replace(self, deadline=now + max(0.0, self.deadline - now) * share)
