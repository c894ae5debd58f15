"""Random time limits: the file is whole at any of them, for tasks and for boards."""

import csv
import dataclasses
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from arc_solver.checkpoints.weights import save
from arc_solver.config import PredictConfig
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.tiny import MODEL, TRAIN, lively, preset
from tests.boards import board_csv
from tests.faults.scene import REPOSITORY, defects, watched, write_tasks

NUM_LIMITS = 20
NUM_BOARDS = 100
# From here on a prediction must have answers; below it torch may take all the time there is.
LEAST_USEFUL = 20.0
TINY = ["--set", "width=16", "--set", "num_heads=1", "--set", "max_age=1", "--views", "2", "--ages", "1"]


def predict(*arguments: object) -> float:
    """The seconds that a prediction took, which must end well."""
    started = time.monotonic()
    command = [sys.executable, "-m", "arc_solver.cli", "predict", "--threads", "1", "--device", "cpu"]
    done = subprocess.run(
        [*command, "--quiet", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def boards(folder: Path) -> list[object]:
    """Arguments of a prediction of boards that needs some seconds."""
    config = dataclasses.replace(MODEL, vocabulary=6)
    model = lively(Model(config, num_rows=1))
    recipe = preset(config, dataclasses.replace(TRAIN, domain="sudoku"), PredictConfig(views=1, batch_size=4))
    tensors = {f"average.{name}": t for name, t in model.state_dict().items()}
    save(folder / "w.safetensors", tensors, recipe, PuzzleMap("rows"), {"kind": "weights"})
    listed = generate_sudoku(NUM_BOARDS, 4, np.random.default_rng(0))
    (folder / "b.csv").write_bytes(board_csv(listed, "test"))
    return ["--tasks", folder / "b.csv", "--checkpoint", folder / "w.safetensors"]


def answered(path: Path) -> int:
    """How many of the boards have an answer; all of them must be there."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == NUM_BOARDS
    return sum(bool(row["answer"]) for row in rows)


def test_boards_that_would_take_for_ever_leave_a_whole_file(tmp_path: Path) -> None:
    predict(*boards(tmp_path), "--out", tmp_path / "a.csv", "--ages", 10**6, "--time-limit", "20s")
    # The worker counts its time from its start, loading torch included, and so it ends before it is killed.
    assert answered(tmp_path / "a.csv") == NUM_BOARDS


@pytest.mark.slow
def test_tasks_at_random_limits(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "t.json")
    asked = ["--tasks", tmp_path / "t.json", *TINY, "--adapt-steps", 400]
    full = predict(*asked, "--out", tmp_path / "full.json")
    seed = 5
    rng = random.Random(seed)
    for trial in range(NUM_LIMITS):
        limit = rng.uniform(5.0, max(6.0, full))
        out = tmp_path / f"{trial}.json"
        with watched(out, tasks) as seen:
            seconds = predict(*asked, "--out", out, "--time-limit", f"{limit:.2f}s")
        assert seconds < limit, f"seed {seed}, trial {trial}: {seconds:.2f} s of {limit:.2f} s"
        assert (seen["invalid"], seen["missing"]) == (0, 0)
        assert defects(out, tasks) == []


@pytest.mark.slow
def test_boards_at_random_limits(tmp_path: Path) -> None:
    asked = [*boards(tmp_path), "--ages", 64]
    full = predict(*asked, "--out", tmp_path / "full.csv")
    assert answered(tmp_path / "full.csv") == NUM_BOARDS
    seed = 6
    rng = random.Random(seed)
    for trial in range(NUM_LIMITS):
        limit = rng.uniform(5.0, max(6.0, full))
        out = tmp_path / f"{trial}.csv"
        seconds = predict(*asked, "--out", out, "--time-limit", f"{limit:.2f}s")
        assert seconds < limit, f"seed {seed}, trial {trial}: {seconds:.2f} s of {limit:.2f} s"
        some = answered(out)
        assert some or limit < LEAST_USEFUL, f"seed {seed}, trial {trial}: no answer in {limit:.2f} s"
