"""The names of views in the published data sets: `id|||t<k>|||<digits>` (TRM) and `id_t<k>_<digits>` (HRM).

In both, k is the number of the symmetry and the digits are the new color of each old one. An id may itself
contain such text, so that only the whole list determines what is a view of what.
"""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from arc_solver.storage.text import DataError, quoted
from augment.dihedral import DIHEDRALS

SEPARATOR = "|||"
MAX_NAME = 256  # an id of 128 characters and any suffix
UNCHANGED = "0123456789"
# The last suffix of either form, well written or not.
_KNOWN = frozenset(map(str, range(len(DIHEDRALS))))
_TEN_DIGITS = re.compile("[0-9]{10}")
_SUFFIX = re.compile(r"(.+)(?:\|\|\|t(\d+)(?:\|\|\|)?([-\w]*)|_t(\d+)_(-?\w{8,}))", re.DOTALL)


class NamedView(NamedTuple):
    """The task of an entry, its symmetry, and the new color of each old one as ten digits."""

    task: str
    dihedral: int = 0
    colors: str = UNCHANGED

    @property
    def is_identity(self) -> bool:
        return self.dihedral == 0 and self.colors == UNCHANGED


class _Split(NamedTuple):
    """An entry split at its last suffix."""

    task: str
    dihedral: str
    colors: str
    form: str

    @property
    def fault(self) -> str | None:
        """Why the suffix names no view; None if it names one."""
        if self.dihedral not in _KNOWN or not _TEN_DIGITS.fullmatch(self.colors):
            bar = SEPARATOR if self.form == "trm" else "_"
            return f"expected id{bar}t<0..7>{bar}<ten digits>"
        if len(set(self.colors)) < len(UNCHANGED):
            return f"colors {self.colors}, expected each digit once"
        return None


def read_view_names(names: Sequence[str], place: str, first: int = 0) -> list[NamedView]:
    """The view that each entry of a list of puzzles names; DataError for a suffix that names none.

    An entry is a view if the task before its suffix is listed as well, and a task if others are views of it.
    `place` and the number of the `first` entry are for messages.
    """
    for row, name in enumerate(names, start=first):
        if len(name) > MAX_NAME:
            raise DataError(f"{place}: entry {row} has {len(name):,} characters, expected at most {MAX_NAME}")
    listed = set(names)
    split = [_split(name) for name in names]
    views = [each for each in split if each is not None and each.task in listed]
    tasks, has_trm = {each.task for each in views}, any(each.form == "trm" for each in views)
    found = []
    for row, (name, each) in enumerate(zip(names, split, strict=True), start=first):
        if name in tasks or each is None or _ends_an_id(each, listed, has_trm):
            found.append(NamedView(name))
        elif each.fault:
            raise DataError(f"{place}: entry {row}: {quoted(name)}, {each.fault}")
        else:
            found.append(NamedView(each.task, int(each.dihedral), each.colors))
    return found


def _ends_an_id(each: _Split, listed: Container[str], has_trm: bool) -> bool:
    """Whether what looks like HRM's suffix is part of an id: its task is not listed, and it names no view or
    the list has views in TRM's form."""
    return each.form == "hrm" and each.task not in listed and (has_trm or each.fault is not None)


def _split(name: str) -> _Split | None:
    match = _SUFFIX.fullmatch(name)
    if match is None:
        return None
    task, trm, trm_colors, hrm, hrm_colors = match.groups()
    return _Split(task, trm, trm_colors, "trm") if hrm is None else _Split(task, hrm, hrm_colors, "hrm")
