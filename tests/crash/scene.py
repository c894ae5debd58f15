"""A tiny training run, what it leaves when nothing happens to it, and what must hold of its folder always."""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors

from arc_solver.checkpoints.file_format import CheckpointError, read_verified
from arc_solver.storage.files import LOCK_NAME, TEMP_PREFIX, TEMP_SUFFIX
from tests.crash.failpoints import CALLS
from tests.crash.forkserver import TINY, Forkserver, train_command
from tests.crash.journal import Journal
from tests.faults.scene import write_tasks

FINAL_NAME, METRICS_NAME = "final.safetensors", "metrics.jsonl"
Tensors = dict[str, tuple[str, tuple[int, ...], bytes]]
STEPS, INTERVAL = int(TINY["steps"]), int(TINY["save_every"])
RESUMED = re.compile(r"resuming .* at step (\d+)")


@dataclass(frozen=True)
class Whole:
    """The run that nothing disturbed: its tasks, its end, its seconds and its system calls."""

    tasks: Path
    checkpoint: Tensors
    weights: Tensors
    seconds: float
    save_seconds: float
    num_calls: int  # within saves


def tensors(path: Path) -> Tensors:
    """Type, shape and bytes of every tensor, by the library that the format comes from."""
    return {
        name: (entry["dtype"], tuple(entry["shape"]), bytes(entry["data"]))
        for name, entry in safetensors.deserialize(path.read_bytes())
    }


def newest(folder: Path) -> Path:
    """The last step checkpoint by its name."""
    return max(folder.glob("checkpoint-*.safetensors"))


def undisturbed(server: Forkserver, folder: Path) -> Whole:
    """Train from nothing to the end."""
    tasks, run = folder / "tasks.json", folder / "run"
    write_tasks(tasks, num=3)
    journal = Journal(folder / "journal")
    started = time.monotonic()
    watched: dict[str, Any] = {"at": -1, "do": "kill", "names": CALLS, "only_saves": True}
    code = server.run(
        folder / "log", argv=train_command(tasks, run), journal=str(folder / "journal"), fail=watched
    )
    seconds = time.monotonic() - started
    assert code == 0, (folder / "log").read_text()
    assert journal["steps"] == STEPS
    return Whole(
        tasks,
        tensors(newest(run)),
        tensors(run / FINAL_NAME),
        seconds,
        journal["save_microseconds"] / journal["saves"] / 1e6,
        journal["calls"],
    )


def defects(folder: Path) -> list[str]:
    """What no crash may leave: files of unknown names, artefacts that are not whole, two temporary files."""
    if not folder.exists():
        return []
    found, num_temporary = [], 0
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors":
            try:
                read_verified(path)
            except CheckpointError as error:
                found.append(str(error))
        elif path.name.startswith(TEMP_PREFIX) and path.name.endswith(TEMP_SUFFIX):
            num_temporary += 1
        elif path.name not in (LOCK_NAME, METRICS_NAME):
            found.append(f"{path.name} lies in the folder")
    if num_temporary > 1:
        found.append(f"{num_temporary} temporary files")
    return found


def differences(found: Tensors, expected: Tensors) -> list[str]:
    """The names of tensors that are not the same in type, shape and every bit."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def resumed_at(log: Path) -> int:
    """The step that the last start of the run went on from; 0 where it began anew."""
    found = RESUMED.findall(log.read_text())
    return int(found[-1]) if found else 0


def log_lines(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of the log of a run."""
    path = folder / METRICS_NAME
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
