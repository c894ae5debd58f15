"""The cost of a run: seconds per step, measured on throwaway steps, and bytes on disk."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from arc_solver.config import Preset, TrainConfig
from arc_solver.domains.protocols import TrainingData
from arc_solver.model.compiling import plainly
from arc_solver.model.trm import Model
from arc_solver.storage.files import StorageError
from arc_solver.training.distributed import Team
from arc_solver.training.run_checkpoint import checkpoint_bytes, weights_bytes
from arc_solver.training.schedule import relative_cost
from arc_solver.training.state import TrainState
from arc_solver.training.step import train_step
from arc_solver.training.warm_up import warm_up

# Steps that are timed, after one that warms up (and compiles); fewer if they are slow.
MAX_STEPS, MAX_SECONDS = 5, 2.0


@dataclass(frozen=True)
class Estimate:
    """Seconds per step at full depth, and bytes of a checkpoint and of a file of weights."""

    seconds_per_step: float
    steps: int
    relative_cost: float  # of the mean step, relative to one at full depth
    checkpoint_bytes: int
    weights_bytes: int
    keep: int
    activation_bytes: int = 0  # the peak that one step keeps for its backward pass

    @property
    def seconds(self) -> float:
        """Training seconds for all steps."""
        return self.seconds_per_step * self.relative_cost * self.steps

    @property
    def disk_bytes(self) -> int:
        """The peak size of the folder: checkpoints, best and final weights, a half-written file."""
        return peak_bytes(self.checkpoint_bytes, self.weights_bytes, self.keep)

    def steps_within(self, seconds: float) -> int:
        """How many of the steps fit within a limit; the schedule is fitted to them."""
        return min(self.steps, int(seconds / (self.seconds_per_step * self.relative_cost)))


def estimate(
    preset: Preset, model: Model, data: TrainingData, device: torch.device, team: Team | None = None
) -> Estimate:
    """Measure `preset` on `model`, which does not change; all processes call it together."""
    state = TrainState(model, data, preset.train, device, team=team)
    return Estimate(
        seconds_per_step(state, preset.train),
        preset.train.steps,
        relative_cost(preset.train, preset.model),
        checkpoint_bytes(state),
        weights_bytes(state),
        max(2, preset.train.keep),
        activation_bytes(TrainState(model, data, preset.train, device, team=team), preset.train),
    )


def seconds_per_step(state: TrainState, config: TrainConfig) -> float:
    """The median time of a few steps at full depth with learning rate zero; uses up `state`."""
    seconds: list[float] = []
    warm_up(state, config)
    for number in range(1 + MAX_STEPS):
        batches = [batch.to(state.batches.device) for batch in state.batches.paint(number)]
        started = time.perf_counter()
        measures = train_step(state, batches, config, 0.0)
        measures.tolist()  # waits for the device
        state.guard.check()
        seconds.append(time.perf_counter() - started)
        (enough,) = state.team.agree(anyone=sum(seconds) > MAX_SECONDS and number >= 1)
        if enough:
            break
    return sorted(seconds[1:])[(len(seconds) - 1) // 2]


def activation_bytes(state: TrainState, config: TrainConfig) -> int:
    """The peak that an uncompiled step keeps for its backward pass; uses up `state`.

    On CUDA, where such a step may not fit, it is the peak allocation of the step as it runs.
    """
    batches = [batch.to(state.batches.device) for batch in state.batches.paint(0)]
    if state.batches.device.type == "cuda":
        warm_up(state, config)
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        train_step(state, batches, config, 0.0)
        return torch.cuda.max_memory_allocated() - before
    state.forward, state.run, state.model.run = state.model, plainly, plainly
    saved = _Saved()
    with torch.autograd.graph.saved_tensors_hooks(saved.pack, _SavedTensor.unpack):
        train_step(state, batches, config, 0.0)
    return saved.peak


class _Saved:
    """Counts the bytes of the storages saved for backward passes, each once."""

    def __init__(self) -> None:
        self.uses: Counter[int] = Counter()
        self.now = self.peak = 0

    def pack(self, tensor: Tensor) -> _SavedTensor:
        return _SavedTensor(self, tensor)

    def add(self, place: int, size: int, number: int) -> None:
        """Count one more (1) or one fewer (-1) use of the storage at `place`."""
        self.uses[place] += number
        if self.uses[place] == max(number, 0):
            self.now += number * size
            self.peak = max(self.peak, self.now)


class _SavedTensor:
    """A tensor saved for a backward pass; counted as long as it lives."""

    def __init__(self, saved: _Saved, tensor: Tensor) -> None:
        self.saved, self.tensor = saved, tensor
        storage = tensor.untyped_storage()
        self.place, self.size = storage.data_ptr(), storage.nbytes()
        saved.add(self.place, self.size, 1)

    def __del__(self) -> None:
        self.saved.add(self.place, self.size, -1)

    def unpack(self) -> Tensor:
        return self.tensor


def peak_bytes(checkpoint: int, weights: int, keep: int) -> int:
    """The size of `keep` checkpoints, best and final weights, and one more, incomplete file."""
    return keep * checkpoint + 2 * weights + max(checkpoint, weights)


def check_disk(folder: Path, state: TrainState, keep: int) -> str:
    """A warning if the disk of `folder` will not hold the whole run, else "".

    StorageError if not even one checkpoint fits.
    """
    place = next(p for p in (folder.resolve(), *folder.resolve().parents) if p.is_dir())
    free = shutil.disk_usage(place).free
    one = checkpoint_bytes(state)
    if free < one:
        raise StorageError(
            f"cannot train in {folder}: a checkpoint needs {one} bytes, {free} are available; "
            "free some or choose another --out"
        )
    written = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    needed = peak_bytes(one, weights_bytes(state), max(2, keep)) - written
    if free >= needed:
        return ""
    return f"{folder} will need {needed} more bytes, {free} are available: free some, or the run ends early"
