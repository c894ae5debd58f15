"""How often a promise of docs/reliability.md was tried and how often it held, for the table."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Case = TypeVar("Case")
LOG = "ARC_SOLVER_RELIABILITY_LOG"


def count(name: str, few: int) -> int:
    """How often to try: ARC_SOLVER_<name>_COUNT, or `few` in the ordinary run."""
    return int(os.environ.get(f"ARC_SOLVER_{name}_COUNT", str(few)))


def seed() -> int:
    """The seed of every random test here: ARC_SOLVER_FAULT_SEED, or 1."""
    return int(os.environ.get("ARC_SOLVER_FAULT_SEED", "1"))


def full() -> bool:
    """Whether the figures of docs/reliability.md are being measured: only then do seconds count."""
    return LOG in os.environ


def some(cases: Sequence[Case], name: str, few: int) -> list[Case]:
    """`few` of the cases, evenly spread, the first and the last among them; all that the count asks for."""
    wanted = min(count(name, few), len(cases))
    if wanted < 2:
        return list(cases[:wanted])
    return [cases[i * (len(cases) - 1) // (wanted - 1)] for i in range(wanted)]


def record(row: int, what: str, tried: int, held: int) -> None:
    """Add to the tally of a row; without a log to write to it is only asserted by the caller."""
    path = os.environ.get(LOG)
    if path:
        with Path(path).open("a") as log:
            log.write(json.dumps({"row": row, "what": what, "tried": int(tried), "held": int(held)}) + "\n")


@contextmanager
def trial(row: int, what: str) -> Iterator[None]:
    """One try of a row: it held if the block ends without an exception."""
    held = 0
    try:
        yield
        held = 1
    finally:
        record(row, what, 1, held)
