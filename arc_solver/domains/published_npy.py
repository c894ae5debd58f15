"""Data sets in the published layout of numpy arrays, read back into tasks and boards.

A folder holds `identifiers.json` and a folder per split ("train", "test") with `dataset.json` and, for every
set, `{set}__{inputs,labels,puzzle_identifiers,puzzle_indices,group_indices}.npy`. Groups hold the views of
one task, puzzles are single views, examples are pairs. Label 0 does not count. Shapes: N examples, L cells.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arc_solver.domains.npy import bounds, map_integers
from arc_solver.storage.regular_file import read_json
from arc_solver.storage.text import DataError, shown

PLACES = ("puzzle_identifiers", "puzzle_indices", "group_indices")
ARRAYS = ("inputs", "labels", *PLACES)
MAX_LENGTH = 2**14
# The published ARC-2 set has 1.3 million puzzles, 5 million examples and one set.
MAX_PUZZLES, MAX_EXAMPLES, MAX_SETS, MAX_JOINED = 2**24, 2**25, 64, 2**28
MAX_NAME = 100
NAMES_LIMITS = (2**27, 2**22)  # bytes and values of identifiers.json
META_LIMITS = (2**20, 2**16)  # of dataset.json

Integers = npt.NDArray[np.integer]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PublishedSplit:
    """One split: tokens (N, L) as in the files, `puzzle_identifiers` (P,), the starts of puzzles (P + 1,) and
    groups (G + 1,), the highest token."""

    inputs: Integers
    labels: Integers
    puzzle_identifiers: Places
    puzzle_indices: Places
    group_indices: Places
    vocabulary: int
    highest: int

    @property
    def side(self) -> int:
        """Cells of a row."""
        return math.isqrt(self.inputs.shape[1])


@dataclass(frozen=True, eq=False)
class Published:
    """A data set: `identifiers[i]` is the name of puzzle identifier i; the existing `splits` by name."""

    label: str
    identifiers: tuple[str, ...]
    splits: dict[str, PublishedSplit]


def read_published(folder: Path | str) -> Published:
    """Read and check a data set folder; DataError names the file that is missing or wrong."""
    folder = Path(folder)
    identifiers = read_json(folder / "identifiers.json", *NAMES_LIMITS)
    if not isinstance(identifiers, list) or not all(isinstance(name, str) for name in identifiers):
        raise DataError(f"{shown(folder / 'identifiers.json')}: expected a list of names")
    splits = {
        name: _read_split(folder / name, len(identifiers))
        for name in ("train", "test")
        if (folder / name).is_dir()
    }
    if not splits:
        raise DataError(f'{shown(folder)}: no folder "train" or "test" in it')
    return Published(shown(folder), tuple(identifiers), splits)


def _read_split(folder: Path, num_identifiers: int) -> PublishedSplit:
    own = folder / "dataset.json"
    path = own if own.exists() else folder.parent / "dataset.json"
    meta = read_json(path, *META_LIMITS)
    fields = meta if isinstance(meta, dict) else {}
    length, vocabulary, sets = (fields.get(key) for key in ("seq_len", "vocab_size", "sets"))
    if type(length) is not int or not 1 <= length <= MAX_LENGTH:
        raise DataError(f"{shown(path)}: seq_len {shown(length, 20)}, expected 1 to {MAX_LENGTH}")
    if type(vocabulary) is not int or not 2 <= vocabulary <= 256:
        raise DataError(f"{shown(path)}: vocab_size {shown(vocabulary, 20)}, expected 2 to 256")
    if not isinstance(sets, list) or not sets or not all(_is_set_name(name) for name in sets):
        raise DataError(f"{shown(path)}: sets {shown(sets, 40)}, expected a list of names")
    if len(sets) > MAX_SETS or len(set(sets)) < len(sets):
        raise DataError(f"{shown(path)}: {len(sets)} sets, expected at most {MAX_SETS} different ones")
    read = [_read_set(folder, name, length, vocabulary, num_identifiers) for name in sets]
    parts, highest = [arrays for arrays, _ in read], max(highest for _, highest in read)
    num_cells = sum(part["inputs"].size for part in parts)
    if len(parts) > 1 and num_cells > MAX_JOINED:
        raise DataError(
            f"{shown(path)}: sets of {num_cells:,} cells, expected at most {MAX_JOINED:,} in several"
        )
    return _joined(parts, vocabulary, highest)


def _is_set_name(name: object) -> bool:
    """Whether this is a safe part of a file name, which must not lead elsewhere."""
    return isinstance(name, str) and len(name) <= MAX_NAME and name.replace("-", "_").isidentifier()


def _read_set(
    folder: Path, name: str, length: int, vocabulary: int, num_identifiers: int
) -> tuple[dict[str, Integers], int]:
    """The arrays of a set and its highest token."""
    paths = {array: folder / f"{name}__{array}.npy" for array in ARRAYS}
    arrays = {array: map_integers(path) for array, path in paths.items()}
    num_examples = len(arrays["inputs"])
    for array, limit in (("inputs", MAX_EXAMPLES), *((array, MAX_PUZZLES) for array in PLACES)):
        if len(arrays[array]) > limit:
            raise DataError(f"{shown(paths[array])}: {len(arrays[array]):,} rows, expected at most {limit:,}")
    highest = 0
    for array in ("inputs", "labels"):
        if arrays[array].shape != (num_examples, length):
            raise DataError(
                f"{shown(paths[array])}: shape {arrays[array].shape}, expected {(num_examples, length)}"
            )
        highest = max(highest, _check_within(paths[array], vocabulary))
    identifiers = arrays["puzzle_identifiers"]
    if identifiers.ndim != 1:
        raise DataError(
            f"{shown(paths['puzzle_identifiers'])}: shape {identifiers.shape}, expected one dimension"
        )
    _check_within(paths["puzzle_identifiers"], num_identifiers)
    _check_starts(arrays["puzzle_indices"], len(identifiers), num_examples, paths["puzzle_indices"])
    _check_starts(arrays["group_indices"], None, len(identifiers), paths["group_indices"])
    return arrays, highest


def _check_within(path: Path, bound: int) -> int:
    """The highest number of the array, which must be below `bound`; 0 for an empty one."""
    found = bounds(path) or (0, 0)
    if not 0 <= found[0] <= found[1] < bound:
        raise DataError(f"{shown(path)}: values {found[0]} to {found[1]}, expected 0 to {bound - 1}")
    return found[1]


def _check_starts(starts: Integers, num: int | None, end: int, path: Path) -> None:
    """DataError unless `starts` rises from 0 to `end`, with `num` + 1 entries if `num` is known."""
    wanted = "expected " + (f"{num + 1} places" if num is not None else "places") + f" rising from 0 to {end}"
    if starts.ndim != 1 or not starts.size or (num is not None and starts.size != num + 1):
        raise DataError(f"{shown(path)}: shape {starts.shape}, {wanted}")
    if starts[0] != 0 or starts[-1] != end or (np.diff(starts.astype(np.int64)) < 0).any():
        raise DataError(f"{shown(path)}: {starts[0]} to {starts[-1]}, {wanted}")


def _joined(parts: list[dict[str, Integers]], vocabulary: int, highest: int) -> PublishedSplit:
    """The sets of a split joined, their starts shifted; a single one stays memory-mapped."""
    joined: dict[str, list[Integers]] = {array: [] for array in ARRAYS}
    shifts = {"puzzle_indices": 0, "group_indices": 0}
    for part in parts:
        for array in ("inputs", "labels", "puzzle_identifiers"):
            joined[array].append(part[array])
        for array in shifts:
            starts = part[array].astype(np.int64) + shifts[array]
            joined[array].append(starts[1:] if joined[array] else starts)
            shifts[array] = int(starts[-1])
    inputs, labels, identifiers, puzzles, groups = (
        joined[array][0] if len(parts) == 1 else np.concatenate(joined[array]) for array in ARRAYS
    )
    return PublishedSplit(
        inputs,
        labels,
        identifiers.astype(np.int64),
        puzzles.astype(np.int64),
        groups.astype(np.int64),
        vocabulary,
        highest,
    )
