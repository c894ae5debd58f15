"""The pair, view and offset of training example i, as a pure function of a seed and i."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from augment.counter_rng import bounded, bounded_low, hash64, item_of_epoch, mix64
from augment.dihedral import SWAPS_SIDES
from augment.kernel import inner, kernel
from augment.packed import PackedGrids
from augment.threads import spread
from augment.view import ViewTable

DRAW = np.dtype(
    [("task", np.int32), ("pair", np.int32), ("view", np.int32), ("row", np.uint8), ("column", np.uint8)],
    align=True,
)
"""One example: the data set's task, the catalog's pair, the view table's row, the offset on the canvas."""

_EXAMPLE, _ANCHOR = 1, 2  # purposes of hashes; 0 is the order of an epoch


class Catalog(NamedTuple):
    """T tasks that share a canvas side, their P pairs, and their views among the V of all tasks."""

    tasks: npt.NDArray[np.int64]  # (T,) number in the data set
    pair_starts: npt.NDArray[np.int64]  # (T,)
    pair_counts: npt.NDArray[np.int64]  # (T,)
    view_starts: npt.NDArray[np.int64]  # (T,) rows of the view table
    view_counts: npt.NDArray[np.int64]  # (T,)
    inputs: npt.NDArray[np.int64]  # (P,) grid numbers
    outputs: npt.NDArray[np.int64]  # (P,)
    heights: npt.NDArray[np.int64]  # (P,) the larger of input and output
    widths: npt.NDArray[np.int64]  # (P,)
    dihedrals: npt.NDArray[np.uint8]  # (V,)

    @property
    def max_side(self) -> int:
        """The longest side of any grid in the pairs, the minimal canvas side."""
        return int(max(self.heights.max(), self.widths.max()))


def build_catalog(
    grids: PackedGrids,
    pairs: Sequence[Sequence[tuple[int, int]]],
    views: ViewTable,
    view_counts: Sequence[int],
    tasks: Sequence[int],
) -> Catalog:
    """The catalog of `tasks`, a choice from a data set of N tasks.

    pairs[n] lists task n's pairs as (input, output) grid numbers. The view table holds the views of task
    after task, view_counts[n] for task n. ValueError for a chosen task without a pair or a view.
    """
    if len(tasks) == 0 or len(view_counts) != len(pairs) or sum(view_counts) != len(views):
        numbers = (
            f"{len(tasks)} of {len(pairs)} tasks, {sum(view_counts)} views counted, {len(views)} in the table"
        )
        raise ValueError(f"catalog of {numbers}; expected a task, and counts that match")
    chosen = np.asarray(tasks, dtype=np.int64)
    num_pairs = np.array([len(pairs[task]) for task in tasks], dtype=np.int64)
    num_views = np.asarray(view_counts, dtype=np.int64)
    for task, pair_count in zip(tasks, num_pairs, strict=True):
        if pair_count == 0 or num_views[task] == 0:
            raise ValueError(
                f"task {task}: {pair_count} pairs and {num_views[task]} views, expected some of both"
            )
    flat = np.array([pair for task in tasks for pair in pairs[task]], dtype=np.int64)
    inputs, outputs = flat[:, 0].copy(), flat[:, 1].copy()
    return Catalog(
        tasks=chosen,
        pair_starts=np.cumsum(num_pairs) - num_pairs,
        pair_counts=num_pairs,
        view_starts=(np.cumsum(num_views) - num_views)[chosen],
        view_counts=num_views[chosen],
        inputs=inputs,
        outputs=outputs,
        heights=np.maximum(grids.heights[inputs], grids.heights[outputs]),
        widths=np.maximum(grids.widths[inputs], grids.widths[outputs]),
        dihedrals=views.dihedrals,
    )


def draw_examples(
    catalog: Catalog,
    seed: int,
    counter: int,
    translate: bool,
    side: int,
    draws: npt.NDArray[np.void],
    *,
    all_pairs: bool = False,
) -> None:
    """Fill `draws` (num,) of dtype DRAW with examples counter, counter + 1, ... on canvases of `side`.

    Each task comes once in every len(catalog.tasks) examples, in a new order each time. Pair and view are
    uniform, and so is the offset among those where both grids fit, except that one pair of each (task, view)
    stays at (0, 0), and all pairs do unless `translate`. With `all_pairs` all pairs of a task follow each
    other under one view, so that an epoch has as many examples as pairs. The result does not depend on how a
    range of counters is split into calls.
    """
    if draws.dtype != DRAW:
        raise ValueError(f"draws of dtype {draws.dtype}, expected sampler.DRAW")
    if side < catalog.max_side:
        raise ValueError(
            f"canvas side {side}, expected at least {catalog.max_side}, the longest side of a grid"
        )
    draw = _draw_all_pairs if all_pairs else _draw_examples

    def fill(part: slice) -> None:
        draw(catalog, np.uint64(seed), counter + part.start, translate, side, draws[part])

    spread(fill, len(draws))


@kernel
def _draw_examples(
    catalog: Catalog, seed: np.uint64, counter: int, translate: bool, side: int, draws: npt.NDArray[np.void]
) -> None:
    num_tasks = len(catalog.tasks)
    for number in range(len(draws)):
        example = counter + number
        task = item_of_epoch(example, num_tasks, seed)
        luck = hash64(seed, example, _EXAMPLE)
        choice = bounded(luck, catalog.pair_counts[task])
        view = catalog.view_starts[task] + bounded_low(luck, catalog.view_counts[task])
        _write(catalog, seed, task, choice, view, mix64(luck), translate, side, draws[number])


@kernel
def _draw_all_pairs(
    catalog: Catalog, seed: np.uint64, counter: int, translate: bool, side: int, draws: npt.NDArray[np.void]
) -> None:
    num_tasks, num_pairs = len(catalog.tasks), len(catalog.inputs)
    epoch, before = counter // num_pairs, counter % num_pairs
    number = 0
    while number < len(draws):
        for visit in range(epoch * num_tasks, (epoch + 1) * num_tasks):
            task = item_of_epoch(visit, num_tasks, seed)
            first = min(before, catalog.pair_counts[task])  # pairs that came before the first draw
            before -= first
            last = min(catalog.pair_counts[task], first + len(draws) - number)
            luck = hash64(seed, visit, _EXAMPLE)
            view = catalog.view_starts[task] + bounded_low(luck, catalog.view_counts[task])
            for choice in range(first, last):
                place = hash64(luck, choice, _EXAMPLE)
                _write(catalog, seed, task, choice, view, place, translate, side, draws[number])
                number += 1
        epoch += 1


@inner
def _write(
    catalog: Catalog,
    seed: np.uint64,
    task: int | np.int64,
    choice: int | np.int64,
    view: int,
    luck: np.uint64,
    translate: bool,
    side: int,
    draw: np.void,
) -> None:
    """Write pair number `choice` of a task under a view, at an offset drawn from the bits of `luck`."""
    pair = catalog.pair_starts[task] + choice
    anchored = choice == bounded(hash64(seed, view, _ANCHOR), catalog.pair_counts[task])
    row = column = np.int64(0)
    if translate and not anchored:
        height, width = catalog.heights[pair], catalog.widths[pair]
        if SWAPS_SIDES[catalog.dihedrals[view]]:
            height, width = width, height
        row = bounded(luck, side - height + 1)
        column = bounded_low(luck, side - width + 1)
    draw["task"] = catalog.tasks[task]
    draw["pair"] = pair
    draw["view"] = view
    draw["row"] = row
    draw["column"] = column
