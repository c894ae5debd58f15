"""Rules applied one after the other, and whether demonstrations determine the answers of such a chain."""

from __future__ import annotations

from collections.abc import Sequence

from arc_solver.corpus.synthetic.rows import Rows
from arc_solver.corpus.synthetic.rule import Library, Rule, Setting
from arc_solver.corpus.synthetic.uniqueness import is_determined

Chain = tuple[tuple[Rule, Setting], ...]
"""Rules with their settings, the first one applied first."""
Course = tuple[Rows, ...]
"""An input and the results of each rule of a chain in turn, the output last."""


def course_of(chain: Chain, question: Rows) -> Course | None:
    """The input through the whole chain; None if a rule does not apply or changes nothing."""
    course = [question]
    for rule, setting in chain:
        changed = rule.change(course[-1], setting)
        if changed is None or changed == course[-1]:
            return None
        course.append(changed)
    return tuple(course)


def is_solvable(library: Library, chain: Chain, shown: Sequence[Course], asked: Sequence[Course]) -> bool:
    """Whether the demonstrations leave no choice among the answers of the library.

    Compared are all single rules, the chain in reverse order, and every chain in which one rule is replaced
    by another that does the same to the demonstrations.
    """
    ends = (0, len(chain))
    spans = {ends, *((place, place + 1) for place in range(len(chain)))}
    for start, end in spans:
        pairs = [(course[start], course[end]) for course in shown]
        tests = [(course[start], course[end]) for course in asked]
        if not is_determined(library, pairs, tests):
            return False
    return len(chain) == 1 or not _differs_reversed(chain, shown, asked)


def _differs_reversed(chain: Chain, shown: Sequence[Course], asked: Sequence[Course]) -> bool:
    backwards = chain[::-1]
    return all(_end(backwards, course[0]) == course[-1] for course in shown) and any(
        _end(backwards, course[0]) not in (course[-1], None) for course in asked
    )


def _end(chain: Chain, rows: Rows) -> Rows | None:
    found: Rows | None = rows
    for rule, setting in chain:
        if found is None:
            return None
        found = rule.change(found, setting)
    return found
