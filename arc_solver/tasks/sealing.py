"""The answers of the published evaluation sets, recognized by content and kept out of training.

Only hashes are known: of every test pair of the public evaluation sets of ARC-1 and ARC-2, and of the
demonstrations of every task there, in any order.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arc_solver.storage.text import count
from arc_solver.tasks.task import Pair, Task

HASHES = Path(__file__).with_name("evaluation_hashes.txt")


@dataclass(frozen=True)
class Sealed:
    """Tasks without the answers of evaluation tasks, and how many answers of how many tasks were removed."""

    tasks: tuple[Task, ...]
    num_answers: int
    num_tasks: int

    def line(self) -> str | None:
        """What was sealed, in one line; None if nothing was."""
        if not self.num_answers:
            return None
        answers, tasks = count(self.num_answers, "answer"), count(self.num_tasks, "task")
        return (
            f"left out of the training: {answers} in {tasks}, since the ARC evaluation sets ask for the same"
        )


def sealed(tasks: Iterable[Task], hidden: Iterable[Task] = ()) -> Sealed:
    """The tasks without any answer that a published evaluation set, or a task of `hidden`, asks for.

    A test pair of an evaluation task is recognized by its grids: as a test pair it loses its output, as a
    demonstration it is removed, and so is a task without any left. A task with the demonstrations of an
    evaluation task loses all its test outputs.
    """
    known = evaluation_hashes() | {demonstrations_hash(task.train) for task in hidden}
    kept, num_answers, num_tasks = [], 0, 0
    for task in tasks:
        found, num = _without(task, known)
        num_answers += num
        num_tasks += num > 0
        if found is not None:
            kept.append(found)
    return Sealed(tuple(kept), num_answers, num_tasks)


@functools.cache
def evaluation_hashes() -> frozenset[str]:
    """The hashes of the test pairs and demonstrations of the published evaluation sets."""
    return frozenset(HASHES.read_text().split())


def hashes_of(tasks: Iterable[Task]) -> set[str]:
    """The hashes of these tasks, as in `evaluation_hashes`."""
    return {
        text
        for task in tasks
        for text in (demonstrations_hash(task.train), *(pair_hash(pair) for pair in task.test))
    }


def pair_hash(pair: Pair) -> str:
    """A hash of both grids of a pair."""
    return _hash(b"pair", pair.content())


def demonstrations_hash(pairs: Sequence[Pair]) -> str:
    """A hash of pairs that does not depend on their order."""
    return _hash(b"demonstrations", *sorted(pair.content() for pair in pairs))


def _without(task: Task, known: frozenset[str]) -> tuple[Task | None, int]:
    """The task without sealed answers, None if no pair is left to learn from, and how many there were."""
    is_asked = demonstrations_hash(task.train) in known
    train = tuple(pair for pair in task.train if pair_hash(pair) not in known)
    hidden = [pair.output is not None and (is_asked or pair_hash(pair) in known) for pair in task.test]
    num = len(task.train) - len(train) + sum(hidden)
    if not num:
        return task, 0
    if not train:
        return None, num
    test = tuple(
        dataclasses.replace(pair, output=None) if hide else pair
        for pair, hide in zip(task.test, hidden, strict=True)
    )
    return dataclasses.replace(task, train=train, test=test), num


def _hash(kind: bytes, *contents: bytes) -> str:
    digest = hashlib.blake2b(kind, digest_size=8)
    for content in contents:
        digest.update(content)
    return digest.hexdigest()
