"""One safetensors file with the whole state of a run; how it is found, read and verified. Torch-free.

The metadata holds, as JSON under "arc_solver": format, kind, preset, step, puzzles, scores, and a SHA-256
of every tensor. A file is intact if its header parses and every hash matches.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arc_solver.config import ConfigError, ModelConfig, PredictConfig, Preset, TrainConfig
from arc_solver.settings import from_mapping
from arc_solver.storage.regular_file import LFS_REMARK, LFS_START, most_values
from arc_solver.storage.text import escaped, shown

FORMAT = 1
METADATA_KEY = "arc_solver"
# Enough for a header of a million tasks, which in memory takes many times its text.
MAX_HEADER_BYTES, MAX_HEADER_VALUES = 32 << 20, 1 << 22
MAX_DIMENSIONS = 8
ARCHIVE_START, PICKLE_START = b"PK\x03\x04", b"\x80"  # of files of torch.save, now and before 1.6
FINAL_NAME = "final.safetensors"
STEP_NAME = re.compile(r"checkpoint-(\d{8})\.safetensors")


class CheckpointError(ValueError):
    """The file is not an intact checkpoint of ours, or does not fit the request; the text is one line."""

    exit_code = 1


class CheckpointMissing(CheckpointError):
    """There is no such file, or it cannot be read."""

    exit_code = 3


class BeyondFile(CheckpointError):
    """A checkpoint whose recipe asks for more than its tensors hold; refused before anything is built."""

    exit_code = 3


@dataclass(frozen=True)
class TensorEntry:
    """A tensor in the file: safetensors dtype name, shape, byte range in the data part."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def num_elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Header:
    """The header of a checkpoint."""

    metadata: dict[str, Any]
    tensors: dict[str, TensorEntry]
    data_start: int


def checkpoint_name(step: int) -> str:
    """File name of the checkpoint after `step` steps."""
    return f"checkpoint-{step:08d}.safetensors"


def checkpoints(folder: Path) -> list[Path]:
    """The step checkpoints of a run folder, newest first."""
    return sorted(
        (p for p in folder.glob("checkpoint-*.safetensors") if STEP_NAME.fullmatch(p.name)), reverse=True
    )


def last_weights(folder: Path) -> Path:
    """The weights of an ended run, else the newest checkpoint; CheckpointMissing if there are none."""
    final, steps = folder / FINAL_NAME, checkpoints(folder)
    if final.is_file() or steps:
        return final if final.is_file() else steps[0]
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    hint = f"name a file, such as {others[0]}" if others else "name a checkpoint or the folder of a run"
    raise CheckpointMissing(shown(f"{folder}: a folder without checkpoints of a run; {hint}"))


def newest_step(folder: Path) -> int | None:
    """The step of the newest checkpoint of a run folder, by its name; None if there is none."""
    listed = checkpoints(folder)
    return int(listed[0].stem.removeprefix("checkpoint-")) if listed else None


def opened_files(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """(Name, SHA-256) of every file that was opened for a checkpoint; malformed entries are left out."""
    files = metadata.get("files")
    return [
        (str(pair[0]), str(pair[1]))
        for pair in (files if isinstance(files, list) else [])
        if isinstance(pair, list) and len(pair) == 2
    ]


def read_header(path: Path) -> Header:
    """Parse the header; CheckpointError if the file is not a checkpoint of ours."""
    try:
        if not path.is_file():
            path.stat()  # raises the reason if there is no file
            raise CheckpointMissing(f"{path}: not a file; name a checkpoint")
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else -1
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise CheckpointError(f"{shown(path.name)}: {_what_else(start + file.read(64), path.name)}")
            text = file.read(length)
    except OSError as error:
        raise CheckpointMissing(f"{path}: {error.strerror or error}") from error
    if (most := most_values(text)) > MAX_HEADER_VALUES:
        raise BeyondFile(
            f"{path.name}: a header of up to {most:,} values, expected at most {MAX_HEADER_VALUES:,}"
        )
    try:
        entries = json.loads(text)
        raw = entries.pop("__metadata__", {})
        tensors = {name: _entry(value) for name, value in entries.items()}
        metadata = json.loads(raw[METADATA_KEY])
        # The same JSON value can be written in several ways; only the one that we wrote is intact.
        as_written = json.dumps(metadata) == raw[METADATA_KEY] and not set(b"\t\n\r") & set(text)
        known = metadata["format"]
        sums = metadata["sha256"]
        named = isinstance(sums, dict) and set(sums) == set(tensors)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path.name}: not a checkpoint of arc-solver ({type(error).__name__} in its header); "
            f"{_by_convert(path.name)}"
        ) from error
    if known != FORMAT:
        raise CheckpointError(f"{path.name}: checkpoint format {known!r}, this version reads {FORMAT}")
    if not as_written:
        raise CheckpointError(f"{path.name}: the header is not as it was written; the file is damaged")
    if not named:
        raise CheckpointError(
            f"{path.name}: the header does not list a hash for every tensor; the file is damaged"
        )
    if not _one_after_the_other(tensors):
        raise CheckpointError(f"{path.name}: tensors that share bytes or leave some out; the file is damaged")
    if 8 + length + max((t.end for t in tensors.values()), default=0) != size:
        raise CheckpointError(
            f"{path.name}: {size} bytes do not match the header; the file is cut short or damaged"
        )
    return Header(metadata, tensors, 8 + length)


def _what_else(start: bytes, name: str) -> str:
    """What kind of file it is that does not begin like a checkpoint."""
    if start.startswith((ARCHIVE_START, PICKLE_START)):
        return f"a torch file, not a checkpoint of arc-solver; {_by_convert(name)}"
    if start.startswith(LFS_START):
        return LFS_REMARK
    return "not a safetensors file, or cut short"


def _by_convert(name: str) -> str:
    """How foreign weights are converted."""
    stem = Path(name).stem or "weights"
    return shown(f"published weights come in with `arc-solve convert {name} --out {stem}.ours.safetensors`")


def _one_after_the_other(tensors: dict[str, TensorEntry]) -> bool:
    """Whether the tensors share no bytes, so that none is hashed twice, and leave no gaps."""
    end = 0
    for entry in sorted(tensors.values(), key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != end:
            return False
        end = entry.end
    return True


def _entry(value: dict[str, Any]) -> TensorEntry:
    begin, end = value["data_offsets"]
    shape = tuple(value["shape"])
    if len(shape) > MAX_DIMENSIONS:
        raise ValueError("dimensions")
    if any(type(number) is not int or number < 0 for number in (begin, end, *shape)):
        raise TypeError("a place or shape that is no whole number")
    if begin > end:
        raise ValueError("offsets")
    return TensorEntry(str(value["dtype"]), shape, begin, end)


def header_hash(metadata: dict[str, Any]) -> str:
    """A hash of the metadata itself, so that a flipped bit in it is detected too."""
    text = json.dumps({k: v for k, v in metadata.items() if k != "self"}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_verified(path: Path) -> tuple[Header, bytes]:
    """The header and all bytes of a checkpoint if every hash matches; CheckpointError otherwise."""
    header = read_header(path)
    if header.metadata.get("self") != header_hash(header.metadata):
        raise CheckpointError(f"{path.name}: the metadata does not match its hash; the file is damaged")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointMissing(f"{path}: {error.strerror or error}") from error
    view = memoryview(content)
    for name, entry in header.tensors.items():
        found = tensor_hash(
            entry.dtype, entry.shape, view[header.data_start + entry.begin : header.data_start + entry.end]
        )
        if found != header.metadata["sha256"][name]:
            raise CheckpointError(f"{path.name}: tensor {name} does not match its hash; the file is damaged")
    return header, content


def preset_from(metadata: dict[str, Any], name: str) -> Preset:
    """The recipe that a checkpoint was trained with."""
    try:
        recipe = metadata["preset"]
        return Preset(
            str(recipe["name"]),
            str(recipe["about"]),
            from_mapping(ModelConfig, recipe["model"]),
            from_mapping(TrainConfig, recipe["train"]),
            from_mapping(PredictConfig, recipe["predict"]),
        )
    except (ConfigError, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{name}: the recipe in the file cannot be read: {error}") from error


def check_domain(metadata: dict[str, Any], domain: str, noun: str, name: str) -> None:
    """CheckpointError if the weights called `name` are for another domain than the material, some `noun`.

    Metadata without a readable domain passes: `preset_from` says what is wrong with the recipe.
    """
    trained = _part(_part(metadata, "preset"), "train").get("domain", TrainConfig.domain)
    if isinstance(trained, str) and trained != domain:
        raise CheckpointError(
            f"{name}: weights for {_inert(trained)}, but these are {noun}; name weights for {domain}"
        )


def tensor_hash(dtype: str, shape: tuple[int, ...], data: bytes | memoryview) -> str:
    """SHA-256 of a tensor's type, shape and bytes."""
    digest = hashlib.sha256(f"{dtype} {list(shape)} ".encode())
    digest.update(data)
    return digest.hexdigest()


def describe(path: Path) -> dict[str, Any]:
    """The facts that `arc-solve info` shows, from the header alone."""
    header = read_header(path)
    facts = header.metadata
    rows = [entry for name, entry in header.tensors.items() if name.endswith("puzzle.rows")]
    num_rows = rows[0].shape[0] if rows and rows[0].shape else 0
    prefix = "model." if any(name.startswith("model.") for name in header.tensors) else "average."
    dense = [e for n, e in header.tensors.items() if n.startswith(prefix) and not n.endswith("puzzle.rows")]
    recipe, ids = _part(facts, "preset"), _part(facts, "puzzles").get("ids")
    shown_facts = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "kind": facts.get("kind"),
        "step": facts.get("step"),
        "training_seconds": facts.get("seconds"),
        "parameters": sum(entry.num_elements for entry in dense),
        "start_values": sum(e.num_elements for n, e in header.tensors.items() if n in _starts(prefix)),
        "row_parameters": rows[0].num_elements if rows else 0,
        "puzzles": {"tasks": len(ids) if isinstance(ids, list) else 0, "rows": num_rows},
        "data": facts.get("data"),
        "files": dict(opened_files(facts)),
        "scores": _part(facts, "scores"),
        "preset": recipe.get("name"),
        "about": recipe.get("about"),
        "model": _part(recipe, "model"),
        "train": _part(recipe, "train"),
        "predict": _part(recipe, "predict"),
    }
    return {key: _inert(value) for key, value in shown_facts.items()}


def _starts(prefix: str) -> tuple[str, str]:
    """The tensors that the recursion starts from, which are drawn once and not learned."""
    return f"{prefix}first_answer", f"{prefix}first_latent"


def _part(values: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under `key`; an empty one if there is anything else."""
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _inert(value: Any) -> Any:
    """A value without control characters in its texts, which could steer a terminal."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {_inert(key): _inert(item) for key, item in value.items()}
    return [_inert(item) for item in value] if isinstance(value, list) else value
