"""Signals while the program is still starting: it ends, with the code that says why."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.crash.forkserver import REPOSITORY, train_command
from tests.crash.scene import Whole, defects
from tests.tally import count, record, seed


def listens(pid: int, number: int) -> bool:
    """Whether the process has a handler of its own for the signal: before, the system ends it."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"SigCgt:\s*([0-9a-f]+)", status)
    return found is not None and bool(int(found[1], 16) >> (number - 1) & 1)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to know when it may begin")
@pytest.mark.parametrize("number", range(count("START", 1)))
def test_a_signal_at_the_start(whole: Whole, tmp_path: Path, number: int) -> None:
    rng = np.random.default_rng([seed(), number])
    sent = (signal.SIGTERM, signal.SIGINT)[number % 2]
    with subprocess.Popen(
        [sys.executable, "-m", "arc_solver.cli", *train_command(whole.tasks, tmp_path / "run", steps=10**6)],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and not listens(process.pid, signal.SIGTERM):
            time.sleep(0.005)
        time.sleep(float(rng.uniform(0, 6)))
        process.send_signal(sent)
        _, text = process.communicate(timeout=60)
    faults = defects(tmp_path / "run")
    held = process.returncode == 128 + sent and not faults and "Traceback" not in text
    record(3, "signals in the first seconds of the program", 1, held)
    assert held, f"seed {seed()}: exit {process.returncode}, {faults}: {text}"
