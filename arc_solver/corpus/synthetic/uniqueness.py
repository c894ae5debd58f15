"""Whether demonstrations determine the answers: no rule of the library may fit them and answer differently.

Rules that cannot fit by their traits and colors are skipped, and the others are dropped at the first output
that they get wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from arc_solver.corpus.synthetic.rows import INKED, Rows
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Example, Kind, Library, Rule, Setting, Trait

MARKERS = (200, 201, 202)
"""Placeholders for the colors that a rule paints, until the demonstrations show which they are."""

_SAME, _ADDS, _CLEARS, _DYES, _COUNTS, _SMALLER, _LARGER, _OTHER, _LINE = map(int, Trait)


def traits_of(question: Rows, answer: Rows) -> int:
    """The traits of a pair, as a plain number: operations on flags are slow."""
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
    cells that change, all but `taken` without black; `new`: some output has a color that its input lacks.
    """

    read: list[int]
    shown: list[int]
    taken: list[int]
    brought: list[int]
    new: bool


def palette_of(pairs: Sequence[Example]) -> Palette:
    """The colors of pairs; if shapes differ, nothing counts as taken or brought."""
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


def candidates(
    library: Library, pairs: Sequence[Example], unseen: Sequence[int] = ()
) -> Iterator[tuple[Rule, Setting]]:
    """The rules that may fit the demonstrations, judged by traits and colors, with all their settings.

    `unseen` are colors in no demonstration, which a rule may read. Painted colors are MARKERS.
    """
    missing = ~traits_of(*pairs[0])
    colors = palette_of(pairs)
    for kind, rules in library.kinds:
        if kind.traits & missing:
            continue
        if kind.fitted:
            for rule in rules:
                for setting in rule.fits(pairs) if rule.fits else ():
                    yield rule, setting
            continue
        read = _read(kind, colors, unseen)
        if read is None or not _may_paint(kind, colors):
            continue
        given = [(*seen, *MARKERS[: kind.paints]) for seen in itertools.permutations(read, kind.reads)]
        for rule in rules:
            for option in rule.options:
                for chosen in given:
                    yield rule, (option, *chosen)


def fitted(rule: Rule, setting: Setting, pairs: Sequence[Example]) -> Setting | None:
    """The setting with markers replaced by the colors that the pairs show; None if it does not fit.

    A marker that is left stands for a color in no pair.
    """
    for question, answer in pairs:
        found = rule.change(question, setting)
        if found == answer:
            continue
        if found is None or not rule.paints or (len(found), len(found[0])) != (len(answer), len(answer[0])):
            return None
        before, after = b"".join(found), b"".join(answer)
        table = bytearray(range(256))
        for marker in MARKERS[: rule.paints]:
            place = before.find(marker)
            table[marker] = after[place] if place >= 0 else marker
        if before.translate(table) != after:
            return None
        setting = tuple([table[value] if value in MARKERS else value for value in setting])
    return None if rule.paints and 0 in setting[1:] else setting


def is_determined(library: Library, pairs: Sequence[Example], tests: Sequence[Example]) -> bool:
    """True unless a rule of the library fits all demonstrations and gives another answer to a test."""
    pairs = sorted(pairs, key=_num_cells)  # most rules fail at the first pair, so it had better be small
    shown = set().union(*[b"".join(question) for question, _ in pairs])
    asked = set().union(*[b"".join(question) for question, _ in tests]) - shown - {0}
    nowhere = [color for color in ALL_COLORS if color not in shown and color not in asked]
    for rule, setting in candidates(library, pairs, [*sorted(asked), *nowhere[:1]]):
        fit = fitted(rule, setting, pairs)
        if fit is not None and any(rule.change(before, fit) not in (after, None) for before, after in tests):
            return False
    return True


def _may_paint(kind: Kind, colors: Palette) -> bool:
    """Whether all new colors may have been painted."""
    if not kind.paints:
        return not colors.new
    if kind.traits & _SAME:
        return len(colors.brought) <= kind.paints
    return not kind.pure or len(colors.shown) <= kind.paints


def _read(kind: Kind, colors: Palette, unseen: Sequence[int]) -> Sequence[int] | None:
    """The colors that the rule may have read; None if there are no such colors."""
    if not kind.takes:
        return [*colors.read, *unseen]
    found = colors.taken
    if not 0 < len(found) <= kind.reads or not found[0]:
        return None
    spare = [color for color in (*colors.read, *unseen) if color not in found]
    return [*found, *spare[: kind.reads - len(found)]]


def _num_cells(pair: Example) -> int:
    question, answer = pair
    return len(question) * len(question[0]) + len(answer) * len(answer[0])
