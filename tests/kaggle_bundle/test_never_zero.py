"""Whatever fails, a valid submission stays: the ways to score zero, tried one by one."""

import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from submission.validation import validate
from tests.kaggle_bundle.image import Image
from tests.kaggle_bundle.stage import LAYOUTS, Stage, kill_tree, make_tasks, owed_by, set_stage

TASKS = make_tasks(6, 4, "e1")
OWED = owed_by(TASKS)
Damage = Callable[[Path], None]
# The first file is owed within 5 s; what is measured is work, since a busy machine makes any wait long.
MOST_WORK = 5.0


def wait_for(path: Path, process: subprocess.Popen[str]) -> tuple[float, float]:
    """Seconds until the file is there, and CPU seconds that the process and what it waited for took."""
    started = time.monotonic()
    while not path.exists():
        assert process.poll() is None, "it ended without a file"
        assert time.monotonic() - started < 60
        time.sleep(0.01)
    return time.monotonic() - started, sum(psutil.Process(process.pid).cpu_times()[:4])


def killed(stage: Stage, script: Path, seconds: float) -> tuple[float, float]:
    """Kill a run that long after its file came; returns the seconds until it came, and its CPU seconds."""
    process = stage.start(script)
    try:
        waited, work = wait_for(stage.submission, process)
        time.sleep(seconds)
    finally:
        kill_tree(process)
        process.stdout.close()
    return waited, work


@pytest.mark.parametrize("num", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_a_kill_at_any_time_leaves_a_valid_file(
    num: int, image: Image, bundle: Path, script: Path, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    rng = random.Random(seed)
    waits, works = [], []
    for index in range(num):
        stage = set_stage(tmp_path / str(index), "flat", image, bundle, TASKS, hidden=True)
        seconds = rng.choice([0.0, 1.0, 10.0]) * rng.random()
        waited, work = killed(stage, script, seconds)
        waits.append(waited)
        works.append(work)
        defects = validate(stage.submission, OWED)
        assert not defects, f"seed {seed}, killed after {seconds:.3f} s: {defects}"
    print(
        f"{num} kills, 0 invalid files; the first file came after at most {max(waits):.2f} s "
        f"and {max(works):.2f} CPU s"
    )
    assert max(works) < MOST_WORK


def remove_wheel(dataset: Path) -> None:
    next(dataset.glob("*.whl")).unlink()


def truncate_wheel(dataset: Path) -> None:
    wheel = next(dataset.glob("*.whl"))
    content = wheel.read_bytes()[:5000]
    wheel.unlink()
    wheel.write_bytes(content)


def damage_weights(dataset: Path) -> None:
    weights = next(dataset.glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    weights.unlink()
    weights.write_bytes(content)


def damaged_stage(folder: Path, image: Image, bundle: Path, damage: Damage) -> Stage:
    stage = set_stage(folder, "nested", image, bundle, TASKS, hidden=True)
    dataset = stage.inputs / LAYOUTS["nested"][1]
    dataset.chmod(0o755)
    damage(dataset)
    return stage


@pytest.mark.parametrize("damage", [remove_wheel, truncate_wheel, shutil.rmtree])
def test_without_the_solver_the_fallback_stays(
    damage: Damage, bare_image: Image, bundle: Path, script: Path, tmp_path: Path
) -> None:
    stage = damaged_stage(tmp_path, bare_image, bundle, damage)
    text = stage.run(script)
    assert not validate(stage.submission, OWED)
    assert not stage.answered()
    assert "FAILED" in text or "not found" in text


@pytest.mark.slow
def test_damaged_weights_cost_only_the_weights(
    image: Image, bundle: Path, script: Path, tmp_path: Path
) -> None:
    stage = damaged_stage(tmp_path, image, bundle, damage_weights)
    text = stage.run(script)
    assert not validate(stage.submission, OWED)
    assert "once more on the CPU, from the weights in the wheel" in text
    assert stage.answered() == TASKS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("gpu", ["NVIDIA L4", "Tesla P100-PCIE-16GB"])
def test_a_gpu_that_torch_cannot_use_still_ends_valid(
    gpu: str, image: Image, bundle: Path, script: Path, tmp_path: Path
) -> None:
    stage = set_stage(tmp_path, "flat", image, bundle, TASKS, hidden=True)
    stage.driver.write_text(f"#!/bin/sh\necho '{gpu}'\necho '{gpu}'\n")
    text = stage.run(script)
    assert not validate(stage.submission, OWED)
    assert f"devices: {gpu}, {gpu}" in text
