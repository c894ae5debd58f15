"""All rules, in a fixed order, on which the tasks of a seed depend."""

from arc_solver.corpus.synthetic import (
    counting,
    gravity,
    object_marks,
    objects,
    outline,
    panels,
    patterns,
    rays,
    recolor,
    regions,
    symmetry,
    whole_grid,
)
from arc_solver.corpus.synthetic.rule import Library

LIBRARY = Library.of(
    (
        *whole_grid.RULES,
        *recolor.RULES,
        *gravity.RULES,
        *rays.RULES,
        *outline.RULES,
        *objects.RULES,
        *object_marks.RULES,
        *regions.RULES,
        *panels.RULES,
        *counting.RULES,
        *patterns.RULES,
        *symmetry.RULES,
    )
)
