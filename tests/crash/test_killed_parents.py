"""SIGKILL of a program that has started others: none of them lives on, and no temporary folder stays."""

import signal
import subprocess
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

from arc_solver.hardware.accelerators import usable_cores
from tests.crash.forkserver import REPOSITORY
from tests.faults.scene import write_tasks
from tests.faults.test_command import TINY, command, environment, until
from tests.tally import count, full, seed, trial

MARK = "ARC_SOLVER_TEST_MARK"
SECONDS = 5.0
STARTS = 60.0


def marked(mark: str) -> set[int]:
    """The living processes that inherited the mark."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            has_mark = f"{MARK}={mark}".encode() in (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if has_mark and state not in "ZX":
            found.add(int(process.name))
    return found


def drawing(folder: Path) -> list[str]:
    """Training that draws its tasks in worker processes."""
    words = ["train", "--data", "synthetic:1000000", "--preset", "cpu-arc", "--out", str(folder / "run")]
    return command(*words, "--device", "cpu", "--threads", "1")


def predicting(folder: Path) -> list[str]:
    """A prediction that would go on for long."""
    write_tasks(folder / "tasks.json")
    words = ["predict", "--tasks", str(folder / "tasks.json"), "--out", str(folder / "s.json"), *TINY]
    return command(*words, "--adapt-steps", "1000000")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc to find the processes")
@pytest.mark.parametrize("number", range(count("ORPHAN", 1)))
@pytest.mark.parametrize("work", [drawing, predicting])
def test_nothing_outlives_its_parent(tmp_path: Path, work: object, number: int) -> None:
    assert callable(work)
    if work is drawing and usable_cores() < 2:
        pytest.skip("on one core tasks are drawn in the program itself")
    rng = np.random.default_rng([seed(), number])
    temporary, mark = tmp_path / "temporary", uuid.uuid4().hex
    temporary.mkdir()
    words = work(tmp_path)
    with trial(22, f"SIGKILLs of a program that is {work.__name__}"):
        process = subprocess.Popen(
            words,
            cwd=REPOSITORY,
            env=environment(**{MARK: mark, "TMPDIR": str(temporary)}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert until(lambda: len(marked(mark)) > 1 or process.poll() is not None, STARTS)
            time.sleep(float(rng.uniform(0, 3 if full() else 1)))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        ended = until(lambda: not marked(mark), SECONDS if full() else STARTS)
        assert ended, f"seed {seed()}: {marked(mark)} live on"
        assert list(temporary.iterdir()) == []
