"""What a run will cost: seconds a step, measured on throwaway steps, and bytes on the disk."""

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

# Timed after one step that warms up (and compiles); fewer where they are slow.
MOST_STEPS, MOST_SECONDS = 5, 2.0


@dataclass(frozen=True)
class Estimate:
    """Seconds of a step at full depth, and bytes of a checkpoint and of a file of weights."""

    seconds_per_step: float
    steps: int
    relative_cost: float  # of the mean step, next to one at full depth
    checkpoint_bytes: int
    weights_bytes: int
    keep: int
    activation_bytes: int = 0  # the most that one step keeps for its backward pass

    @property
    def seconds(self) -> float:
        """Of training, for all steps."""
        return self.seconds_per_step * self.relative_cost * self.steps

    @property
    def disk_bytes(self) -> int:
        """The most the folder holds at once: checkpoints, best and final weights, a half-written file."""
        return most_bytes(self.checkpoint_bytes, self.weights_bytes, self.keep)

    def steps_within(self, seconds: float) -> int:
        """How many of the steps fit into a limit; the schedule is fitted to them."""
        return min(self.steps, int(seconds / (self.seconds_per_step * self.relative_cost)))


def estimate(
    preset: Preset, model: Model, data: TrainingData, device: torch.device, team: Team | None = None
) -> Estimate:
    """Measure `preset` on `model`, whose numbers stay as they are; all processes call together."""
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
    """The median time of a few steps at full depth and at a learning rate of zero; `state` is used up."""
    seconds: list[float] = []
    warm_up(state, config)
    for number in range(1 + MOST_STEPS):
        batches = [batch.to(state.batches.device) for batch in state.batches.paint(number)]
        started = time.perf_counter()
        measures = train_step(state, batches, config, 0.0)
        measures.tolist()  # waits for the device
        state.guard.check()
        seconds.append(time.perf_counter() - started)
        (enough,) = state.team.agree(anyone=sum(seconds) > MOST_SECONDS and number >= 1)
        if enough:
            break
    return sorted(seconds[1:])[(len(seconds) - 1) // 2]


def activation_bytes(state: TrainState, config: TrainConfig) -> int:
    """The most that a step, not compiled, keeps at once for its backward pass; `state` is used up.

    On CUDA, where such a step may not fit, it is what the step that runs allocated at its peak.
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
    """Counts the bytes of the storages that backward passes wait for, each once."""

    def __init__(self) -> None:
        self.uses: Counter[int] = Counter()
        self.now = self.peak = 0

    def pack(self, tensor: Tensor) -> _SavedTensor:
        return _SavedTensor(self, tensor)

    def add(self, place: int, size: int, number: int) -> None:
        """`number` more (1) or less (−1) wait for the storage at `place`."""
        self.uses[place] += number
        if self.uses[place] == max(number, 0):
            self.now += number * size
            self.peak = max(self.peak, self.now)


class _SavedTensor:
    """A tensor that a backward pass waits for; counted as long as it lives."""

    def __init__(self, saved: _Saved, tensor: Tensor) -> None:
        self.saved, self.tensor = saved, tensor
        storage = tensor.untyped_storage()
        self.place, self.size = storage.data_ptr(), storage.nbytes()
        saved.add(self.place, self.size, 1)

    def __del__(self) -> None:
        self.saved.add(self.place, self.size, -1)

    def unpack(self) -> Tensor:
        return self.tensor


def most_bytes(checkpoint: int, weights: int, keep: int) -> int:
    """Of `keep` checkpoints, best and final weights, and one more file that is not yet complete."""
    return keep * checkpoint + 2 * weights + max(checkpoint, weights)


def check_disk(folder: Path, state: TrainState, keep: int) -> str:
    """A warning where the disk of `folder` will not hold all of a run, else nothing.

    StorageError when not even one checkpoint fits.
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
    needed = most_bytes(one, weights_bytes(state), max(2, keep)) - written
    if free >= needed:
        return ""
    return f"{folder} will need {needed} more bytes, {free} are available: free some, or the run ends early"
