"""Items laid out in rows of a given width: pictures, or blocks of text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Wide(Protocol):
    """An item with a width."""

    @property
    def width(self) -> int: ...


Item = TypeVar("Item", bound=Wide)


def shelves(items: Iterable[Item], width: int, gap: int) -> list[list[Item]]:
    """The items in reading order, as many in a row as fit the width, at least one."""
    rows: list[list[Item]] = []
    used = width
    for item in items:
        if used + gap + item.width > width:
            rows.append([])
            used = -gap
        rows[-1].append(item)
        used += gap + item.width
    return rows
