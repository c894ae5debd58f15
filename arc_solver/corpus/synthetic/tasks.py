"""Tasks drawn from the library, each a pure function of seed, number and largest side."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from arc_solver.corpus.synthetic.chain import Chain, Course, course_of, is_solvable
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.library import LIBRARY
from arc_solver.corpus.synthetic.rows import Rows
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Library, Room
from arc_solver.storage.parent_process import die_with_pool
from arc_solver.storage.text import DataError
from arc_solver.tasks.task import Pair, Task
from augment.grid import MAX_SIDE

PREFIX = "synthetic"
DEFAULT_MAX_SIDE = 10
MIN_MAX_SIDE = 6
MAX_COUNT = 10_000_000
MAX_PAIRS = 1000
# Longer chains fail more often: in the end a quarter of the tasks are chains.
_LENGTHS = (1,) * 5 + (2,) * 4 + (3,)
_MAX_ATTEMPTS = 2000
# Starting a process for fewer tasks does not pay.
_MIN_PER_WORKER = 1000
_PIECE = 200
_PLAIN = re.compile("[0-9]{1,18}")
_TRIES_PER_PAIR = 4


@dataclass(frozen=True)
class SyntheticName:
    """The parts of `synthetic:COUNT[:SEED[:MAX_SIDE[:PAIRS]]]`; `pairs`: demonstrations at least."""

    count: int
    seed: int = 0
    max_side: int = DEFAULT_MAX_SIDE
    pairs: int = 0

    @staticmethod
    def parse(text: str) -> SyntheticName:
        """The name's parts; DataError for anything else."""
        parts = text.split(":")[1:]
        if not 1 <= len(parts) <= 4 or not all(map(_PLAIN.fullmatch, parts)):
            raise DataError(f"{text}: expected {PREFIX}:COUNT[:SEED[:MAX_SIDE[:PAIRS]]] in plain numbers")
        name = SyntheticName(*map(int, parts))
        if not 1 <= name.count <= MAX_COUNT:
            raise DataError(f"{text}: {name.count} tasks, expected 1 to {MAX_COUNT}")
        if not MIN_MAX_SIDE <= name.max_side <= MAX_SIDE:
            raise DataError(f"{text}: largest side {name.max_side}, expected {MIN_MAX_SIDE} to {MAX_SIDE}")
        if name.pairs > MAX_PAIRS:
            raise DataError(f"{text}: {name.pairs} demonstrations of a task, expected at most {MAX_PAIRS}")
        return name


def synthetic_tasks(name: SyntheticName, workers: int = 1) -> Iterator[Task]:
    """The tasks of a name, in order; a larger count continues a smaller one.

    They are drawn by up to `workers` processes if there are many. These are spawned, so that the main module
    of a program that asks for more than one must be importable without side effects.
    """
    workers = min(workers, name.count // _MIN_PER_WORKER)
    if workers <= 1:
        yield from _piece(name, 0, name.count)
        return
    starts = range(0, name.count, _PIECE)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=die_with_pool) as pool:
        pieces = pool.map(_piece, itertools.repeat(name), starts, (start + _PIECE for start in starts))
        yield from itertools.chain.from_iterable(pieces)


def _piece(name: SyntheticName, start: int, end: int) -> list[Task]:
    numbers = range(start, min(end, name.count))
    return [synthetic_task(name.seed, number, name.max_side, pairs=name.pairs) for number in numbers]


def synthetic_task(
    seed: int, number: int, max_side: int = DEFAULT_MAX_SIDE, library: Library = LIBRARY, *, pairs: int = 0
) -> Task:
    """A task `syn-<rules>-<seed>-<number>` with two to five demonstrations and one or two tests.

    With `pairs` more demonstrations follow, up to that number, or fewer if the rules leave few inputs.
    """
    draws = Draws(f"{seed}:{number}:{max_side}")
    for _ in range(_MAX_ATTEMPTS):
        chain = _drawn_chain(draws, library)
        courses = _drawn_courses(draws, chain, max_side)
        if courses is None:
            continue
        num_tests = 1 if draws.chance(0.7) else 2
        shown, asked = courses[num_tests:], courses[:num_tests]
        if is_solvable(library, chain, shown, asked):
            names = "+".join(rule.name for rule, _ in chain)
            shown += _further_courses(draws, chain, max_side, courses, pairs - len(shown))
            return Task(f"syn-{names}-{seed}-{number}", _pairs(shown), _pairs(asked))
    raise DataError(f"{PREFIX}: task {number} of seed {seed} came to nothing in {_MAX_ATTEMPTS} attempts")


def _drawn_chain(draws: Draws, library: Library) -> Chain:
    rules = [draws.pick(library.rules) for _ in range(draws.pick(_LENGTHS))]
    return tuple((rule, rule.random_setting(draws)) for rule in rules)


def _drawn_courses(draws: Draws, chain: Chain, max_side: int) -> list[Course] | None:
    """Four to six different inputs through the chain; None if too many fail."""
    first, setting = chain[0]
    largest, free = _largest(chain, max_side), _free_colors(chain)
    if largest < first.least:
        return None
    varied, recolored = draws.chance(0.5), draws.chance(0.4)
    room = _room(draws, first.least, largest, free)
    courses: list[Course] = []
    wanted = draws.span(4, 6)
    for _ in range(_TRIES_PER_PAIR * wanted):
        if varied:
            room = _room(draws, first.least, largest, free)._replace(colors=room.colors)
        if recolored:
            room = room._replace(colors=_colors(draws, free))
        course = course_of(chain, first.scene(draws, room, setting))
        if course is None or not _fits(course, max_side) or any(course[0] == other[0] for other in courses):
            if not courses and draws.chance(0.5):
                return None
            continue
        courses.append(course)
        if len(courses) == wanted:
            return courses if _is_lively(courses) else None
    return None


def _further_courses(
    draws: Draws, chain: Chain, max_side: int, known: Sequence[Course], num: int
) -> list[Course]:
    """Up to `num` courses with inputs that are not known, of any size and colors."""
    first, setting = chain[0]
    largest, free = _largest(chain, max_side), _free_colors(chain)
    inputs = {course[0] for course in known}
    found: list[Course] = []
    for _ in range(_TRIES_PER_PAIR * max(num, 0)):
        course = course_of(chain, first.scene(draws, _room(draws, first.least, largest, free), setting))
        if course is not None and _fits(course, max_side) and course[0] not in inputs:
            inputs.add(course[0])
            found.append(course)
        if len(found) == num:
            break
    return found


def _largest(chain: Chain, max_side: int) -> int:
    """The largest side of an input whose output is not too large."""
    return max_side // math.prod(rule.grow(setting[0]) for rule, setting in chain)


def _free_colors(chain: Chain) -> list[int]:
    """The colors that no setting names; all if it names all."""
    taken = {color for _, setting in chain for color in setting[1:]}
    return [color for color in ALL_COLORS if color not in taken] or [*ALL_COLORS]


def _room(draws: Draws, low: int, high: int, free: Sequence[int]) -> Room:
    height = draws.span(low, high)
    width = height if draws.chance(0.4) else draws.span(low, high)
    return Room(height, width, _colors(draws, free))


def _colors(draws: Draws, free: Sequence[int]) -> tuple[int, ...]:
    return tuple(draws.some(free, min(len(free), draws.pick((1, 1, 2, 2, 3, 4)))))


def _fits(course: Course, max_side: int) -> bool:
    return all(len(rows) <= max_side and len(rows[0]) <= max_side for rows in course)


def _is_lively(courses: Sequence[Course]) -> bool:
    """Whether every input changes, and the outputs are not all equal."""
    outputs = {course[-1] for course in courses}
    return len(outputs) > 1 and all(course[0] != course[-1] for course in courses)


def _pairs(courses: Sequence[Course]) -> tuple[Pair, ...]:
    return tuple(Pair(_grid(course[0]), _grid(course[-1])) for course in courses)


def _grid(rows: Rows) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A read-only grid over the rows' bytes."""
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), len(rows[0]))
