"""Batch rows in flight: a row stays until its answer is done, then its place takes the next example.

Shapes: B slots of one canvas, L tokens.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from arc_solver.model.trm import Carry, Model, Output, halting_logit
from arc_solver.training.hints import HintTensors


class Batch(NamedTuple):
    """Fresh examples for every slot; only halted slots take theirs."""

    tokens: Tensor  # (B, L) uint8
    targets: Tensor  # (B, L) uint8
    codes: Tensor  # (B, 12) int32, see model.puzzle_embedding
    least_age: Tensor  # (B,) int32: a slot younger than this does not halt at this step (exploration)
    hints: HintTensors | None = None

    def to(self, device: torch.device) -> Batch:
        """The batch on another device, without waiting for it."""
        *plain, hints = self
        if hints is not None:
            hints = HintTensors(*(t.to(device, non_blocking=True) for t in hints))
        tokens, targets, codes, least_age = (t.to(device, non_blocking=True) for t in plain)
        return Batch(tokens, targets, codes, least_age, hints)


class Slots:
    """Mutable rows in flight of one canvas. Starts with every slot halted, so the first refill fills all."""

    def __init__(
        self,
        model: Model,
        num_slots: int,
        canvas: tuple[int, int],
        device: torch.device,
        *,
        hinted_age: int = 0,
    ) -> None:
        """`hinted_age` is `max_age` where rows come with dense labels, which ask for different things at
        different ages: their first examples then leave one after the other, so that ages mix."""
        length = canvas[0] * canvas[1]
        self.model, self.canvas = model, canvas
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
        """Give every halted slot its fresh example and the first carry."""
        halted = self.halted[:, None]
        self.tokens = torch.where(halted, batch.tokens, self.tokens)
        self.targets = torch.where(halted, batch.targets, self.targets)
        self.codes = torch.where(halted, batch.codes, self.codes)
        self.age = torch.where(self.halted, 0, self.age)
        if self.hints is not None and batch.hints is not None:
            self.hints = batch.hints.where(self.halted, self.hints)
        fresh = self.fresh_carry()
        self.carry = Carry(
            *(
                torch.where(_wide(self.halted, new), new, old)
                for new, old in zip(fresh, self.carry, strict=True)
            )
        )

    def advance(
        self, output: Output, least_age: Tensor, max_age: int, ages: int = 1, lost: Tensor | None = None
    ) -> None:
        """Keep the new carry, grow `ages` older, mark who is done: halting > 0 and old enough, or `max_age`.

        Halting is looked at after the last of these ages alone; rows that are `lost` (B,) are done at once.
        """
        self.carry = output.carry
        self.age = self.age + ages
        done = (halting_logit(output.halt.detach()) > 0) & (self.age >= least_age)
        if lost is not None:
            done = done | lost
        self.halted = done | (self.age >= (max_age if self.hints is None else self.limit))
        if self.hints is not None:
            self.limit = torch.where(self.halted, max_age, self.limit)

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
        """Take back what `state` gave; shapes must be equal."""
        device = self.tokens.device
        taken = {name: t.to(device) for name, t in state.items()}
        self.carry = Carry(taken.pop("answer"), taken.pop("latent"))
        if self.hints is not None:
            self.hints = HintTensors(*(taken.pop(name) for name in HintTensors._fields))
        for name, t in taken.items():
            setattr(self, name, t)


def _wide(mask: Tensor, like: Tensor) -> Tensor:
    return mask.view(-1, *([1] * (like.dim() - 1)))
