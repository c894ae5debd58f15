"""Supervision that asks for nothing before it can be known: dense labels, and targets as far as they go.

What a cell has to say travels from cell to cell, one move in every update of a layer. A label that is due is
asked for; one that is not is asked to be "not known" (a target: to be as in the question); in between, for
few moves, nothing is asked. So the news has to travel everywhere at the same speed, without which it would
not come first by the shortest way.
Shapes: B rows, L tokens, K classes of labels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from arc_solver.config import ModelConfig
from arc_solver.domains.protocols import NOT_ASKED
from arc_solver.training.loss import PAD

# How many updates before its age ends a network must know what it tells, and need not know it.
LATEST, EARLIEST = 3, 1
NOT_KNOWN = 0


class HintTensors(NamedTuple):
    """`domains.protocols.Hints` of the rows of a batch, on a device."""

    labels: Tensor  # (B, L) uint8
    label_moves: Tensor  # (B, L) int32
    target_moves: Tensor  # (B, L) int32

    @staticmethod
    def none(rows: int, length: int, device: torch.device) -> HintTensors:
        """Nothing asked of any cell."""
        moves = torch.full((rows, length), NOT_ASKED, dtype=torch.int32, device=device)
        return HintTensors(torch.zeros(rows, length, dtype=torch.uint8, device=device), moves, moves.clone())

    def where(self, mask: Tensor, others: HintTensors) -> HintTensors:
        """These in the rows of `mask` (B,), others elsewhere."""
        pairs = zip(self, others, strict=True)
        return HintTensors(*(torch.where(mask[:, None], mine, theirs) for mine, theirs in pairs))


class Reach(NamedTuple):
    """Moves that news must have made, and at most may have made, by the end of each row's age (B, 1)."""

    sure: Tensor
    most: Tensor

    @staticmethod
    def of(config: ModelConfig, depth: tuple[int, int] | None, ages: Tensor) -> Reach:
        """`ages` (B,) are counted from 1; `depth` is (cycles, latent_steps) where they are not configured."""
        cycles, latent_steps = depth or (config.cycles, config.latent_steps)
        updates = (ages * cycles * config.num_layers * (latent_steps + 1))[:, None]
        return Reach(updates - LATEST, updates - EARLIEST)


def asked_targets(hints: HintTensors, targets: Tensor) -> Tensor:
    """Targets (B, L), PAD where the question tells the cell."""
    return torch.where(hints.target_moves == NOT_ASKED, PAD, targets)


def due_targets(hints: HintTensors, targets: Tensor, tokens: Tensor, reach: Reach) -> Tensor:
    """What each cell (B, L) shall say at an age: its target, as in the question, or PAD for nothing."""
    moves = hints.target_moves
    known, unknown = (moves <= reach.sure) | (moves == 0), moves > reach.most
    due = torch.where(known, targets, torch.where(unknown, tokens, PAD))
    return torch.where(moves == NOT_ASKED, PAD, due)


def hint_loss(logits: Tensor, hints: HintTensors, reach: Reach) -> Tensor:
    """Per row (B,) the mean cross-entropy of hint logits (B, L, K) over the cells that are asked."""
    known, unknown = hints.label_moves <= reach.sure, hints.label_moves > reach.most
    asked = (hints.label_moves != NOT_ASKED) & (known | unknown)
    wanted = torch.where(known, hints.labels.long(), NOT_KNOWN)
    losses = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
    return (losses * asked).sum(dim=1) / asked.sum(dim=1).clamp(min=1)


def given_up(
    logits: Tensor, hint_logits: Tensor, hints: HintTensors, targets: Tensor, reach: Reach
) -> tuple[HintTensors, Tensor]:
    """The hints without the labels that are wrong though due by `reach`; the rows (B,) whose path is lost.

    News that has gone by does not come again: to go on asking for it drowns what can be learnt.
    """
    wrong = (hints.label_moves <= reach.sure) & (hint_logits.argmax(-1) != hints.labels)
    wrong &= hints.label_moves != NOT_ASKED
    marked = (hints.target_moves != NOT_ASKED) & (hints.target_moves <= reach.sure)
    lost = (wrong & (hints.target_moves > 0)) | (marked & (logits.argmax(-1) != targets))
    return hints._replace(label_moves=hints.label_moves.masked_fill(wrong, NOT_ASKED)), lost.any(dim=1)
