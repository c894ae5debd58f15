"""One save of a run that has two older checkpoints: the moment that is killed at each of its system calls."""

import functools
import os
import shutil
import signal
from pathlib import Path

import torch

from arc_solver.checkpoints.file_format import CheckpointError, checkpoint_name, checkpoints
from arc_solver.storage.files import sweep_stale
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.run_checkpoint import resume, save_state
from tests.arc_solver.tiny import Run, preset, run
from tests.crash import failpoints
from tests.crash.journal import Journal
from tests.crash.scene import Tensors, differences, tensors

OLD, NEW = 2, 3


def trained(until: int) -> Run:
    """The run after so many steps."""
    found = run(preset())
    run_steps(found.state, found.preset.train, Limits(stop=lambda: found.state.step >= until), Hooks())
    return found


def save(found: Run, folder: Path) -> Path:
    """Write the checkpoint of the step that the run is at; the oldest beyond two is removed."""
    return save_state(folder, found.state, found.preset, found.puzzles, found.data, {})


def before(folder: Path) -> None:
    """Fill `folder` with what lies there when the save begins: the checkpoints of two steps."""
    for step in (OLD - 1, OLD):
        save(trained(step), folder)


@functools.cache
def ready() -> Run:
    """The run whose save is killed, trained once in the server; every child has its own copy."""
    return trained(NEW)


@functools.cache
def _restarted() -> Run:
    """What restarts load into: all of it is overwritten each time."""
    return run(preset())


def save_and_die(folder: str, journal: str, at: int, do: str, names: list[str], pause: bool) -> None:
    """In a process of its own: the save of step NEW, failing at a system call, or paused just before it."""
    found = ready()
    if pause:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        failpoints.fail_at(Journal(Path(journal)), at, do, tuple(names), only_saves=False)
    save(found, Path(folder))


def outcomes(folder: Path) -> dict[int, Tensors]:
    """What a restart may find: the tensors of the old step and of the new one."""
    for step in (OLD, NEW):
        save(trained(step), folder)
    return {step: tensors(folder / checkpoint_name(step)) for step in (OLD, NEW)}


def verdict(folder: Path, expected: dict[int, Tensors]) -> tuple[int, list[str]]:
    """Restart in `folder` after a crash: the step that was found, and everything that is not as promised."""
    sweep_stale(folder)
    faults = [f"{path.name} is left" for path in folder.iterdir() if path.name.startswith(".arc-solver")]
    found = _restarted()
    found.state.step = 0
    try:
        facts = resume(folder, found.state, found.preset, found.data, faults.append)
    except CheckpointError as error:
        return 0, [*faults, str(error)]
    step = found.state.step
    if facts is None or step not in expected:
        return step, [*faults, f"the restart found step {step}"]
    kept = found.state.tensors()
    wanted = {n: t for n, t in expected[step].items() if not n.startswith("puzzles.")}
    faults += list(kept.keys() ^ wanted.keys())
    faults += [name for name in kept.keys() & wanted.keys() if _bytes(kept[name]) != wanted[name][2]]
    for path in checkpoints(folder):
        number = int(path.stem.split("-")[1])
        if number in expected and path.name not in str(faults):
            faults += differences(tensors(path), expected[number])
    return step, faults


def copied(template: Path, folder: Path) -> Path:
    """A fresh copy of a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
