"""Answers with adaptive halting: a row that is done leaves its slot, and a waiting row takes its place.

Shapes: B slots, n rows that left, L tokens of the canvas, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from arc_solver.config import PredictConfig
from arc_solver.domains.protocols import Breaks, QueryData
from arc_solver.hardware.memory import is_out_of_memory, release_memory
from arc_solver.inference.backtracking import EMPTY, Trail, next_move
from arc_solver.inference.noise import Disturb, mixed, normal_numbers
from arc_solver.model.trm import Carry, Model, halting_logit


class Answered(NamedTuple):
    """Rows of one group that left: their final tokens with log-probabilities, halting probability and age.

    `confident` marks rows whose halting logit passed the threshold; the others left for another reason.
    """

    group: int
    rows: npt.NDArray[np.int64]  # (n,)
    tokens: npt.NDArray[np.uint8]  # (n, L)
    log_probabilities: npt.NDArray[np.float32]  # (n, L)
    confidence: npt.NDArray[np.float32]  # (n,)
    ages: npt.NDArray[np.int64]  # (n,)
    confident: npt.NDArray[np.bool_]  # (n,)


class Thought(NamedTuple):
    """The answers of the rows in slots of one group after an age, with their halting logits."""

    group: int
    rows: npt.NDArray[np.int64]  # (n,)
    ages: npt.NDArray[np.int64]  # (n,)
    tokens: npt.NDArray[np.uint8]  # (n, L)
    halt_logits: npt.NDArray[np.float32]  # (n,)


class AnswerSlots:
    """Mutable state of the rows of one canvas being answered; shapes change only once no row waits."""

    def __init__(self, model: Model, data: QueryData, group: int, num_slots: int) -> None:
        self.model, self.data, self.group = model, data, group
        self.canvas = data.canvases[group]
        self.device = model.first_answer.device
        length = self.canvas[0] * self.canvas[1]
        self.row = np.full(num_slots, -1, np.int64)  # -1: idle
        self.age = np.zeros(num_slots, np.int64)
        self.unchanged = np.zeros(num_slots, np.int64)
        self.key = np.zeros(num_slots, np.uint64)
        self.sigma = np.zeros(num_slots, np.float32)
        self.answer = np.zeros((num_slots, length), np.uint8)
        self.asked = np.zeros((num_slots, length), np.uint8)  # the question with the present guesses
        self.settling = np.zeros(num_slots, np.int64)  # ages since the start or the last guess
        self.trails = np.full(num_slots, None, object)
        self.logits: Tensor | None = None  # (B, L, V) of the last forward
        self.tokens = torch.zeros(num_slots, length, dtype=torch.uint8, device=self.device)
        self.codes = torch.zeros(num_slots, 12, dtype=torch.int32, device=self.device)
        fresh = model.first_carry(num_slots, model.config.num_positions(length))
        self.carry = Carry(*(t.clone() for t in fresh))

    def refill(self, rows: npt.NDArray[np.int64], disturb: Disturb | None = None) -> None:
        """Put waiting rows into idle slots, of which there are enough. `disturb` gives their noise."""
        slots = np.flatnonzero(self.row < 0)[: len(rows)]
        tokens = np.empty((len(rows), self.answer.shape[1]), np.uint8)
        codes = np.empty((len(rows), 12), np.int32)
        self.data.paint(self.group, rows, tokens, codes)
        indices = torch.from_numpy(slots).to(self.device)
        self.tokens[indices] = torch.from_numpy(tokens).to(self.device)
        self.codes[indices] = torch.from_numpy(codes).to(self.device)
        self._begin(slots)
        self.row[slots], self.age[slots], self.unchanged[slots] = rows, 0, 0
        self.answer[slots] = 0
        self.asked[slots], self.settling[slots] = tokens, 0
        for slot in slots:
            self.trails[slot] = Trail()
        if disturb is not None:
            self.key[slots], self.sigma[slots] = disturb(self.group, rows)

    def advance(self) -> npt.NDArray[np.float32]:
        """One forward pass of all slots; returns the halting logits (B,)."""
        self._disturb()
        output = self.model(self.tokens, self.codes, self.carry, self.canvas)
        self.carry, self.logits = output.carry, output.logits
        answer = output.logits.argmax(dim=-1).to(torch.uint8).cpu().numpy()
        same = (answer == self.answer).all(axis=1) & (self.age > 0)
        self.unchanged = np.where(same, self.unchanged + 1, 0)
        self.answer = answer
        self.age += 1
        self.settling += 1
        halt: Tensor = halting_logit(output.halt).float().cpu()
        return halt.numpy()

    def _disturb(self) -> None:
        """Add noise to the answer state of every row that has some."""
        slots = np.flatnonzero((self.sigma > 0) & (self.row >= 0))
        if not len(slots):
            return
        answer = self.carry.answer
        keys = mixed(self.key[slots], self.age[slots].astype(np.uint64))
        noise = normal_numbers(keys, answer.shape[1], answer.shape[2], self.device)
        sigma = torch.from_numpy(self.sigma[slots]).to(self.device)[:, None, None]
        indices = torch.from_numpy(slots).to(self.device)
        answer[indices] = (answer[indices].float() + sigma * noise).to(answer.dtype)

    def kept(self, breaks: Breaks) -> npt.NDArray[np.bool_]:
        """(B,): whether the answer fills every cell, keeps the givens and guesses, and breaks no rule."""
        stands = (self.asked == EMPTY) | (self.asked == self.answer)
        whole = (stands & (self.answer > EMPTY)).all(axis=1)
        whole[whole] = ~breaks(self.answer[whole])
        return whole

    def unsettled(self, guess_after: int) -> npt.NDArray[np.bool_]:
        """(B,): whether `guess_after` ages have passed since the last guess, or twice as many without one."""
        first = np.array([trail is None or not trail.tried for trail in self.trails], np.bool_)
        return self.settling >= np.where(first, 2 * guess_after, guess_after)

    def guess(self, stuck: npt.NDArray[np.bool_], breaks: Breaks) -> None:
        """Let stuck rows guess, or take a guess back and start anew."""
        slots = np.flatnonzero(stuck)
        if not len(slots):
            return
        assert self.logits is not None
        indices = torch.from_numpy(slots).to(self.device)
        logits = self.logits[indices].float().cpu().numpy()
        restarts = np.zeros(len(slots), np.bool_)
        for place, slot in enumerate(slots):
            restarts[place] = next_move(self.trails[slot], self.asked[slot], logits[place], breaks)
        self.settling[slots] = 0
        self.tokens[indices] = torch.from_numpy(self.asked[slots]).to(self.device)
        self._begin(slots[restarts])

    def _begin(self, slots: npt.NDArray[np.int64]) -> None:
        """Reset slots to the first carry."""
        indices = torch.from_numpy(slots).to(self.device)
        for state, first in zip(
            self.carry, self.model.first_carry(1, self.carry.answer.shape[1]), strict=True
        ):
            state[indices] = first.expand(len(slots), *first.shape[1:]).to(state.dtype)

    def shrink(self) -> None:
        """Keep only the occupied slots, so that at the end nothing is computed for idle ones."""
        slots = np.flatnonzero(self.row >= 0)
        for name in ("row", "age", "unchanged", "key", "sigma", "answer", "asked", "settling", "trails"):
            setattr(self, name, getattr(self, name)[slots])
        indices = torch.from_numpy(slots).to(self.device)
        self.tokens, self.codes = self.tokens[indices], self.codes[indices]
        self.carry = Carry(*(state[indices] for state in self.carry))

    def vacate(self, gone: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Empty the slots of rows that are no longer wanted; returns these rows."""
        rows = self.row[gone]
        self.row[gone] = -1
        return rows

    def leave(
        self, done: npt.NDArray[np.bool_], confident: npt.NDArray[np.bool_], halt: npt.NDArray[np.float32]
    ) -> Answered:
        """Empty the slots of rows that are done; returns their answers."""
        assert self.logits is not None
        slots = np.flatnonzero(done)
        logits = self.logits[torch.from_numpy(slots).to(self.device)].float()
        log_probabilities = logits.amax(dim=-1) - logits.logsumexp(dim=-1)
        confidence = np.exp(-np.logaddexp(0, -halt[slots].astype(np.float64)))
        left = Answered(
            self.group,
            self.row[slots],
            self.answer[slots],
            log_probabilities.cpu().numpy(),
            confidence.astype(np.float32),
            self.age[slots].copy(),
            confident[slots],
        )
        self.row[slots] = -1
        return left


Wanted = Callable[[int, npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.bool_]]
AgeLimit = Callable[[int, int], int]
Watch = Callable[[QueryData, Thought], None]


def answer_rows(
    model: Model,
    data: QueryData,
    config: PredictConfig,
    *,
    wanted: Wanted | None = None,
    stop: Callable[[], bool] = lambda: False,
    age_limit: AgeLimit | None = None,
    disturb: Disturb | None = None,
    breaks: Breaks | None = None,
    watch: Watch | None = None,
) -> Iterator[Answered]:
    """Yield the rows of `data` as they finish, group after group; waiting rows enter slots in order.

    A row leaves when its halting logit passes `halt_logit`, when its answer has not changed for `patience`
    ages, or at `ages`; `age_limit(rows, tokens)`, called after each forward pass of that many rows and tokens
    of a canvas, replaces `ages`. `wanted(group, rows, ages)` may decline rows before they enter (at age 0)
    and after every age at which they stay. When `stop()` turns true, rows in slots are given up. With the
    rules, `breaks`, a row leaves when its answer keeps them and is `confident` then, with `guess_after` only
    then; with it, a row that does not settle guesses, and takes guesses back. `disturb` gives the noise on
    the answer state of each row before every age; `watch` is called with the answers of all rows after it. If
    memory runs out, the same rows are tried again in half as many slots; a row that does not fit alone is
    given up.
    """
    limit = age_limit or (lambda rows, tokens: config.ages)
    rules = _Rules(config, wanted, stop, limit, disturb, breaks, watch)
    max_slots = config.batch_size
    for group in range(len(data.canvases)):
        owed = np.ones(len(data.queries(group)), np.bool_)
        while owed.any() and not stop():
            num_slots = min(max_slots, len(owed))
            try:
                yield from _group_answers(model, data, group, owed, num_slots, rules)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Only now, outside of the handler, are the tensors of the failed attempt freed.
            release_memory()
            if num_slots == 1:
                owed[np.flatnonzero(owed)[0]] = False
            max_slots = max(1, num_slots // 2)


class _Rules(NamedTuple):
    """When rows enter and leave slots."""

    config: PredictConfig
    wanted: Wanted | None
    stop: Callable[[], bool]
    age_limit: AgeLimit
    disturb: Disturb | None
    breaks: Breaks | None
    watch: Watch | None


@torch.inference_mode()
def _group_answers(
    model: Model, data: QueryData, group: int, owed: npt.NDArray[np.bool_], num_slots: int, rules: _Rules
) -> Iterator[Answered]:
    """Answer the rows of a group that are still `owed`, and unmark those that left or were declined."""
    config = rules.config
    waiting = np.flatnonzero(owed)
    slots = AnswerSlots(model, data, group, num_slots)
    while True:
        waiting = _refilled(slots, owed, waiting, rules)
        busy = slots.row >= 0
        if not busy.any() or rules.stop():
            return
        if not len(waiting) and 2 * busy.sum() <= len(busy):
            slots.shrink()
            busy = slots.row >= 0
        halt = slots.advance()
        if rules.watch is not None:
            seen = np.flatnonzero(busy)
            thought = (slots.row[seen], slots.age[seen], slots.answer[seen], halt[seen])
            rules.watch(data, Thought(group, *thought))
        limit = rules.age_limit(int(busy.sum()), slots.answer.shape[1])
        confident = slots.kept(rules.breaks) if rules.breaks else np.zeros(len(busy), np.bool_)
        if not (rules.breaks and config.guess_after):
            confident |= halt > config.halt_logit
        done = confident | (slots.age >= limit)
        if config.patience:
            done |= slots.unchanged >= config.patience
        done &= busy
        if done.any():
            left = slots.leave(done, confident, halt)
            owed[left.rows] = False
            yield left
        if rules.wanted is not None:
            staying = np.flatnonzero(slots.row >= 0)
            gone = np.zeros(len(slots.row), np.bool_)
            gone[staying] = ~rules.wanted(group, slots.row[staying], slots.age[staying])
            owed[slots.vacate(gone)] = False
        if rules.breaks and config.guess_after:
            slots.guess((slots.row >= 0) & slots.unsettled(config.guess_after), rules.breaks)


def _refilled(
    slots: AnswerSlots, owed: npt.NDArray[np.bool_], waiting: npt.NDArray[np.int64], rules: _Rules
) -> npt.NDArray[np.int64]:
    """Fill the idle slots with waiting rows that are wanted; returns the rows still waiting."""
    idle = int((slots.row < 0).sum())
    while idle and len(waiting):
        head, waiting = waiting[:idle], waiting[idle:]
        if rules.wanted is not None:
            keep = rules.wanted(slots.group, head, np.zeros(len(head), np.int64))
            owed[head[~keep]] = False
            head = head[keep]
        if len(head):
            slots.refill(head, rules.disturb)
            idle -= len(head)
    return waiting
