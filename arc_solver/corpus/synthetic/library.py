"""All rules, in a fixed order: the tasks of a seed change with it."""

from arc_solver.corpus.synthetic import (
    counting as counts,
)
from arc_solver.corpus.synthetic import (
    gravity as pulls,
)
from arc_solver.corpus.synthetic import (
    object_marks as marks,
)
from arc_solver.corpus.synthetic import (
    objects as things,
)
from arc_solver.corpus.synthetic import (
    outline as halos,
)
from arc_solver.corpus.synthetic import (
    panels,
    rays,
)
from arc_solver.corpus.synthetic import (
    patterns as repeats,
)
from arc_solver.corpus.synthetic import (
    recolor as dyes,
)
from arc_solver.corpus.synthetic import (
    regions as fills,
)
from arc_solver.corpus.synthetic import (
    symmetry as mirrors,
)
from arc_solver.corpus.synthetic import (
    whole_grid as shapes,
)
from arc_solver.corpus.synthetic.rule import Library

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
