"""The published list of puzzles: entry r names the task and view of row r."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.tasks.puzzles import PuzzleMap
from augment.view import View, ViewTable

SEPARATOR = "|||"
TRANSFORMED = re.compile(r"(.+)\|\|\|t([0-7])\|\|\|([0-9]{10})", re.DOTALL)
MAX_BYTES = 256 << 20


def read_identifiers(path: Path, num_rows: int) -> tuple[PuzzleMap, npt.NDArray[np.int64]]:
    """The puzzles of an identifiers.json, a task's views together, identity first, and every old row.

    The published rows need not be in this order, so the table must be taken in the order returned. Tasks have
    no hash: they are known by id.
    """
    listed = _read(path)
    if len(listed) != num_rows:
        raise ConvertError(
            f"{path}: {len(listed)} entries for {num_rows} rows; is it the list of this checkpoint?"
        )
    tasks: dict[str, list[tuple[int, View]]] = {}
    for row, entry in enumerate(listed[1:], start=1):
        if not isinstance(entry, str):
            raise ConvertError(f"{path}: entry {row} is {type(entry).__name__}, expected a text")
        task_id, view = _parse(entry, f"{path}: entry {row}")
        tasks.setdefault(task_id, []).append((row, view))
    identity = View()
    order, views, counts = [0], [], [0]
    for task_id, rows in tasks.items():
        if not any(view == identity for _, view in rows):
            raise ConvertError(f"{path}: task {ascii(task_id)[:80]} has no entry without a transformation")
        rows.sort(key=lambda item: item[1] != identity)
        order += [row for row, _ in rows]
        views += [view for _, view in rows]
        counts.append(len(rows))
    starts = np.cumsum(counts, dtype=np.int64)
    ids = tuple(tasks)
    puzzles = PuzzleMap("rows", ids, ("",) * len(ids), starts, ViewTable.from_views(views))
    return puzzles, np.array(order, np.int64)


def _read(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConvertError(f"{path}: over {MAX_BYTES >> 20} MB, which no list of puzzles needs")
        listed = json.loads(path.read_bytes())
    except OSError as error:
        raise ConvertError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConvertError(f"{path}: not JSON ({type(error).__name__})") from error
    if not isinstance(listed, list) or not listed:
        raise ConvertError(f'{path}: expected a list that begins with "<blank>"')
    return listed


def _parse(entry: str, place: str) -> tuple[str, View]:
    """The task and the view of an entry; one without a suffix is the task as it is."""
    match = TRANSFORMED.fullmatch(entry)
    if match is None:
        if SEPARATOR in entry:
            raise ConvertError(f"{place}: {ascii(entry)[:80]}, expected id|||t<0..7>|||<ten digits>")
        return entry, View()
    colors = tuple(map(int, match[3]))
    if len(set(colors)) != len(colors):
        raise ConvertError(f"{place}: colors {match[3]}, expected each digit once")
    return match[1], View(int(match[2]), colors)
