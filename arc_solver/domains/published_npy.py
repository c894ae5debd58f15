"""Data sets in the published layout of numpy arrays, read back into tasks and boards.

A folder holds `identifiers.json` and a folder per split ("train", "test") with `dataset.json` and, for every
set, `{set}__{inputs,labels,puzzle_identifiers,puzzle_indices,group_indices}.npy`. Groups hold the views of
one task, puzzles are single views, examples are pairs. Label 0 does not count. Shapes: N examples, L cells.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arc_solver.storage.text import DataError, shown

ARRAYS = ("inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices")
MAX_ARRAY_BYTES = 2**34
MAX_JSON_BYTES = 2**28
MAX_LENGTH = 2**14

Tokens = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PublishedSplit:
    """One split: tokens (N, L), `puzzle_identifiers` (P,); where puzzles (P + 1,), groups (G + 1,) start."""

    inputs: Tokens
    labels: Tokens
    puzzle_identifiers: Places
    puzzle_indices: Places
    group_indices: Places
    vocabulary: int

    @property
    def side(self) -> int:
        """Cells of a row."""
        return math.isqrt(self.inputs.shape[1])


@dataclass(frozen=True, eq=False)
class Published:
    """A data set: `identifiers[i]` names puzzle identifier i; `splits` by name, those that exist."""

    label: str
    identifiers: tuple[str, ...]
    splits: dict[str, PublishedSplit]


def read_published(folder: Path | str) -> Published:
    """Read and check a data set folder; DataError in one line names the file that is missing or wrong."""
    folder = Path(folder)
    identifiers = _json(folder / "identifiers.json")
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
    path = folder / "dataset.json"
    meta = _json(path if path.exists() else folder.parent / "dataset.json")
    fields = meta if isinstance(meta, dict) else {}
    length, vocabulary, sets = (fields.get(key) for key in ("seq_len", "vocab_size", "sets"))
    if type(length) is not int or not 1 <= length <= MAX_LENGTH:
        raise DataError(f"{shown(path)}: seq_len {shown(length, 20)}, expected 1 to {MAX_LENGTH}")
    if type(vocabulary) is not int or not 2 <= vocabulary <= 256:
        raise DataError(f"{shown(path)}: vocab_size {shown(vocabulary, 20)}, expected 2 to 256")
    if not isinstance(sets, list) or not sets or not all(_is_set_name(name) for name in sets):
        raise DataError(f"{shown(path)}: sets {shown(sets, 40)}, expected a list of names")
    parts = [_read_set(folder, name, length, vocabulary, num_identifiers) for name in sets]
    return _joined(parts, vocabulary)


def _is_set_name(name: object) -> bool:
    """A file name is built from it, so that it must not lead elsewhere."""
    return isinstance(name, str) and name.replace("-", "_").isidentifier()


def _read_set(
    folder: Path, name: str, length: int, vocabulary: int, num_identifiers: int
) -> dict[str, npt.NDArray[np.int64]]:
    paths = {array: folder / f"{name}__{array}.npy" for array in ARRAYS}
    arrays = {array: _array(path) for array, path in paths.items()}
    num_examples = len(arrays["inputs"])
    for array in ("inputs", "labels"):
        if arrays[array].shape != (num_examples, length):
            raise DataError(
                f"{shown(paths[array])}: shape {arrays[array].shape}, expected {(num_examples, length)}"
            )
        arrays[array] = _within(arrays[array], vocabulary, paths[array]).astype(np.uint8)
    identifiers = arrays["puzzle_identifiers"]
    if identifiers.ndim != 1:
        raise DataError(
            f"{shown(paths['puzzle_identifiers'])}: shape {identifiers.shape}, expected one dimension"
        )
    _within(identifiers, num_identifiers, paths["puzzle_identifiers"])
    _check_starts(arrays["puzzle_indices"], len(identifiers), num_examples, paths["puzzle_indices"])
    _check_starts(arrays["group_indices"], None, len(identifiers), paths["group_indices"])
    return arrays


def _array(path: Path) -> npt.NDArray[np.int64]:
    """An array of integers that the file holds as such; nothing in it is ever executed."""
    try:
        if path.stat().st_size > MAX_ARRAY_BYTES:
            raise DataError(f"{shown(path)}: larger than {MAX_ARRAY_BYTES >> 30} GB")
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(f"{shown(path)}: cannot be read: {error.strerror or shown(error)}") from error
    except (ValueError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown(path)}: not an npy array: {shown(error)}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu":
        raise DataError(f"{shown(path)}: {shown(getattr(array, 'dtype', 'an archive'))}, expected integers")
    return array


def _within(array: npt.NDArray[np.int64], bound: int, path: Path) -> npt.NDArray[np.int64]:
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < bound:
        raise DataError(f"{shown(path)}: values {array.min()} to {array.max()}, expected 0 to {bound - 1}")
    return array


def _check_starts(starts: npt.NDArray[np.int64], num: int | None, end: int, path: Path) -> None:
    """`starts` must rise from 0 to `end`, with `num` + 1 entries where that is known."""
    wanted = "expected " + (f"{num + 1} places" if num is not None else "places") + f" rising from 0 to {end}"
    if starts.ndim != 1 or not starts.size or (num is not None and starts.size != num + 1):
        raise DataError(f"{shown(path)}: shape {starts.shape}, {wanted}")
    if starts[0] != 0 or starts[-1] != end or (np.diff(starts.astype(np.int64)) < 0).any():
        raise DataError(f"{shown(path)}: {starts[0]} to {starts[-1]}, {wanted}")


def _joined(parts: list[dict[str, npt.NDArray[np.int64]]], vocabulary: int) -> PublishedSplit:
    """The sets of a split one after the other, their places shifted."""
    joined: dict[str, list[npt.NDArray[np.int64]]] = {array: [] for array in ARRAYS}
    shifts = {"puzzle_indices": 0, "group_indices": 0}
    for part in parts:
        for array in ("inputs", "labels", "puzzle_identifiers"):
            joined[array].append(part[array])
        for array in shifts:
            starts = part[array].astype(np.int64) + shifts[array]
            joined[array].append(starts[1:] if joined[array] else starts)
            shifts[array] = int(starts[-1])
    inputs, labels, identifiers, puzzles, groups = (np.concatenate(joined[array]) for array in ARRAYS)
    return PublishedSplit(inputs, labels, identifiers.astype(np.int64), puzzles, groups, vocabulary)


def _json(path: Path) -> object:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise DataError(f"{shown(path)}: larger than {MAX_JSON_BYTES >> 20} MB")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{shown(path)}: cannot be read: {error.strerror or shown(error)}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown(path)}: not JSON: {shown(error)}") from error
