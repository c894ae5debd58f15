"""Answers with adaptive halting: rows in flight, a row that is done leaves and a waiting one takes its place.

Shapes: B rows in flight, n rows that left, L tokens of the canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from arc_solver.config import PredictConfig
from arc_solver.domain import QueryData
from arc_solver.inference.memory import is_out_of_memory, release_memory
from arc_solver.model.trm import Carry, Model, halting_logit


class Answered(NamedTuple):
    """Rows of one group that left: their final tokens, halting probability and age."""

    group: int
    rows: npt.NDArray[np.int64]  # (n,)
    tokens: npt.NDArray[np.uint8]  # (n, L)
    confidence: npt.NDArray[np.float32]  # (n,)
    ages: npt.NDArray[np.int64]  # (n,)


class Flight:
    """Mutable state of the rows in flight of one canvas, of static shapes."""

    def __init__(self, model: Model, data: QueryData, group: int, num_slots: int) -> None:
        self.model, self.data, self.group = model, data, group
        self.canvas = data.canvases[group]
        self.device = model.first_answer.device
        length = self.canvas[0] * self.canvas[1]
        self.row = np.full(num_slots, -1, np.int64)  # -1: idle
        self.age = np.zeros(num_slots, np.int64)
        self.unchanged = np.zeros(num_slots, np.int64)
        self.answer = np.zeros((num_slots, length), np.uint8)
        self.tokens = torch.zeros(num_slots, length, dtype=torch.uint8, device=self.device)
        self.codes = torch.zeros(num_slots, 12, dtype=torch.int32, device=self.device)
        fresh = model.first_carry(num_slots, model.config.prefix + length)
        self.carry = Carry(*(t.clone() for t in fresh))

    def board(self, rows: npt.NDArray[np.int64]) -> None:
        """Seat waiting rows in idle slots; there are at least as many."""
        slots = np.flatnonzero(self.row < 0)[: len(rows)]
        tokens = np.empty((len(rows), self.answer.shape[1]), np.uint8)
        codes = np.empty((len(rows), 12), np.int32)
        self.data.paint(self.group, rows, tokens, codes)
        seats = torch.from_numpy(slots).to(self.device)
        self.tokens[seats] = torch.from_numpy(tokens).to(self.device)
        self.codes[seats] = torch.from_numpy(codes).to(self.device)
        for state, first in zip(
            self.carry, self.model.first_carry(1, self.carry.answer.shape[1]), strict=True
        ):
            state[seats] = first.expand(len(rows), *first.shape[1:]).to(state.dtype)
        self.row[slots], self.age[slots], self.unchanged[slots] = rows, 0, 0
        self.answer[slots] = 0

    def think(self) -> npt.NDArray[np.float32]:
        """One forward for all rows; returns their halting logits (B,)."""
        output = self.model(self.tokens, self.codes, self.carry, self.canvas)
        self.carry = output.carry
        answer = output.logits.argmax(dim=-1).to(torch.uint8).cpu().numpy()
        same = (answer == self.answer).all(axis=1) & (self.age > 0)
        self.unchanged = np.where(same, self.unchanged + 1, 0)
        self.answer = answer
        self.age += 1
        halt: Tensor = halting_logit(output.halt).float().cpu()
        return halt.numpy()

    def leave(self, done: npt.NDArray[np.bool_], halt: npt.NDArray[np.float32]) -> Answered:
        """Empty the slots of rows that are done."""
        slots = np.flatnonzero(done)
        confidence = np.exp(-np.logaddexp(0, -halt[slots].astype(np.float64)))
        left = Answered(
            self.group,
            self.row[slots],
            self.answer[slots],
            confidence.astype(np.float32),
            self.age[slots].copy(),
        )
        self.row[slots] = -1
        return left


Wanted = Callable[[int, npt.NDArray[np.int64]], npt.NDArray[np.bool_]]
AgeLimit = Callable[[int, int], int]


def answer_rows(
    model: Model,
    data: QueryData,
    config: PredictConfig,
    *,
    wanted: Wanted | None = None,
    stop: Callable[[], bool] = lambda: False,
    age_limit: AgeLimit | None = None,
) -> Iterator[Answered]:
    """Yield the rows of `data` as they finish, group after group, in row order of boarding.

    A row leaves when its halt logit passes `halt_logit`, when its answer stayed the same for `patience` ages,
    or at `ages`. `wanted(group, rows)` may decline rows before they board. Rows in flight when `stop()` turns
    true are given up. `age_limit(rows, tokens)`, called after each forward of so many rows on a canvas of so
    many tokens, replaces `ages`. Where memory does not suffice, half as many rows fly and the same ones are
    tried again; a row that does not fit alone is given up.
    """
    rules = _Rules(config, wanted, stop, age_limit or (lambda rows, tokens: config.ages))
    most = config.batch_size
    for group in range(len(data.canvases)):
        owed = np.ones(len(data.queries(group)), np.bool_)
        while owed.any() and not stop():
            num_slots = min(most, len(owed))
            try:
                yield from _flown(model, data, group, owed, num_slots, rules)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Only now, outside of the handler, has the failed flight let go of its tensors.
            release_memory()
            if num_slots == 1:
                owed[np.flatnonzero(owed)[0]] = False
            most = max(1, num_slots // 2)


class _Rules(NamedTuple):
    """When rows board and leave."""

    config: PredictConfig
    wanted: Wanted | None
    stop: Callable[[], bool]
    age_limit: AgeLimit


@torch.inference_mode()
def _flown(
    model: Model, data: QueryData, group: int, owed: npt.NDArray[np.bool_], num_slots: int, rules: _Rules
) -> Iterator[Answered]:
    """Answer the rows of a group that are still `owed`, and mark those that left or were declined."""
    config = rules.config
    waiting = np.flatnonzero(owed)
    flight = Flight(model, data, group, num_slots)
    while True:
        idle = int((flight.row < 0).sum())
        while idle and len(waiting):
            head, waiting = waiting[:idle], waiting[idle:]
            if rules.wanted is not None:
                keep = rules.wanted(group, head)
                owed[head[~keep]] = False
                head = head[keep]
            if len(head):
                flight.board(head)
                idle -= len(head)
        flying = flight.row >= 0
        if not flying.any() or rules.stop():
            return
        halt = flight.think()
        limit = rules.age_limit(int(flying.sum()), flight.answer.shape[1])
        done = (halt > config.halt_logit) | (flight.age >= limit)
        if config.patience:
            done |= flight.unchanged >= config.patience
        done &= flying
        if done.any():
            left = flight.leave(done, halt)
            owed[left.rows] = False
            yield left
