"""Whether demonstrations determine the answers: no rule of the library may fit them and answer differently.

What a rule can never do (its traits) is compared with the first demonstration before the rule is tried, and a
rule is given up at the first output that it gets wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arc_solver.sources.synthetic.rows import INKED, Rows
from arc_solver.sources.synthetic.rule import ALL_COLORS, Example, Rule, Setting, Trait

_SAME, _ADDS, _CLEARS, _DYES, _COUNTS, _SMALLER, _LARGER = map(int, Trait)


def traits_of(question: Rows, answer: Rows) -> int:
    """All traits that a pair shows, as a plain number: operations on flags are slow."""
    before, after = b"".join(question), b"".join(answer)
    found = 0
    if len(before) != len(after):
        found |= _SMALLER if len(after) < len(before) else _LARGER
    elif sorted(before) == sorted(after):
        found |= _COUNTS
    if len(question) != len(answer) or len(question[0]) != len(answer[0]):
        return found
    found |= _SAME
    x, y = int.from_bytes(before, "big"), int.from_bytes(after, "big")
    inked, kept = before.translate(INKED), after.translate(INKED)
    mask = int.from_bytes(inked, "big")
    if x == y & mask:
        found |= _ADDS
    if y == x & int.from_bytes(kept, "big"):
        found |= _CLEARS
    if inked == kept:
        found |= _DYES
    return found


def brought(pairs: Sequence[Example]) -> tuple[set[int], bool]:
    """The colors but black that cells change into; for grids of unequal shape, all colors of the outputs.

    The second value says whether an output shows a color that its input lacks.
    """
    found: set[int] = set()
    new = False
    for question, answer in pairs:
        before, after = b"".join(question), b"".join(answer)
        new = new or bool(set(after) - set(before) - {0})
        if len(question) == len(answer) and len(question[0]) == len(answer[0]):
            found.update(b for a, b in set(zip(before, after, strict=True)) if a != b)
        else:
            found.update(after)
    return found - {0}, new


def candidates(library: Sequence[Rule], pairs: Sequence[Example]) -> Iterator[tuple[Rule, Setting]]:
    """The rules and settings that may fit the demonstrations as far as traits and colors tell."""
    question, answer = pairs[0]
    seen = traits_of(question, answer)
    colors, new = brought(pairs)
    read = sorted(set().union(*[b"".join(before) for before, _ in pairs]) - {0})
    spare = [color for color in ALL_COLORS if color not in colors]
    for rule in library:
        if rule.traits & ~seen:
            continue
        if rule.fits is not None:
            for setting in rule.fits(pairs):
                yield rule, setting
            continue
        if rule.paints == 0:
            if new:
                continue
            painted: Sequence[int] = ()
        else:
            painted = sorted(colors)
            if rule.traits & _SAME:
                if len(painted) > rule.paints:
                    continue
                # A color that no demonstration shows is open.
                painted = [*painted, *spare[: rule.paints - len(painted)]]
        for setting in rule.settings(read, painted):
            yield rule, setting


def is_determined(library: Sequence[Rule], pairs: Sequence[Example], tests: Sequence[Example]) -> bool:
    """True unless a rule of the library fits all demonstrations and gives another answer to a test."""
    pairs = sorted(pairs, key=_num_cells)  # most rules fall at the first pair, so let it be a small one
    question, answer = pairs[0]
    for rule, setting in candidates(library, pairs):
        if rule.change(question, setting) != answer:
            continue
        if all(rule.change(before, setting) == after for before, after in pairs[1:]) and any(
            rule.change(before, setting) not in (after, None) for before, after in tests
        ):
            return False
    return True


def _num_cells(pair: Example) -> int:
    question, answer = pair
    return len(question) * len(question[0]) + len(answer) * len(answer[0])
