"""A training run that is killed at any instant, again and again, ends bit for bit like one that was not."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.crash.failpoints import CALLS
from tests.crash.forkserver import REPOSITORY, Forkserver, train_command
from tests.crash.journal import Journal
from tests.crash.scene import (
    FINAL_NAME,
    INTERVAL,
    STEPS,
    Whole,
    defects,
    differences,
    newest,
    resumed_at,
    tensors,
)
from tests.tally import count, record, seed

NUM_KILLS = count("KILL", 6)
MOST_KILLS = 5  # of one run


@dataclass
class Life:
    """A run from its first start to its end: the kills that hit it, and what was found wrong."""

    folder: Path
    kills: int = 0
    within_saves: int = 0
    done: int = 0  # steps that were finished before the last kill
    faults: list[str] = field(default_factory=list)

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def start(self, server: Forkserver, whole: Whole, order: dict[str, Any], delay: float | None) -> int:
        """One start of the command, killed as planned unless it ends before; its exit code."""
        number = len(list(self.folder.glob("log-*")))
        log, journal = self.folder / f"log-{number}", Journal(self.folder / "journal")
        journal.clear()
        argv = train_command(whole.tasks, self.run)
        pid = server.start(log, argv=argv, journal=str(self.folder / "journal"), **order)
        if delay is not None:
            time.sleep(delay)
            os.kill(pid, signal.SIGKILL)
        code = server.wait(pid)
        self.judge(code, journal, resumed_at(log), log.read_text())
        return code

    def judge(self, code: int, journal: Journal, resumed: int, text: str) -> None:
        """Count the kill and look at what this start did and left."""
        if journal["swept"] > 1:
            self.faults.append(f"{journal['swept'] - 1} stray temporary files after the restart")
        if journal["steps"] or resumed:
            if not 0 <= self.done - resumed <= INTERVAL:
                self.faults.append(f"{self.done} steps were done, the next start resumed at {resumed}")
            self.done = max(resumed, journal["steps"])
        if code == -signal.SIGKILL:
            self.kills += 1
            self.within_saves += journal["saving"]
        elif code:
            self.faults.append(f"exit {code}: {text}")
        if "damaged" in text or "Traceback" in text:
            self.faults.append(text)
        self.faults += defects(self.run)


def plan(rng: np.random.Generator, whole: Whole, in_save: bool) -> tuple[dict[str, Any], float | None]:
    """How the next start is to be killed: the order to the server, and after how long by us."""
    if not in_save:
        return {}, float(rng.uniform(0, whole.seconds))
    if rng.random() < 0.5:
        at, do = int(rng.integers(1, whole.num_calls // 2)), str(rng.choice(["kill", "half-kill"]))
        return {"fail": {"at": at, "do": do, "names": CALLS, "only_saves": True}}, None
    seconds = float(rng.uniform(0, 1.2 * whole.save_seconds))
    return {"kill_after": {"save": int(rng.integers(1, 4)), "seconds": seconds}}, None


def test_killed_runs_end_like_one_that_was_not(forkserver: Forkserver, whole: Whole, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed())
    lives: list[Life] = []
    while (missing := NUM_KILLS - sum(life.kills for life in lives)) > 0:
        life = Life(tmp_path / str(len(lives)))
        life.folder.mkdir()
        lives.append(life)
        code, planned = -signal.SIGKILL, min(missing, int(rng.integers(1, MOST_KILLS + 1)))
        while code and life.kills < planned and not life.faults:
            in_save = 2 * sum(life.within_saves for life in lives) <= sum(life.kills for life in lives)
            code = life.start(forkserver, whole, *plan(rng, whole, in_save))
        if code and not life.faults:
            life.start(forkserver, whole, {}, None)
        if not life.faults:
            life.faults += differences(tensors(newest(life.run)), whole.checkpoint)
            life.faults += differences(tensors(life.run / FINAL_NAME), whole.weights)
    kills, within = sum(life.kills for life in lives), sum(life.within_saves for life in lives)
    record(1, "kills", kills, sum(life.kills for life in lives if not life.faults))
    record(1, "kills within a save", within, sum(life.within_saves for life in lives if not life.faults))
    faults = [fault for life in lives for fault in life.faults]
    assert not faults, f"seed {seed()}: {faults}"
    assert 2 * within >= kills - 1


def test_the_harness_sees_a_careless_writer(forkserver: Forkserver, whole: Whole, tmp_path: Path) -> None:
    life = Life(tmp_path)
    fail = {"at": 2, "do": "half-kill", "names": ("open", "write"), "only_saves": True}
    assert (
        life.start(forkserver, whole, {"fail": fail, "setup": ["tests.crash.careless:overwrite"]}, None) < 0
    )
    assert any("cut short" in fault for fault in life.faults)


def test_the_harness_sees_what_a_resumed_run_forgot(
    forkserver: Forkserver, whole: Whole, tmp_path: Path
) -> None:
    life = Life(tmp_path)
    forgetful = {"setup": ["tests.crash.careless:forget_rows_in_flight"]}
    life.start(forkserver, whole, {**forgetful, "kill_after": {"save": 3, "seconds": 0}}, None)
    life.start(forkserver, whole, forgetful, None)
    assert (life.kills, life.faults) == (1, [])
    assert differences(tensors(life.run / FINAL_NAME), whole.weights) != []


def test_a_whole_run_leaves_what_it_says_and_nothing_else(whole: Whole) -> None:
    run = whole.tasks.parent / "run"
    assert defects(run) == []
    assert [path.name for path in sorted(run.glob("checkpoint-*"))] == [
        f"checkpoint-{step:08d}.safetensors" for step in (STEPS - INTERVAL, STEPS)
    ]
    assert {name.split(".")[0] for name in whole.checkpoint} == {
        *("model", "average", "optimizer", "slots", "puzzles")
    }
    assert whole.num_calls > 20


@pytest.mark.slow
def test_a_warm_process_computes_what_a_fresh_one_does(whole: Whole, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "arc_solver.cli", *train_command(whole.tasks, tmp_path / "run")],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert differences(tensors(newest(tmp_path / "run")), whole.checkpoint) == []
    assert differences(tensors(tmp_path / "run" / FINAL_NAME), whole.weights) == []
