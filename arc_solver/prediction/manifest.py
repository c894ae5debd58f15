"""The file beside a submission that says what it was made from: inputs, recipe, seed, versions, times."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from arc_solver.storage.files import sha256_file, write_atomic
from arc_solver.tasks.layouts import task_files
from arc_solver.tasks.task import Task, task_hash
from submission.messages import clean

ENDING = ".manifest.json"
MAX_NAME_BYTES = 255
PACKAGES = ("arc-solver", "torch", "numpy", "numba", "scipy", "orjson", "safetensors")


def manifest_path(out: Path) -> Path:
    """The path of the manifest of the submission `out`: `x.manifest.json` beside `x.json`.

    A stem that is too long for the ending is cut, and a hash added.
    """
    stem = os.fsencode(out.stem)
    if len(stem) > MAX_NAME_BYTES - len(ENDING):
        digest = hashlib.sha256(stem).hexdigest()[:16]
        cut = stem[: MAX_NAME_BYTES - len(ENDING) - len(digest) - 1]
        return out.with_name(f"{cut.decode(errors='ignore')}-{digest}{ENDING}")
    return out.with_name(f"{out.stem}{ENDING}")


def write_manifest(out: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest of `out` atomically, with lone surrogates in ids and paths escaped."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    write_atomic(manifest_path(out), orjson.dumps(_cleaned(dict(facts)), option=options))


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def source_facts(source: str, tasks: Sequence[Task]) -> dict[str, Any]:
    """The name of a source, a hash of its tasks, and the hash of its file or of each file of a folder.

    Standard input and named sets have no file hashes.
    """
    path = Path(source)
    facts: dict[str, Any] = {"name": source, "num_tasks": len(tasks), "tasks_sha256": _tasks_hash(tasks)}
    if path.is_file():
        facts["sha256"] = sha256_file(path)
    elif path.is_dir():
        facts["files"] = {str(p.relative_to(path)): sha256_file(p) for p in task_files(path) if p.is_file()}
    return facts


def versions() -> dict[str, str]:
    """Python, the platform and the installed packages that an answer depends on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def now_text() -> str:
    """The current time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _tasks_hash(tasks: Sequence[Task]) -> str:
    """A hash of ids, demonstrations and test inputs in order, without the answers."""
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(f"{len(task.id)} {task.id} {task_hash(task)} {len(task.test)} ".encode())
        for pair in task.test:
            digest.update(bytes(pair.input.shape) + pair.input.tobytes())
    return digest.hexdigest()
