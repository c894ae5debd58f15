"""SIGKILL of `convert`: the process that opens the file ends with it, and no temporary file stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.arc_solver.checkpoints.convert.published_model import state_dict
from tests.crash.forkserver import REPOSITORY
from tests.tally import count, record, seed

SECONDS = 5  # that a child may live on


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to know the child")
@pytest.mark.parametrize("number", range(count("ORPHAN", 1)))
def test_a_killed_convert_leaves_nothing(number: int, tmp_path: Path) -> None:
    rng = np.random.default_rng([seed(), number])
    source, temporary = tmp_path / "step_1.pt", tmp_path / "temporary"
    temporary.mkdir()
    state = state_dict("trm", torch.Generator().manual_seed(1), num_rows=2_000_000)  # 256 MB take their time
    torch.save(state, source)
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "arc_solver.cli",
            "convert",
            str(source),
            "--out",
            str(tmp_path / "x.safetensors"),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        found: list[int] = []
        while not found and process.poll() is None:
            found = children(process.pid)
            time.sleep(0.005)
        assert found, "it ended before it had a child"
        time.sleep(float(rng.uniform(0, 3)))
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + SECONDS
    while any(map(lives, found)) and time.monotonic() < end:
        time.sleep(0.02)
    left = [str(path) for path in temporary.rglob("*")]
    held = not any(map(lives, found)) and not left
    record(22, "kills of convert", 1, held)
    assert held, f"seed {seed()}, number {number}: {left}, child {found}"
