"""All kinds of puzzles: a new one is an object added to DOMAINS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arc_solver.config import ConfigError, did_you_mean
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.protocols import Domain
from arc_solver.domains.sudoku.domain import SUDOKU

# In the order in which they are asked whether they recognize a source.
DOMAINS: tuple[Domain[Any], ...] = (ARC, SUDOKU, MAZE)


def find_domain(name: str) -> Domain[Any]:
    """The domain of that name; ConfigError suggests a similar one."""
    names = [domain.name for domain in DOMAINS]
    if name not in names:
        raise ConfigError(f"domain={name!r} is not one of {', '.join(names)}{did_you_mean(name, names)}")
    return DOMAINS[names.index(name)]


def idle_settings(domain: Domain[Any], settings: Sequence[str]) -> str | None:
    """Which settings `key=value` have no effect in a domain, in one line; None where all have one."""
    idle = [each for each in settings if each.partition("=")[0].strip().rpartition(".")[2] in domain.idle]
    return f"warning: no effect on {domain.noun}: {', '.join(idle)}" if idle else None


def domain_of(source: str) -> Domain[Any]:
    """The domain that recognizes the content of a source; else one by its name, whose reader then says what
    is wrong.
    """
    known = (
        domain for guess in (False, True) for domain in DOMAINS if domain.recognizes(source, guess=guess)
    )
    named = (d for d in DOMAINS if source.lower().removesuffix(".gz").endswith(d.endings))
    return next(known, next(named, DOMAINS[0]))
