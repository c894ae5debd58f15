"""Forty steps are twenty, a SIGKILL and the rest, bit for bit, for every optimizer and family of presets."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.presets import PRESETS
from tests.arc_solver.training.ranks import COMPILER, last, start
from tests.boards import board_csv
from tests.crash.forkserver import Forkserver
from tests.faults.scene import write_tasks

SMALL = (
    *("width=16", "num_heads=2", "rounding=8", "num_layers=2", "cycles=2", "latent_steps=2"),
    *("prefix_length=2", "batch_size=4", "num_views=4", "max_age=3", "canvas=fitted", "compile=off"),
    *("steps=40", "save_every=20", "warmup_steps=5", "learning_rate=0.003"),
)
SIDES = {"sudoku": 4, "maze": 5}
LENGTHS = {kind: side * side for kind, side in SIDES.items()}
OPTIMIZERS = ("adam_atan2", "adamw", "muon")
# Preset, changes, processes.
QUICK = [("cpu-sudoku4", "", 1), ("hrm-arc", "optimizer=adamw", 1)]
ALL = [(name, "", 1) for name in PRESETS] + [("hrm-arc", "optimizer=adamw", 2)]
ALL += [
    (name, f"optimizer={optimizer}", world)
    for name in ("cpu-arc", "sudoku-mlp")
    for optimizer in OPTIMIZERS
    for world in (1, 2)
]


def material(folder: Path, domain: str) -> Path:
    """A file of puzzles to train on."""
    if domain == "arc":
        write_tasks(folder / "tasks.json", num=3)
        return folder / "tasks.json"
    path, rng = folder / f"{domain}.csv", np.random.default_rng(0)
    boards = (generate_sudoku if domain == "sudoku" else generate_mazes)(12, SIDES[domain], rng)
    path.write_bytes(board_csv(boards, "test"))
    return path


def command(name: str, changes: str, data: Path, out: Path) -> list[str]:
    """The training command of a preset made small."""
    recipe = PRESETS[name]
    settings = [*SMALL]
    if recipe.train.domain != "arc":
        settings += ["vocabulary=6"]
    if recipe.model.length:
        settings += [f"length={LENGTHS[recipe.train.domain]}"]
    if recipe.train.gradient_ages > 1:
        settings += ["cycles=1", "gradient_ages=2"]
    settings += changes.split()
    argv = ["train", "--data", str(data), "--preset", name, "--out", str(out), "--threads", "1", "--quiet"]
    return argv + [part for setting in settings for part in ("--set", setting)]


def check(server: Forkserver, folder: Path, name: str, changes: str, world: int) -> None:
    data = material(folder, PRESETS[name].train.domain)
    whole, killed = (command(name, changes, data, folder / out) for out in ("whole", "killed"))
    told = start(server, folder, whole, world)
    assert {code for code, _ in told} == {0}, told
    assert COMPILER not in told[0][1]
    told = start(server, folder, killed, world, kill=(0, 23))
    assert told[0][0] == -signal.SIGKILL, told
    assert [path.name for path in (folder / "killed").glob("checkpoint-*")] == [
        "checkpoint-00000020.safetensors"
    ]
    told = start(server, folder, killed, world)
    assert {code for code, _ in told} == {0}, told
    found, wanted = last(folder / "killed"), last(folder / "whole")
    assert found.keys() == wanted.keys()
    assert any(key.startswith("slots.") for key in wanted)
    assert [key for key, t in wanted.items() if not torch.equal(found[key], t)] == []
    weights = [(folder / out / "final.safetensors").stat().st_size for out in ("whole", "killed")]
    assert weights[0] > 0 < weights[1]


@pytest.mark.parametrize(("name", "changes", "world"), QUICK)
def test_a_killed_run_is_the_whole_run(
    name: str, changes: str, world: int, forkserver: Forkserver, tmp_path: Path
) -> None:
    check(forkserver, tmp_path, name, changes, world)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "changes", "world"), ALL)
def test_every_preset_and_optimizer(
    name: str, changes: str, world: int, forkserver: Forkserver, tmp_path: Path
) -> None:
    check(forkserver, tmp_path, name, changes, world)
