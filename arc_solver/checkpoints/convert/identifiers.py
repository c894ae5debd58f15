"""The published list of puzzles: entry r names the task and view of embedding row r."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.storage.regular_file import read_json
from arc_solver.storage.text import DataError, count, shown
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.view_names import NamedView, read_view_names
from augment.view import View, ViewTable

# The published ARC-2 list has 1.3 million entries and 45 MB.
MAX_BYTES, MAX_ENTRIES = 128 << 20, 1 << 22


def read_identifiers(path: Path, num_rows: int) -> tuple[PuzzleMap, npt.NDArray[np.int64]]:
    """The puzzles of an identifiers.json, and the published row of each of our rows.

    Ours are grouped by task, the identity first; the published ones need not be. Tasks have no hash here:
    they are known by id.
    """
    tasks: dict[str, list[tuple[int, NamedView]]] = {}
    for row, named in enumerate(_read(path, num_rows), start=1):
        tasks.setdefault(named.task, []).append((row, named))
    order, views, counts = [0], [], [0]
    for task_id, rows in tasks.items():
        if not any(named.is_identity for _, named in rows):
            raise ConvertError(
                f"{shown(path)}: task {ascii(task_id)[:80]} has no entry without a transformation"
            )
        rows.sort(key=lambda item: not item[1].is_identity)
        order += [row for row, _ in rows]
        views += [View(named.dihedral, tuple(map(int, named.colors))) for _, named in rows]
        counts.append(len(rows))
    starts = np.cumsum(counts, dtype=np.int64)
    ids = tuple(tasks)
    puzzles = PuzzleMap("rows", ids, ("",) * len(ids), starts, ViewTable.from_views(views))
    return puzzles, np.array(order, np.int64)


def _read(path: Path, num_rows: int) -> list[NamedView]:
    """The entries after the blank one."""
    try:
        listed = read_json(path, MAX_BYTES, MAX_ENTRIES)
        if not isinstance(listed, list) or not listed:
            raise ConvertError(f'{shown(path)}: expected a list that begins with "<blank>"')
        if len(listed) != num_rows:
            found = count(len(listed), "entry", "entries")
            raise ConvertError(
                f"{shown(path)}: {found} for {count(num_rows, 'row')}; is it this checkpoint's list?"
            )
        for row, entry in enumerate(listed[1:], start=1):
            if not isinstance(entry, str):
                raise ConvertError(f"{shown(path)}: entry {row} is {type(entry).__name__}, expected a text")
        return read_view_names(listed[1:], shown(path), first=1)
    except DataError as error:
        raise ConvertError(str(error)) from error
