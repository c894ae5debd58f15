"""All rules, in a fixed order: the tasks of a seed change with it."""

from arc_solver.sources.synthetic import (
    counts,
    dyes,
    fills,
    halos,
    marks,
    mirrors,
    panels,
    pulls,
    rays,
    repeats,
    shapes,
    things,
)
from arc_solver.sources.synthetic.rule import Library

LIBRARY = Library.of(
    (
        *shapes.RULES,
        *dyes.RULES,
        *pulls.RULES,
        *rays.RULES,
        *halos.RULES,
        *things.RULES,
        *marks.RULES,
        *fills.RULES,
        *panels.RULES,
        *counts.RULES,
        *repeats.RULES,
        *mirrors.RULES,
    )
)
