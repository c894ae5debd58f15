"""All rules, in a fixed order."""

from arc_solver.sources.synthetic import dyes, pulls, rays, shapes

LIBRARY = (*shapes.RULES, *dyes.RULES, *pulls.RULES, *rays.RULES)
