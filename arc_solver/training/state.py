"""Everything that changes during training, in one place, so that one checkpoint holds all of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from arc_solver.config import TrainConfig
from arc_solver.domains.protocols import TrainingData
from arc_solver.hardware.memory import keep_freed_memory
from arc_solver.hardware.torch_device import compute_dtype, rounded_factors
from arc_solver.model.compiling import Compiler, compiles, plainly
from arc_solver.model.puzzle_embedding import CODE_LENGTH, SignSGD
from arc_solver.model.trm import Asked, Model, Output
from arc_solver.training.batches import Batches
from arc_solver.training.distributed import Team
from arc_solver.training.non_finite import Guard
from arc_solver.training.optim import MovingAverage, Optimizers
from arc_solver.training.replays import Replays, Work, cuda_recorder
from arc_solver.training.slots import Slots

# Positions in one backward pass on a CPU, whose activations must fit in memory.
MAX_POSITIONS = 8192


class TrainState:
    """Model, moving average, optimizers, rows in flight, step and seconds of one process."""

    def __init__(
        self,
        model: Model,
        data: TrainingData,
        config: TrainConfig,
        device: torch.device,
        *,
        team: Team | None = None,
    ) -> None:
        self.team = team or Team()
        self.model = model.to(device)
        self.model.compute_dtype = compute_dtype(config.precision, device)
        self.model.rounded_factors = rounded_factors(config.precision, device, self.model.config.width)
        if device.type == "cpu":
            keep_freed_memory()
        # The table of rows is by far the largest tensor; unless averaged it is shared, not copied.
        rows = self.model.puzzle.rows
        shared = {} if config.ema_rows else {id(rows): rows}
        self.averaged = copy.deepcopy(self.model, shared).requires_grad_(False)
        self.average = MovingAverage(self.model, self.averaged, config.ema, config.ema_rows)
        self.optimizers = Optimizers(self.model, config)
        self.sign_sgd = SignSGD(self.model.puzzle)
        self.guard = Guard(device)
        self.batches = Batches(data, config, device, rank=self.team.rank, world=self.team.world)
        self.slots = self.fresh_slots()
        for canvas in data.canvases:
            self.model.place(canvas, device)  # now: made during compilation, it would force another
        self.joins = config.compile == "auto"  # other settings compile, or compare with, single canvases
        self.run: Callable[..., Any] = Compiler() if compiles(config.compile, device) else plainly
        # The whole forward pass, or only its updates where the whole is too much for the compiler.
        whole = config.compile == "on"
        self.forward: Callable[..., Output] = partial(self.run, self.model) if whole else self.model
        self.model.run = plainly if whole else self.run
        if device.type == "cuda":
            self.averaged.run = self.model.run
        self.replays: Replays | None = None
        if config.compile == "graphs":
            self.replay_with(cuda_recorder(device))
        for each in self.slots:
            each.adopts = self.run is plainly
        self.warm = False  # whether everything to be compiled is
        self.step = 0
        self.seconds = 0.0  # of training, over all sessions
        self.passed_over: list[Path] = []  # damaged checkpoints that were skipped on resuming

    def replay_with(self, record: Callable[[Work], Work]) -> None:
        """From now on record a step up to its gradients, once per canvas, and replay the record."""
        self.replays = Replays(record)
        for each in self.slots:
            each.adopts = False
        self.optimizers.keep_gradients()

    def fresh_slots(self) -> list[Slots]:
        """Empty slots for every canvas."""
        config, device = self.batches.config, self.batches.device
        hinted_age = config.max_age if config.hint_weight else 0
        return [
            Slots(self.model, end - start, canvas, device, hinted_age=hinted_age)
            for canvas, (start, end) in zip(self.batches.data.canvases, self.batches.spans, strict=True)
        ]

    def joined_groups(self) -> list[list[int]]:
        """The canvases with rows in flight, grouped by those that share a forward pass on this device."""
        joins = self.joins and self.model.joins and self.model.first_answer.device.type == "cpu"
        joined: list[list[int]] = []
        positions = MAX_POSITIONS
        for group, slots in enumerate(self.slots):
            num = slots.carry.answer.shape[0] * slots.carry.answer.shape[1]
            if num and (not joins or positions + num > MAX_POSITIONS):
                joined.append([])
                positions = 0
            if num:
                joined[-1].append(group)
                positions += num
        return joined

    def forwards(self, asked: Sequence[Asked], depth: tuple[int, int] | None, attached: bool) -> list[Output]:
        """The outputs for each canvas, see `Model.forward`."""
        if len(asked) > 1:
            return self.model.together(asked, depth, attached)
        return [self.forward(*asked[0], depth, attached)]

    def moved_by_a_step(self) -> list[Tensor]:
        """What a step changes on the device, except rows: weights, their average, optimizer tensors."""
        tensors = [p.detach() for p in (*self.optimizers.parameters, *self.average.target)]
        tensors += self.optimizers.state().values()
        device = self.model.first_answer.device
        return [t for t in tensors if t.device == device]

    def tensors(self, *, in_flight: bool = True) -> dict[str, Tensor]:
        """Every tensor that must survive a restart, by name; all processes call this together.

        Dense tensors are live: copying into them restores a run. Slots are joined in the order of the
        processes, or left out without `in_flight`.
        """
        named = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        shared = set() if self.average_has_rows else {"puzzle.rows"}
        named |= {f"average.{n}": t for n, t in self.averaged.state_dict().items() if n not in shared}
        named |= {f"optimizer.{name}": t for name, t in self.optimizers.state().items()}
        for group, slots in enumerate(self.slots if in_flight else []):
            sizes = self.batches.all_sizes([group])
            for name, t in slots.state().items():
                named[f"slots.{group}.{name}"] = self.team.gather(t, sizes)
        return named

    @property
    def in_flight_bytes(self) -> int:
        """Size of the rows in flight in all processes."""
        return sum(
            total * t.element_size() * math.prod(t.shape[1:])
            for total, slots in zip(self.batches.global_slots, self.slots, strict=True)
            for t in slots.state().values()
        )

    @property
    def average_has_rows(self) -> bool:
        """Whether the moving average keeps rows of its own."""
        return self.averaged.puzzle.rows is not self.model.puzzle.rows

    @torch.no_grad()
    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `tensors` returned; the caller has checked names and shapes."""
        slots: dict[int, dict[str, Tensor]] = {}
        own = self.tensors()
        for name, t in tensors.items():
            if name.startswith("slots."):
                _, group, field = name.split(".", 2)
                slots.setdefault(int(group), {})[field] = t
            else:
                own[name].copy_(t)
        for number, state in slots.items():
            start, end = self.batches.spans[number]
            self.slots[number].load_state({name: t[start:end] for name, t in state.items()})

    def shared_rows(self, touched: Sequence[tuple[Tensor, Tensor]]) -> Callable[[], tuple[Tensor, Tensor]]:
        """Start joining codes (B, 12) and row gradients (B, row width) of canvases and all processes.

        Calling the result waits for them. Codes travel as the bits of float32, so one collective is enough.
        """
        rows = self.model.puzzle.rows
        packed = torch.cat(
            [
                rows.new_zeros(0, CODE_LENGTH + rows.shape[1]),
                *(torch.cat((codes.view(rows.dtype), gradient), dim=1) for codes, gradient in touched),
            ]
        )
        groups = range(len(self.slots)) if self.model.config.embedding != "none" else []
        gathered = self.team.gathering(packed, self.batches.all_sizes(groups)) if groups else None

        def joined() -> tuple[Tensor, Tensor]:
            codes, gradients = (gathered() if gathered else packed).tensor_split([CODE_LENGTH], dim=1)
            return codes.view(torch.int32), gradients

        return joined
