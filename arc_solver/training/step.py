"""One optimizer step over the rows in flight of all canvases."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from arc_solver.config import ModelConfig, TrainConfig
from arc_solver.model.trm import Asked, Carry, Model, Output
from arc_solver.training.hints import Reach, asked_targets, due_targets, give_up, hint_loss
from arc_solver.training.loss import Loss, supervision_loss
from arc_solver.training.non_finite import kept, restore
from arc_solver.training.slots import Batch, Slots
from arc_solver.training.state import TrainState

# The sums of one step, in this order, on the device; a row counts once for every age of the step.
MEASURES = ("rows", "loss", "cells", "halting", "finished", "finished_exact", "finished_age")


def train_step(
    state: TrainState,
    batches: list[Batch],
    config: TrainConfig,
    factor: float,
    *,
    rows_only: bool = False,
    depth: tuple[int, int] | None = None,
) -> Tensor:
    """Refill, forward, backward and update once; returns the sums of `MEASURES` on the device.

    The gradients of all canvases are summed before the update. `rows_only` leaves the dense weights alone;
    `depth` is (cycles, latent_steps), by default the model's.
    """
    usual = state.model.config.cycles, state.model.config.latent_steps
    measures, touched = _backward(state, batches, config, depth or usual)
    rows = state.shared_rows(touched)
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in state.optimizers.parameters]
    for p, gradient in zip(state.optimizers.parameters, gradients, strict=True):
        p.grad = gradient
    loss = measures[MEASURES.index("loss")].clone()
    state.team.sum_gradients([*gradients, loss])
    codes, row_gradients = rows()
    read = [p.detach() for p in state.optimizers.parameters]
    if len(codes):
        read.append(state.model.puzzle.rows[codes[:, 0].long()])
    sound = state.guard.inspect(loss, [*gradients, row_gradients], read, state.step + 1)
    if config.clip and gradients:
        torch.nn.utils.clip_grad_norm_(state.optimizers.parameters, config.clip)
    if len(codes):
        rate = config.row_learning_rate * factor
        state.sign_sgd.step(codes, row_gradients, rate, config.row_weight_decay, sound)
    moved = state.moved_by_a_step()
    before = kept(moved, sound)
    if rows_only:
        state.optimizers.drop_gradients()
    else:
        state.optimizers.step(factor, state.step + 1)
    state.average.update(sound)
    restore(moved, before, sound)
    state.step += 1
    return measures


def _backward(
    state: TrainState, batches: list[Batch], config: TrainConfig, depth: tuple[int, int]
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Refill and differentiate: sums of `MEASURES`; the codes of every canvas and their rows' gradients."""
    measures = torch.zeros(len(MEASURES), device=state.model.first_answer.device)
    touched: list[tuple[Tensor, Tensor]] = []
    for groups in state.joined_groups():
        slots, given = [state.slots[group] for group in groups], [batches[group] for group in groups]
        found = (
            state.replays(groups[0], depth, given[0], partial(differentiated, state, slots, config, depth))
            if state.replays
            else differentiated(state, slots, config, depth, given)
        )
        for each, measured, gradient in zip(slots, *found, strict=True):
            measures += measured
            if gradient is not None:
                touched.append((each.codes, gradient))
    return measures, touched


def differentiated(
    state: TrainState,
    slots: Sequence[Slots],
    config: TrainConfig,
    depth: tuple[int, int],
    batches: Sequence[Batch],
) -> tuple[list[Tensor], list[Tensor | None]]:
    """One step of canvases that share a forward pass, up to the gradients.

    Adds to the gradients of the weights; returns, by canvas, `MEASURES` and the gradients of the embedding's
    rows. Changes nothing but slots and gradients.
    """
    for each, batch in zip(slots, batches, strict=True):
        state.run(Slots.refill, each, batch)
    vectors = [state.model.puzzle.gather(each.codes, requires_grad=True) for each in slots]
    outputs, losses = _supervised(state, slots, vectors, config, depth)
    total = torch.stack([loss.total for loss in losses]).sum()
    (total / (sum(state.batches.global_slots) * config.gradient_ages)).backward()
    measures = [
        state.run(_advanced, *known, config, state.model.config, depth)
        for known in zip(slots, batches, outputs, losses, strict=True)
    ]
    return measures, [None if rows is None else rows.grad for rows in vectors]


@torch.no_grad()
def _advanced(
    slots: Slots,
    batch: Batch,
    output: Output,
    loss: Loss,
    config: TrainConfig,
    model: ModelConfig,
    depth: tuple[int, int],
) -> Tensor:
    """Advance the rows; returns their `MEASURES`."""
    lost = None
    if slots.hints is not None and output.hints is not None:
        reach = Reach.of(model, depth, slots.age + config.gradient_ages - 1)
        lost = give_up(output.logits, output.hints, slots.hints, slots.targets, reach)
    slots.advance(output, batch.least_age, config.max_age, config.gradient_ages, lost)
    finished = slots.halted
    return torch.stack(
        [
            torch.full_like(loss.cells, finished.shape[0] * config.gradient_ages),
            loss.total.detach(),
            loss.cells,
            loss.halting,
            finished.sum().float(),
            (finished & loss.right).sum().float(),
            (finished * slots.age).sum().float(),
        ]
    )


def _supervised(
    state: TrainState,
    slots: Sequence[Slots],
    vectors: Sequence[Tensor | None],
    config: TrainConfig,
    depth: tuple[int, int],
) -> tuple[list[Output], list[Loss]]:
    """`gradient_ages` forward passes with a loss each: by canvas the last output and the summed losses.

    Nothing is detached between these ages; `right` is that of the last one.
    """
    carries: list[Carry] = [each.carry for each in slots]
    losses: list[list[Loss]] = [[] for _ in slots]
    for number in range(config.gradient_ages):
        asked = [
            Asked(each.tokens, each.codes, carry, each.canvas, rows)
            for each, carry, rows in zip(slots, carries, vectors, strict=True)
        ]
        outputs = state.forwards(asked, depth, number + 1 < config.gradient_ages)
        carries = [output.carry for output in outputs]
        for each, output, found in zip(slots, outputs, losses, strict=True):
            age = each.age + number
            later = _continue_target(state, each, output, age, config, depth)
            found.append(state.run(_loss, state.model, each, output, age, later, config, depth))
    sums = []
    for found in losses:
        total, cells, halting = (torch.stack(part).sum(0) for part in list(zip(*found, strict=True))[:3])
        sums.append(Loss(total, cells, halting, found[-1].right))
    return outputs, sums


def _loss(
    model: Model,
    slots: Slots,
    output: Output,
    age: Tensor,
    continue_target: Tensor | None,
    config: TrainConfig,
    depth: tuple[int, int],
) -> Loss:
    targets, due, hints = slots.targets, None, None
    if slots.hints is not None:
        targets = asked_targets(slots.hints, slots.targets)
        if output.hints is not None:
            reach = Reach.of(model.config, depth, age + 1)
            due = due_targets(slots.hints, slots.targets, slots.tokens, reach)
            hints = config.hint_weight * hint_loss(output.hints, slots.hints, reach)
    return supervision_loss(
        output,
        targets,
        kind=config.loss,
        smoothing=config.label_smoothing,
        halt_weight=config.halt_weight,
        continue_target=continue_target,
        weights=config.age_decay**age if config.age_decay < 1 else None,
        due=due,
        hints=hints,
    )


@torch.no_grad()
def _continue_target(
    state: TrainState, slots: Slots, output: Output, age: Tensor, config: TrainConfig, depth: tuple[int, int]
) -> Tensor | None:
    """sigmoid of the best halting output one forward pass later; at the last age, of its halt output.

    As in HRM (arXiv 2506.21734).
    """
    if not state.model.config.continue_output:
        return None
    later = state.forward(slots.tokens, slots.codes, output.carry, slots.canvas, None, depth).halt
    last = age + 1 >= config.max_age
    return torch.where(last, later[:, 0], later.amax(dim=1)).sigmoid()
