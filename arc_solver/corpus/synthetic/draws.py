"""Random choices of one task, all made from uniform numbers, whose sequence Python guarantees."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Draws:
    """Choices that depend on `key` alone, on every machine and version of Python."""

    __slots__ = ("_bits", "_next")

    def __init__(self, key: str) -> None:
        source = random.Random(key)  # noqa: S311 - training data, not a secret
        self._next = source.random
        self._bits = source.getrandbits

    def below(self, bound: int) -> int:
        """A number from 0..bound-1."""
        return int(self._next() * bound)

    def span(self, low: int, high: int) -> int:
        """A number from low..high; `low` where the span is empty."""
        return low + int(self._next() * (high - low + 1)) if high > low else low

    def chance(self, part: float) -> bool:
        """True with probability `part`."""
        return self._next() < part

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`."""
        return items[int(self._next() * len(items))]

    def some(self, items: Sequence[Item], num: int) -> list[Item]:
        """`num` of `items` at different places, in random order."""
        rest = list(items)
        return [rest.pop(int(self._next() * len(rest))) for _ in range(num)]

    def octets(self, num: int) -> bytes:
        """`num` random bytes."""
        return self._bits(8 * num).to_bytes(num, "little")

    def bits(self, num: int) -> int:
        """An integer of `num` random bits."""
        return self._bits(num)
