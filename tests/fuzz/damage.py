"""Damage to JSON files: in their structure, in their tokens, in their bytes."""

import copy
import gzip
import json
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

TOKEN_LINES = r"""
    true null 1.0 "1" -1 -0 10 1e0 NaN -Infinity 1e999 01 +1 [] {} [[1]] [[1,2],[3]] "" "\ud800"
    "\ud83d\ude00" "\u0000" {"train":[],"train":[]} 999999999999999999 9999999999999999999 , : ] } \
    0.1234567890123456789 [[]] [[[]]] [[[[]]]] [[[[[]]]]] [[[[[[]]]]]] [[[[[[[]]]]]]] [[[[[[[[]]]]]]]]
    [[[[[[[[[[1]]]]]]]]]] {"a":{"a":{"a":{"a":{"a":{}}}}}} {"input":[[1]]} {"input":[[1]],"output":[[2]]}
    "train" "test" "input"
"""
TOKENS = TOKEN_LINES.split()
BYTES = [
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"[",
    b"]",
    b"{",
    b"}",
    b" ",
]


@contextmanager
def hangs_are_seen(seconds: float = 10.0) -> Iterator[None]:
    """TimeoutError in a block that computes for so long; other processes do not count."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"{seconds} s for one small file")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def outcome(read: Callable[[], Result], error: type[Exception]) -> tuple[Result | None, str]:
    """What was read, or None and the line of a refusal; any other exception is a failure of the test."""
    try:
        return read(), ""
    except error as refusal:
        return None, str(refusal)


def place(rng: random.Random, value: Any) -> tuple[Any, Any]:
    """A (container, key) inside, each depth about as likely as the next."""
    while True:
        key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not value[key] or not isinstance(value[key], dict | list) or rng.random() < 0.25:
            return value, key
        value = value[key]


def damage_value(rng: random.Random, value: Any) -> None:
    """Change the structure at one place; `__token__` marks where a token will stand."""
    if not value:
        return
    container, key = place(rng, value)
    change = rng.randrange(7)
    if change == 0:
        del container[key]
    elif change == 1:
        other, where = place(rng, value)
        container[key] = copy.deepcopy(other[where])
    elif change == 2 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    elif change == 3 and isinstance(container, dict):
        container[rng.choice(["", "x" * 129, "\x1b", "\udc00", "train", "test", "input", "é"])] = (
            container.pop(key)
        )
    elif change == 4 and isinstance(container[key], list):
        container[key] = container[key] * rng.choice([0, 2, 31])
    elif change == 5:
        container[key] = [container[key]] if rng.random() < 0.5 else {rng.choice("ab"): container[key]}
    else:
        container[key] = "__token__"


def damage_text(rng: random.Random, data: bytes) -> bytes:
    """Cut, repeat or replace some bytes."""
    start = rng.randrange(len(data) + 1)
    stop = min(len(data), start + rng.choice([0, 1, 1, 2, 9, 99]))
    change = rng.randrange(5)
    if change == 0:
        return data[:start]
    if change == 1:
        return data[:start] + data[stop:]
    if change == 2:
        return data[:start] + data[start:stop] * rng.choice([2, 3, 50]) + data[stop:]
    new = rng.choice(BYTES) if change == 3 else rng.choice(TOKENS).encode()
    return data[:start] + new + data[stop:]


def damaged(rng: random.Random, value: Any) -> bytes:
    """The value, which is spoilt, as the bytes of a file with several kinds of damage, or none."""
    for _ in range(rng.choice([0, 1, 1, 1, 2, 4])):
        damage_value(rng, value)
    separators = (",", ":") if rng.random() < 0.5 else None
    text = json.dumps(
        value, ensure_ascii=rng.random() < 0.7 or "\udc00" in repr(value), separators=separators
    )
    while '"__token__"' in text:
        text = text.replace('"__token__"', rng.choice(TOKENS), 1)
    data = text.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        data = damage_text(rng, data)
    if rng.random() < 0.05:
        data = gzip.compress(data, mtime=0)
        data = damage_text(rng, data) if rng.random() < 0.5 else data
    return data
