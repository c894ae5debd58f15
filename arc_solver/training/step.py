"""One optimizer step over the rows in flight of all canvases."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from arc_solver.config import TrainConfig
from arc_solver.model.trm import Asked, Carry, Output
from arc_solver.training.hints import Reach, asked_targets, due_targets, given_up, hint_loss
from arc_solver.training.loss import Loss, supervision_loss
from arc_solver.training.non_finite import kept, restore
from arc_solver.training.slots import Batch, Slots
from arc_solver.training.state import TrainState

# What one step adds up on the device, in this order; a row counts once for every age of the step.
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

    Gradients of all canvases add up before the update. `rows_only` leaves the dense weights alone; `depth` is
    (cycles, latent_steps) where they are not the model's.
    """
    measures, touched = _backward(state, batches, config, depth)
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in state.optimizers.parameters]
    for p, gradient in zip(state.optimizers.parameters, gradients, strict=True):
        p.grad = gradient
    state.team.sum_gradients(gradients)
    updates = state.shared_rows(touched)
    loss = state.team.total(measures[1])
    read = [p.detach() for p in state.optimizers.parameters]
    read += [rows for codes, _ in touched.values() if (rows := state.model.puzzle.gather(codes)) is not None]
    sound = state.guard.inspect(loss, [*gradients, *(g for _, g in updates)], read, state.step + 1)
    if config.clip and gradients:
        torch.nn.utils.clip_grad_norm_(state.optimizers.parameters, config.clip)
    for codes, gradient in updates:
        state.sign_sgd.step(
            codes, gradient, config.row_learning_rate * factor, config.row_weight_decay, sound
        )
    if rows_only:
        for p in state.optimizers.parameters:
            p.grad = None
    else:
        moved = state.moved_by_a_step()
        before = kept(moved, sound)
        state.optimizers.step(factor, state.step + 1)
        restore(moved, before, sound)
    state.average.update(sound)
    state.step += 1
    return measures


def _backward(
    state: TrainState, batches: list[Batch], config: TrainConfig, depth: tuple[int, int] | None
) -> tuple[Tensor, dict[int, tuple[Tensor, Tensor]]]:
    """Refill and differentiate: sums of `MEASURES`; by canvas the codes and the gradients of their rows."""
    batch_size = sum(state.batches.global_slots)
    measures = torch.zeros(len(MEASURES), device=state.model.first_answer.device)
    touched: dict[int, tuple[Tensor, Tensor]] = {}
    for groups in state.joined_groups():
        slots = [state.slots[group] for group in groups]
        for group, each in zip(groups, slots, strict=True):
            each.refill(batches[group])
        vectors = [state.model.puzzle.gather(each.codes, requires_grad=True) for each in slots]
        outputs, losses = _supervised(state, slots, vectors, config, depth)
        total = torch.stack([loss.total for loss in losses]).sum()
        (total / (batch_size * config.gradient_ages)).backward()
        for group, each, output, loss, rows in zip(groups, slots, outputs, losses, vectors, strict=True):
            lost = None
            if each.hints is not None and output.hints is not None:
                reach = Reach.of(state.model.config, depth, each.age + config.gradient_ages - 1)
                each.hints, lost = given_up(output.logits, output.hints, each.hints, each.targets, reach)
            each.advance(output, batches[group].least_age, config.max_age, config.gradient_ages, lost)
            if rows is not None and rows.grad is not None:
                touched[group] = (each.codes, rows.grad)
            measures += _measured(each, loss, config.gradient_ages)
    return measures, touched


def _supervised(
    state: TrainState,
    slots: Sequence[Slots],
    vectors: Sequence[Tensor | None],
    config: TrainConfig,
    depth: tuple[int, int] | None,
) -> tuple[list[Output], list[Loss]]:
    """`gradient_ages` forwards with a loss at each: by canvas the last output, and the sums of the losses.

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
            found.append(_loss(state, each, output, each.age + number, config, depth))
    sums = []
    for found in losses:
        total, cells, halting = (torch.stack(part).sum(0) for part in list(zip(*found, strict=True))[:3])
        sums.append(Loss(total, cells, halting, found[-1].right))
    return outputs, sums


def _loss(
    state: TrainState,
    slots: Slots,
    output: Output,
    age: Tensor,
    config: TrainConfig,
    depth: tuple[int, int] | None,
) -> Loss:
    due, hints = _hinted(state, slots, output, age, config, depth)
    return supervision_loss(
        output,
        slots.targets if slots.hints is None else asked_targets(slots.hints, slots.targets),
        kind=config.loss,
        smoothing=config.label_smoothing,
        halt_weight=config.halt_weight,
        continue_target=_continue_target(state, slots, output, age, config, depth),
        weights=config.age_decay**age if config.age_decay < 1 else None,
        due=due,
        hints=hints,
    )


def _hinted(
    state: TrainState,
    slots: Slots,
    output: Output,
    age: Tensor,
    config: TrainConfig,
    depth: tuple[int, int] | None,
) -> tuple[Tensor | None, Tensor | None]:
    """What the cells shall say (B, L) after one more age than `age`, and the loss (B,) of their hints."""
    if slots.hints is None or output.hints is None:
        return None, None
    reach = Reach.of(state.model.config, depth, age + 1)
    due = due_targets(slots.hints, slots.targets, slots.tokens, reach)
    return due, config.hint_weight * hint_loss(output.hints, slots.hints, reach)


@torch.no_grad()
def _continue_target(
    state: TrainState,
    slots: Slots,
    output: Output,
    age: Tensor,
    config: TrainConfig,
    depth: tuple[int, int] | None,
) -> Tensor | None:
    """sigmoid of the best halting output a forward later, of its halt at the last age (arXiv 2506.21734)."""
    if not state.model.config.continue_output:
        return None
    later = state.forward(slots.tokens, slots.codes, output.carry, slots.canvas, None, depth).halt
    last = age + 1 >= config.max_age
    return torch.where(last, later[:, 0], later.amax(dim=1)).sigmoid()


@torch.no_grad()
def _measured(slots: Slots, loss: Loss, ages: int) -> Tensor:
    finished = slots.halted
    return torch.stack(
        [
            torch.full_like(loss.cells, finished.shape[0] * ages),
            loss.total.detach(),
            loss.cells,
            loss.halting,
            finished.sum().float(),
            (finished & loss.right).sum().float(),
            (finished * slots.age).sum().float(),
        ]
    )
