"""Whether demonstrations determine the answers: no rule of the library may fit them and answer differently.

What a rule can never do (its traits, its colors) is compared with the demonstrations before the rule is
tried, and a rule is given up at the first output that it gets wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from arc_solver.sources.synthetic.rows import INKED, Rows
from arc_solver.sources.synthetic.rule import ALL_COLORS, Example, Kind, Library, Rule, Setting, Trait

_SAME, _ADDS, _CLEARS, _DYES, _COUNTS, _SMALLER, _LARGER, _OTHER, _LINE = map(int, Trait)


def traits_of(question: Rows, answer: Rows) -> int:
    """All traits that a pair shows, as a plain number: operations on flags are slow."""
    before, after = b"".join(question), b"".join(answer)
    found = _LINE if len(answer) == 1 or len(answer[0]) == 1 else 0
    if len(before) != len(after):
        return found | _OTHER | (_SMALLER if len(after) < len(before) else _LARGER)
    if sorted(before) == sorted(after):
        found |= _COUNTS
    if len(question) != len(answer):
        return found | _OTHER
    found |= _SAME
    x, y = int.from_bytes(before, "big"), int.from_bytes(after, "big")
    inked, kept = before.translate(INKED), after.translate(INKED)
    if x == y & int.from_bytes(inked, "big"):
        found |= _ADDS
    if y == x & int.from_bytes(kept, "big"):
        found |= _CLEARS
    if inked == kept:
        found |= _DYES
    return found


class Palette(NamedTuple):
    """The colors of some pairs.

    `read` are those of the inputs, `shown` of the outputs, `taken` the old and `brought` the new ones of
    cells that change, all but `taken` without black; `new` says whether an output shows what its input lacks.
    """

    read: list[int]
    shown: list[int]
    taken: list[int]
    brought: list[int]
    new: bool


def palette_of(pairs: Sequence[Example]) -> Palette:
    """The colors of pairs; where shapes differ, nothing counts as taken or brought."""
    changes: set[tuple[int, int]] = set()
    read: set[int] = set()
    shown: set[int] = set()
    new = False
    for question, answer in pairs:
        before, after = b"".join(question), b"".join(answer)
        there, then = set(before), set(after)
        new = new or bool(then - there - {0})
        read |= there
        shown |= then
        if len(question) == len(answer) and len(before) == len(after):
            changes.update(zip(before, after, strict=True))
    taken = {old for old, color in changes if old != color}
    brought = {color for old, color in changes if old != color}
    return Palette(sorted(read - {0}), sorted(shown - {0}), sorted(taken), sorted(brought - {0}), new)


def candidates(library: Library, pairs: Sequence[Example]) -> Iterator[tuple[Rule, Setting]]:
    """The rules and settings that may fit the demonstrations as far as traits and colors tell."""
    missing = ~traits_of(*pairs[0])
    colors = palette_of(pairs)
    for kind, rules in library.kinds:
        if kind.traits & missing:
            continue
        painted = _painted(kind, colors)
        read = _read(kind, colors)
        if painted is None or read is None:
            continue
        given = [
            (*seen, *new)
            for seen in itertools.permutations(read, kind.reads)
            for new in itertools.permutations(painted, kind.paints)
        ]
        for rule in rules:
            if rule.fits is not None:
                for setting in rule.fits(pairs):
                    yield rule, setting
                continue
            for option in rule.options:
                for chosen in given:
                    yield rule, (option, *chosen)


def is_determined(library: Library, pairs: Sequence[Example], tests: Sequence[Example]) -> bool:
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


def _painted(kind: Kind, colors: Palette) -> Sequence[int] | None:
    """The colors that the rule may have painted with; None where it cannot have done so."""
    if not kind.paints:
        return None if colors.new else ()
    if not kind.traits & _SAME and not kind.pure:
        return colors.shown
    found = colors.brought if kind.traits & _SAME else colors.shown
    if len(found) > kind.paints:
        return None
    # A color that no demonstration shows is open.
    spare = [color for color in ALL_COLORS if color not in found]
    return [*found, *spare[: kind.paints - len(found)]]


def _read(kind: Kind, colors: Palette) -> Sequence[int] | None:
    """The colors that the rule may have looked for; None where it cannot have done so."""
    if not kind.takes:
        return colors.read
    found = colors.taken
    if not 0 < len(found) <= kind.reads or not found[0]:
        return None
    spare = [color for color in colors.read if color not in found]
    return [*found, *spare[: kind.reads - len(found)]]


def _num_cells(pair: Example) -> int:
    question, answer = pair
    return len(question) * len(question[0]) + len(answer) * len(answer[0])
