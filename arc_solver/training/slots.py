"""Batch rows in flight: a row keeps its slot until its answer is done; then the next example takes it.

Shapes: B slots of one canvas, L tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from arc_solver.model.trm import Carry, Model, Output, halting_logit
from arc_solver.training.hints import HintTensors


class Batch(NamedTuple):
    """New examples for all slots; only halted slots take theirs."""

    tokens: Tensor  # (B, L) uint8
    targets: Tensor  # (B, L) uint8
    codes: Tensor  # (B, 12) int32, see model.puzzle_embedding
    least_age: Tensor  # (B,) int32: younger rows do not halt at this step (exploration)
    hints: HintTensors | None = None

    def to(self, device: torch.device) -> Batch:
        """The batch on another device, copied without waiting."""
        return self._each(lambda t: t.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The batch in memory that a GPU can read directly."""
        return self._each(Tensor.pin_memory)

    def copy_(self, other: Batch) -> None:
        """Overwrite this batch with one of the same shapes."""
        *plain, hints = self
        *theirs, their_hints = other
        for mine, new in zip((*plain, *(hints or ())), (*theirs, *(their_hints or ())), strict=True):
            mine.copy_(new)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        *plain, hints = self
        tokens, targets, codes, least_age = map(change, plain)
        return Batch(
            tokens, targets, codes, least_age, None if hints is None else HintTensors(*map(change, hints))
        )


class Slots:
    """Rows in flight on one canvas, in tensors that are only ever written in place.

    All slots start halted, so that the first refill fills them. If nothing is recorded or compiled, a copy
    can be saved: then `adopts` is set, and new carries are kept as they come.
    """

    def __init__(
        self,
        model: Model,
        num_slots: int,
        canvas: tuple[int, int],
        device: torch.device,
        *,
        hinted_age: int = 0,
    ) -> None:
        """`hinted_age` is `max_age` if rows have dense labels, whose loss depends on the age: the first
        examples then leave one after another, so that ages mix."""
        length = canvas[0] * canvas[1]
        self.model, self.canvas = model, canvas
        self.adopts = False
        self.tokens = torch.zeros(num_slots, length, dtype=torch.uint8, device=device)
        self.targets = torch.zeros(num_slots, length, dtype=torch.uint8, device=device)
        self.codes = torch.zeros(num_slots, 12, dtype=torch.int32, device=device)
        self.age = torch.zeros(num_slots, dtype=torch.int32, device=device)
        self.halted = torch.ones(num_slots, dtype=torch.bool, device=device)
        self.carry = Carry(*(t.contiguous() for t in self.fresh_carry()))
        self.hints = HintTensors.none(num_slots, length, device) if hinted_age else None
        self.limit = (
            torch.arange(1, num_slots + 1, dtype=torch.int32, device=device) * hinted_age // num_slots
        )

    def fresh_carry(self) -> Carry:
        """y0 and z0 for every slot."""
        return self.model.first_carry(
            self.tokens.shape[0], self.model.config.num_positions(self.tokens.shape[1])
        )

    def refill(self, batch: Batch) -> None:
        """Give every halted slot its new example and the first carry."""
        self._replace(self.tokens, batch.tokens)
        self._replace(self.targets, batch.targets)
        self._replace(self.codes, batch.codes)
        self.age.masked_fill_(self.halted, 0)
        if self.hints is not None and batch.hints is not None:
            for old, new in zip(self.hints, batch.hints, strict=True):
                self._replace(old, new)
        for old, new in zip(self.carry, self.fresh_carry(), strict=True):
            self._replace(old, new)

    def _replace(self, old: Tensor, new: Tensor) -> None:
        """Overwrite `old` with `new` in halted slots."""
        torch.where(self.halted.view(-1, *([1] * (old.dim() - 1))), new, old, out=old)

    def advance(
        self, output: Output, least_age: Tensor, max_age: int, ages: int = 1, lost: Tensor | None = None
    ) -> None:
        """Keep the new carry, add `ages`, halt rows at `max_age` or with a logit > 0 and old enough.

        Only the halting logit after the last of these ages counts. Rows that are `lost` (B,) halt at once.
        """
        if self.adopts:
            self.carry = output.carry
        else:
            for kept, new in zip(self.carry, output.carry, strict=True):
                kept.copy_(new)
        self.age += ages
        done = (halting_logit(output.halt.detach()) > 0) & (self.age >= least_age)
        if lost is not None:
            done |= lost
        self.halted.copy_(done | (self.age >= (max_age if self.hints is None else self.limit)))
        if self.hints is not None:
            self.limit.masked_fill_(self.halted, max_age)

    def state(self) -> dict[str, Tensor]:
        """Every tensor that must survive a restart, by name."""
        hints = {} if self.hints is None else {**self.hints._asdict(), "limit": self.limit}
        return {
            "tokens": self.tokens,
            "targets": self.targets,
            "codes": self.codes,
            "age": self.age,
            "halted": self.halted,
            "answer": self.carry.answer,
            "latent": self.carry.latent,
            **hints,
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned; shapes must be equal."""
        for name, t in self.state().items():
            t.copy_(state[name])
