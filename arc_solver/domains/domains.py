"""All kinds of puzzles: a new one is an object added to DOMAINS."""

from __future__ import annotations

import difflib
from typing import Any

from arc_solver.config import ConfigError
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
        near = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"domain={name!r} is not one of {', '.join(names)}{hint}")
    return DOMAINS[names.index(name)]


def domain_of(source: str) -> Domain[Any]:
    """The domain that recognizes the content of a source; else one by its name, whose reader then says what
    is wrong.
    """
    known = (domain for domain in DOMAINS if domain.recognizes(source))
    named = (d for d in DOMAINS if source.lower().removesuffix(".gz").endswith(d.endings))
    return next(known, next(named, DOMAINS[0]))
