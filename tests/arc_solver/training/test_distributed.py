"""Two processes are one run: the losses, weights and rows of a single process with the same global batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

WORKER = """
import dataclasses, json, sys
import torch
torch.set_num_threads(1)
from tests.arc_solver.tiny import MODEL, preset, run
from arc_solver.training.distributed import team_of
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.state import TrainState

kind, out = sys.argv[1:]
with team_of(torch.device("cpu")) as (team, device):
    made = run(preset(dataclasses.replace(MODEL, embedding=kind)))
    config = made.preset.train
    state = TrainState(made.state.model, made.data, config, device, team=team)
    reports = []
    run_steps(state, config, Limits(), Hooks(report=reports.append))
    tensors = state.tensors()
    if team.leads:
        json.dump(
            {
                "loss": reports[-1]["loss"],
                "tensors": {name: t.double().flatten().tolist() for name, t in tensors.items()},
            },
            open(out, "w"),
        )
"""


def _trained(tmp_path: Path, kind: str, world: int) -> dict:
    out = tmp_path / f"{kind}-{world}.json"
    port = str(20000 + os.getpid() % 20000 + world)
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(world)}
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, kind, str(out)],
            env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank), "PYTHONPATH": "."},
            stderr=subprocess.PIPE,
        )
        for rank in range(world)
    ]
    for child in children:
        _, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors.decode()[-2000:]
    return json.loads(out.read_text())


@pytest.mark.parametrize("kind", ["rows"])
def test_two_processes_train_as_one(tmp_path: Path, kind: str) -> None:
    one, two = (_trained(tmp_path, kind, world) for world in (1, 2))
    assert two["loss"] == pytest.approx(one["loss"], abs=2e-4)
    assert one["tensors"].keys() == two["tensors"].keys()
    for name, wanted in one["tensors"].items():
        found = two["tensors"][name]
        assert len(found) == len(wanted), name
        np.testing.assert_allclose(found, wanted, atol=2e-3, rtol=2e-2, err_msg=name)
