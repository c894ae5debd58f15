"""The speed of painting views and restoring answers, relative to a naive twin and to copying the bytes."""

import hashlib
import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
import orjson

from augment.batch import paint_pairs, restore_answers
from augment.canvas import crop, place
from augment.grid import MAX_SIDE, Grid, check_grid
from augment.packed import PackedGrids
from augment.sampler import DRAW, Catalog, build_catalog, draw_examples
from augment.sudoku import SudokuView, paint_boards
from augment.threads import at_most, spread
from augment.view import ViewTable, distinct_views

TaskGrids = Sequence[Grid]
"""A task's grids: input, output, input, output, ..."""

PAPER_BATCH = 768
BATCH = 8 * PAPER_BATCH  # large enough that waking a thread does not dominate
ROUNDS = 4  # batches of one measurement
NUM_TASKS = 960  # ARC-1 training and evaluation and ConceptARC
NUM_VIEWS = 1000
# Sides of ARC-1 grids at even steps of their distribution; there a grid has 150 cells on average, here 143.
_SIDES = (2, 3, 3, 3, 4, 5, 6, 7, 7, 9, 9, 10, 10, 10, 10, 11, 12, 13, 14, 15, 16, 18, 20, 23, 30)


class Measurement(TypedDict):
    """A median over runs and the distance between their quartiles, both in `unit`."""

    name: str
    value: float
    unit: str
    runs: int
    spread: float


class DataSet(NamedTuple):
    """Tasks under their views, ready to be painted."""

    grids: PackedGrids
    views: ViewTable
    catalog: Catalog


def random_tasks(seed: int, num: int = NUM_TASKS) -> list[list[Grid]]:
    """Tasks of two to five pairs with the sizes of ARC-1."""
    rng = np.random.default_rng(seed)
    tasks: list[list[Grid]] = []
    for _ in range(num):
        height, width = rng.choice(_SIDES, size=2)
        shapes = [(height, height if rng.random() < 0.6 else width)] * 2
        if rng.random() < 0.4:
            shapes[1] = tuple(rng.choice(_SIDES, size=2))
        palette = np.append(0, rng.permutation(9)[: rng.integers(1, 6)] + 1).astype(np.uint8)
        tasks.append([rng.choice(palette, size=shape) for _ in range(rng.integers(2, 6)) for shape in shapes])
    return tasks


def prepare(tasks: Sequence[TaskGrids], num_views: int = NUM_VIEWS) -> DataSet:
    """The data of a training run before its first batch."""
    tables = [distinct_views(grids, num_views, 0) for grids in tasks]
    views = ViewTable.concatenate(tables)
    grids = PackedGrids.from_grids([grid for task in tasks for grid in task])
    starts = np.cumsum([0, *map(len, tasks)])
    pairs = [[(n, n + 1) for n in range(a, b, 2)] for a, b in itertools.pairwise(starts)]
    catalog = build_catalog(grids, pairs, views, [len(table) for table in tables], range(len(tasks)))
    return DataSet(grids, views, catalog)


def bench_painting(tasks: Sequence[TaskGrids] | None = None, runs: int = 7) -> list[Measurement]:
    """Pairs painted per second on canvases of 30 x 30, with all views, in batches of BATCH."""
    data = prepare(random_tasks(0) if tasks is None else tasks)
    batches = [np.empty(BATCH, DRAW) for _ in range(ROUNDS)]
    for number, draws in enumerate(batches):
        draw_examples(data.catalog, 0, number * BATCH, True, MAX_SIDE, draws)
    inputs, targets = np.zeros((2, BATCH, MAX_SIDE * MAX_SIDE), np.uint8)
    sources = inputs.copy(), targets.copy()

    def paint() -> None:
        for draws in batches:
            paint_pairs(data.grids, data.catalog, data.views, draws, inputs, targets)

    def paint_naively() -> None:
        for draw in batches[0][:100]:
            view = data.views[draw["view"]]
            for canvas, numbers in ((inputs, data.catalog.inputs), (targets, data.catalog.outputs)):
                grid = view.apply(data.grids[numbers[draw["pair"]]])
                canvas[0] = place(grid, MAX_SIDE, draw["row"], draw["column"]).ravel()

    def copy_rows(part: slice) -> None:
        np.copyto(inputs[part], sources[0][part])
        np.copyto(targets[part], sources[1][part])

    def copy() -> None:
        for _ in batches:
            spread(copy_rows, BATCH)

    num = BATCH * len(batches)
    painted, alone, naive, copied, copied_alone = _rates(
        [(paint, num), (_alone(paint), num), (paint_naively, 100), (copy, num), (_alone(copy), num)], runs
    )
    return [
        _summary("augment.paint_pairs_per_s", "pairs/s", painted),
        _summary("augment.paint_pairs_per_s_1_thread", "pairs/s", alone),
        _summary("augment.paint_naive_per_s", "pairs/s", naive),
        _summary("augment.paint_vs_naive", "x", _quotients(painted, naive)),
        _summary("augment.paint_vs_memcpy", "x", _quotients(painted, copied)),
        _summary("augment.paint_vs_memcpy_1_thread", "x", _quotients(alone, copied_alone)),
    ]


def bench_restoring(tasks: Sequence[TaskGrids] | None = None, runs: int = 7) -> list[Measurement]:
    """Answers per second cropped, taken out of their view and hashed, from canvases of 30 x 30."""
    data = prepare(random_tasks(0) if tasks is None else tasks)
    draws = np.empty(ROUNDS * BATCH, DRAW)
    draw_examples(data.catalog, 0, 0, False, MAX_SIDE, draws)
    inputs, answers = np.empty((2, len(draws), MAX_SIDE * MAX_SIDE), np.uint8)
    paint_pairs(data.grids, data.catalog, data.views, draws, inputs, answers)
    views = [data.views.take(draws["view"][start : start + BATCH]) for start in range(0, len(draws), BATCH)]

    def restore() -> None:
        for number, table in enumerate(views):
            restore_answers(answers[number * BATCH : (number + 1) * BATCH], table)

    def restore_naively() -> None:
        for number in range(100):
            grid = crop(answers[number].reshape(MAX_SIDE, MAX_SIDE))
            if grid is not None:
                turned = views[0][number].inverse().apply(grid)
                hashlib.blake2b(turned.tobytes(), digest_size=16).digest()

    copies = np.empty_like(answers)

    def copy() -> None:
        np.copyto(copies, answers)

    num = len(draws)
    spread_out, alone, naive, copied = _rates(
        [(restore, num), (_alone(restore), num), (restore_naively, 100), (copy, num)], runs
    )
    return [
        _summary("vote.answers_per_s", "answers/s", spread_out),
        _summary("vote.answers_per_s_1_thread", "answers/s", alone),
        _summary("vote.answers_vs_naive", "x", _quotients(spread_out, naive)),
        _summary("vote.answers_vs_memcpy_1_thread", "x", _quotients(alone, copied)),
    ]


def bench_sudoku(runs: int = 7) -> list[Measurement]:
    """Sudoku 9x9 boards augmented per second, question and answer."""
    rng = np.random.default_rng(0)
    lines = np.arange(9)
    solved = ((3 * lines[:, None] + lines[:, None] // 3 + lines) % 9 + 1).astype(np.uint8)
    answers = np.stack([SudokuView.draw(rng, 9).apply(solved).ravel() for _ in range(1000)])
    questions = np.where(rng.random(answers.shape) < 0.7, 0, answers).astype(np.uint8)
    inputs, targets = np.empty((2, BATCH, 81), np.uint8)

    def paint() -> None:
        for number in range(ROUNDS):
            paint_boards(questions, answers, 0, number * BATCH, inputs, targets)

    def paint_naively() -> None:
        for number in range(100):
            view = SudokuView.draw(rng, 9)
            inputs[number] = view.apply(questions[number].reshape(9, 9)).ravel() + 1
            targets[number] = view.apply(answers[number].reshape(9, 9)).ravel() + 1

    sources = inputs.copy(), targets.copy()

    def copy() -> None:
        for _ in range(ROUNDS):
            np.copyto(inputs, sources[0])
            np.copyto(targets, sources[1])

    num = ROUNDS * BATCH
    spread_out, alone, naive, copied = _rates(
        [(paint, num), (_alone(paint), num), (paint_naively, 100), (copy, num)], runs
    )
    return [
        _summary("sudoku.augment_boards_per_s", "boards/s", spread_out),
        _summary("sudoku.augment_boards_per_s_1_thread", "boards/s", alone),
        _summary("sudoku.augment_vs_naive", "x", _quotients(spread_out, naive)),
        _summary("sudoku.augment_vs_memcpy_1_thread", "x", _quotients(alone, copied)),
    ]


def bench_start(
    tasks: Sequence[TaskGrids] | None = None, runs: int = 3, num_views: int = NUM_VIEWS
) -> list[Measurement]:
    """Seconds to the first batch of a process that reads tasks, with warm caches, and its memory."""
    listed = [list(task) for task in (random_tasks(0) if tasks is None else tasks)]
    text = orjson.dumps(listed, option=orjson.OPT_SERIALIZE_NUMPY)
    command = [sys.executable, "-m", "arc_solver.benchmarks.augment", str(num_views)]
    seconds, megabytes = [], []
    for run in range(runs + 1):
        start = time.perf_counter()
        done = subprocess.run(command, input=text, capture_output=True, check=True)  # noqa: S603 - ours
        if run > 0:  # the first fills the kernel cache
            seconds.append(time.perf_counter() - start)
            megabytes.append(float(done.stdout))
    return [_summary("augment.first_batch_s", "s", seconds), _summary("augment.process_mb", "MB", megabytes)]


def main(num_views: str) -> None:
    """Read tasks, paint their first batch and print the peak memory of this process, in MB."""
    tasks = [[check_grid(grid) for grid in task] for task in orjson.loads(sys.stdin.buffer.read())]
    data = prepare(tasks, int(num_views))
    draws, canvases = np.empty(PAPER_BATCH, DRAW), np.empty((2, PAPER_BATCH, MAX_SIDE * MAX_SIDE), np.uint8)
    draw_examples(data.catalog, 0, 0, True, MAX_SIDE, draws)
    paint_pairs(data.grids, data.catalog, data.views, draws, *canvases)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _rates(works: Sequence[tuple[Callable[[], None], int]], runs: int) -> list[list[float]]:
    """Items per second in each run of each work, a function and its number of items; the first is dropped.

    The works take turns, 50 ms or more each, so that disturbances affect all of them.
    """
    rates: list[list[float]] = [[] for _ in works]
    for _ in range(runs + 1):
        for kept, (work, num) in zip(rates, works, strict=True):
            rounds, start = 0, time.perf_counter()
            while (seconds := time.perf_counter() - start) < 0.05:
                work()
                rounds += 1
            kept.append(rounds * num / seconds)
    return [kept[1:] for kept in rates]


def _alone(work: Callable[[], None]) -> Callable[[], None]:
    """The work on one thread."""

    def limited() -> None:
        with at_most(1):
            work()

    return limited


def _quotients(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Run by run."""
    return [value / other for value, other in zip(values, others, strict=True)]


def _summary(name: str, unit: str, values: Sequence[float]) -> Measurement:
    low, middle, high = np.percentile(values, [25, 50, 75]).tolist()
    return Measurement(name=name, value=middle, unit=unit, runs=len(values), spread=high - low)


if __name__ == "__main__":
    main(*sys.argv[1:])
