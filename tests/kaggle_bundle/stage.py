"""A stage that looks like a Kaggle session: inputs mounted in either layout, a folder to work in, no GPU."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.kaggle_bundle.image import Image, without_network

COMPETITION, BUNDLE, OWNER = "arc-prize-rehearsal", "arc-solver-rehearsal", "someone"
LAYOUTS = {
    "flat": (COMPETITION, BUNDLE),
    "nested": (f"competitions/{COMPETITION}", f"datasets/{OWNER}/{BUNDLE}"),
}
Tasks = dict[str, dict[str, Any]]
# A network that learns two steps and votes with two views: everything is run, nothing is learned.
TINY = "--adapt-steps 2 --views 2 --ages 1 --set train.batch_size=8 --set train.num_views=2"
PAIR = {"input": [[1]], "output": [[2]]}
# What is no task, under plain ids and hostile ones; the last two no submission of ours may name.
POISON: Tasks = {
    "poison-31": {"train": [{"input": [[0] * 31] * 31, "output": [[1]]}], "test": [{"input": [[1]]}]},
    "poison-empty-train": {"train": [], "test": [{"input": [[1]]}, {"input": [[2]]}]},
    "poison-no-input": {"train": [PAIR], "test": [{"output": [[1]]}]},
    "../../poison": {"train": [PAIR], "test": []},
    "<script>poison()</script>": {"train": "none", "test": [{"input": [[1]]}]},
    "\u202epoison": {"train": [{"input": [[1, 2], [3]], "output": [[1]]}], "test": [{"input": [[1]]}] * 3},
    "p" * 4096: {"train": [PAIR], "test": [{"input": [[1]]}]},
    "\x1b[31mpoison\n": {"train": [PAIR], "test": [{"input": [[1]]}] * 2},
}
# Good tasks that a careless program would trip over by name.
HOSTILE_IDS = ("../../escape", "/etc/passwd", "<img src=x onerror=alert(1)>", "é\u202e" * 60, "con\u2028")


def make_tasks(seed: int, num: int, prefix: str) -> Tasks:
    """Random tasks with one to four test inputs in turn, with the answers."""
    rng = np.random.default_rng(seed)

    def pair() -> dict[str, list[list[int]]]:
        sides = rng.integers(1, 6, 4)
        grids = rng.integers(0, 10, sides[:2]), rng.integers(0, 10, sides[2:])
        return {"input": grids[0].tolist(), "output": grids[1].tolist()}

    return {
        f"{prefix}{index:06x}": {
            "train": [pair() for _ in range(2)],
            "test": [pair() for _ in range(1 + index % 4)],
        }
        for index in range(num)
    }


def owed_by(tasks: Tasks) -> dict[str, int]:
    """For how many test inputs each task wants answers."""
    return {name: len(task["test"]) for name, task in tasks.items()}


def renamed(tasks: Tasks, names: Sequence[str]) -> Tasks:
    """The tasks, the first ones under other ids."""
    return dict(zip([*names, *list(tasks)[len(names) :]], tasks.values(), strict=True))


def without_outputs(tasks: Tasks) -> Tasks:
    return {
        name: task | {"test": [{"input": pair["input"]} for pair in task["test"]]}
        for name, task in tasks.items()
    }


def solutions_of(tasks: Tasks) -> dict[str, list[Any]]:
    return {name: [pair["output"] for pair in task["test"]] for name, task in tasks.items()}


@dataclass(frozen=True)
class Stage:
    """A session: what was mounted where, and how the notebook is run in it."""

    image: Image
    inputs: Path
    working: Path
    tasks: Tasks

    @property
    def submission(self) -> Path:
        return self.working / "submission.json"

    @property
    def driver(self) -> Path:
        """What answers to nvidia-smi: on a fresh stage nothing that works."""
        return self.working / "bin" / "nvidia-smi"

    def environment(self, **settings: str) -> dict[str, str]:
        """Variables of a session; nothing of this process but the system's search path."""
        given = {
            "ROOTS": str(self.inputs),
            "WORKING": str(self.working),
            "COMPETITION": COMPETITION,
            "BUNDLE": BUNDLE,
            "HOURS": "0.1",
            "MARGIN_MINUTES": "1",
            "REHEARSAL_MINUTES": "3",
            "OPTIONS": TINY,
            "SECOND_OPTIONS": TINY,
        } | settings
        return {
            "PATH": os.pathsep.join(
                [str(self.driver.parent), str(self.image.python.parent), "/usr/bin", "/bin"]
            ),
            "HOME": str(self.working),
            "JUPYTER_PATH": str(self.image.jupyter),
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
            **{f"ARC_SOLVER_{name}": value for name, value in given.items()},
        }

    def start(self, script: Path, **settings: str) -> subprocess.Popen[str]:
        """Start the notebook's source as a script, without a network."""
        command = [*without_network(), str(self.image.python), str(script)]
        return subprocess.Popen(
            command,
            cwd=self.working,
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script: Path, **settings: str) -> str:
        """What the script prints; it must end well."""
        with self.start(script, **settings) as process:
            text, _ = process.communicate(timeout=400)
        assert process.returncode == 0, text
        return text

    def execute(self, notebook: Path, **settings: str) -> str:
        """What the notebook prints when nbclient executes it without a network; no cell may fail."""
        driver = Path(__file__).with_name("execute.py")
        command = [*without_network(), sys.executable, str(driver), str(notebook), str(self.working), "400"]
        environment = self.environment(**settings)
        done = subprocess.run(
            command, env=environment, cwd=self.working, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answered(self) -> set[str]:
        """Ids of the tasks with any attempt that is not the fallback."""
        blank = {"attempt_1": [[0]], "attempt_2": [[0]]}
        return {name for name, entries in self.read().items() if any(entry != blank for entry in entries)}

    def read(self) -> dict[str, list[dict[str, list[list[int]]]]]:
        return json.loads(self.submission.read_bytes())


def set_stage(folder: Path, layout: str, image: Image, bundle: Path, tasks: Tasks, *, hidden: bool) -> Stage:
    """Mount a competition and a bundle. Hidden tasks are in no training file; others are training tasks."""
    inputs, working = folder / "input", folder / "working"
    working.mkdir(parents=True)
    training = make_tasks(1, 4, "7a") | ({} if hidden else tasks)
    files = {
        "arc-agi_training_challenges.json": without_outputs(training),
        "arc-agi_training_solutions.json": solutions_of(training),
        "arc-agi_test_challenges.json": without_outputs(tasks) if not hidden else tasks,
        "sample_submission.json": {
            name: [{"attempt_1": [[0, 0], [0, 0]], "attempt_2": [[0, 0], [0, 0]]} for _ in task["test"]]
            for name, task in tasks.items()
        },
    }
    competition, dataset = (inputs / place for place in LAYOUTS[layout])
    competition.mkdir(parents=True)
    for name, content in files.items():
        (competition / name).write_text(json.dumps(content))
    dataset.mkdir(parents=True)
    for path in bundle.iterdir():
        if not path.name.endswith("-metadata.json"):
            (dataset / path.name).symlink_to(path)
    for path in [*inputs.rglob("*"), inputs]:
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    stage = Stage(image, inputs, working, tasks)
    stage.driver.parent.mkdir()
    stage.driver.write_text("#!/bin/sh\nexit 9\n")
    stage.driver.chmod(0o755)
    return stage


def fingerprint(inputs: Path) -> dict[str, tuple[int, str]]:
    """Time and content of everything mounted, to see that a run left it alone."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(inputs.rglob("*"))
        if path.is_file()
    }


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL a process, and then what it started."""
    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    process.kill()
    process.wait()
    for child in started:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(started, timeout=10)
