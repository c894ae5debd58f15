"""Small tasks, predictions with a puppet for a worker, and what must hold of their file in any case."""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from arc_solver.domains.arc.domain import ARC
from arc_solver.inference.options import SolveOptions
from arc_solver.prediction.deadlines import Times
from arc_solver.prediction.prediction import Prediction
from arc_solver.prediction.request import PredictRequest
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task
from submission.validation import validate

PUPPET = Path(__file__).with_name("puppet.py")
REPOSITORY = PUPPET.parent.parent.parent
# How often a fault is tried; the ordinary run tries each once or a few times.
COUNT = int(os.environ.get("ARC_SOLVER_FAULT_COUNT", "1"))


def write_tasks(path: Path, num: int = 6, seed: int = 0) -> list[Task]:
    """A challenges file of small random tasks with one or two test inputs, and its tasks."""
    rng = np.random.default_rng(seed)

    def grid() -> list[list[int]]:
        return rng.integers(0, 10, (int(rng.integers(1, 4)), 3)).tolist()

    tasks = {
        f"task{t:02d}": {
            "train": [{"input": grid(), "output": grid()} for _ in range(2)],
            "test": [{"input": grid()} for _ in range(1 + t % 2)],
        }
        for t in range(num)
    }
    path.write_text(json.dumps(tasks))
    return read_tasks(path)


def prediction(
    folder: Path, tasks: list[Task], kind: str, *, seconds: float | None = None, workers: int = 1
) -> Prediction:
    """A prediction of `tasks` into `folder` whose workers are puppets of this kind."""
    log = folder / "starts"
    log.mkdir(exist_ok=True)
    return Prediction(
        PredictRequest(
            str(folder / "tasks.json"),
            folder / "submission.json",
            workers=workers,
            solve=SolveOptions(device="cpu", quiet=True),
        ),
        ARC,
        tuple(tasks),
        {},
        Times.of(time.monotonic(), seconds),
        lambda _: None,
        worker=(sys.executable, "-P", str(PUPPET), kind, str(log)),
    )


def starts(folder: Path) -> list[list[str]]:
    """The tasks that each worker was told, in the order of their starts."""
    return [json.loads(path.read_text()) for path in sorted((folder / "starts").glob("*.json"))]


def survivors(folder: Path) -> list[int]:
    """The processes that still live in the groups of the workers that were started."""
    groups = {path.stem.split("-")[1] for path in (folder / "starts").glob("*.json")}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if group in groups and state not in "ZX":
                found.append(int(process.name))
    return found


def defects(path: Path, tasks: list[Task]) -> list[str]:
    """What is wrong with the submission at `path`: nothing, if it is valid and complete."""
    return [str(defect) for defect in validate(path, {task.id: len(task.test) for task in tasks})]


def answered(path: Path, tasks: list[Task]) -> list[str]:
    """The tasks whose every first attempt is the puppet's answer."""
    value = json.loads(path.read_text())
    found = []
    for task in tasks:
        output = task.train[0].output
        assert output is not None
        if all(entry["attempt_1"] == output.tolist() for entry in value[task.id]):
            found.append(task.id)
    return found


@contextmanager
def watched(path: Path, tasks: list[Task]) -> Iterator[dict[str, int]]:
    """Read `path` every 10 ms while the block runs, from its first appearance on; counts what was seen."""
    seen = {"reads": 0, "invalid": 0, "missing": 0}
    stop = threading.Event()

    def read() -> None:
        appeared = False
        while not stop.wait(0.01):
            if path.exists():
                appeared = True
                seen["reads"] += 1
                seen["invalid"] += bool(defects(path, tasks))
            elif appeared:
                seen["missing"] += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        stop.set()
        reader.join()
