"""`arc-solve predict --keep`: a killed prediction does not learn from the start again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.scene import REPOSITORY, defects, write_tasks

TINY = ["--set", "width=16", "--set", "num_heads=1", "--set", "max_age=1", "--views", "2", "--ages", "1"]


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "arc_solver.cli", "predict", "--tasks", str(folder / "t.json"), *TINY]
    return subprocess.Popen(
        [*command, "--keep", str(folder / "kept"), "--threads", "1", "--device", "cpu", *more],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NUMBA_NUM_THREADS": "1"},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_killed_prediction_goes_on_learning(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "t.json")
    first = started(tmp_path, "--adapt-steps", "1000000")
    end = time.monotonic() + 300
    while not list((tmp_path / "kept").glob("*/checkpoint-*.safetensors")):
        assert time.monotonic() < end, "no checkpoint was written"
        assert first.poll() is None
        time.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    (saved,) = {path.parent for path in (tmp_path / "kept").glob("*/checkpoint-*.safetensors")}
    # Another number of steps is the same run; it has taken more than these, so no further one is taken.
    second = started(tmp_path, "--adapt-steps", "3")
    _, text = second.communicate(timeout=300)
    assert second.returncode == 0, text
    assert f"going on with what was learned in {saved}" in text
    assert (saved / "adapted.safetensors").is_file()
    assert defects(tmp_path / "submission.json", tasks) == []
    known = started(tmp_path, "--checkpoint", str(saved / "adapted.safetensors"), "--out", "known.json")
    _, text = known.communicate(timeout=300)
    assert "known to the checkpoint: 6 of 6 tasks" in text
    assert (tmp_path / "known.json").read_bytes() == (tmp_path / "submission.json").read_bytes()
