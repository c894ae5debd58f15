"""Supervision that asks for nothing before it can be known: dense labels, and targets as they become due.

Information travels from cell to cell, one move per update of a layer. A label that is due is trained; one
that is not yet due must be "not known" (a target: as in the question); for the few moves in between nothing
is asked. So information must travel everywhere at the same speed, without which it would not arrive first on
the shortest path.
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

# Updates before the end of an age: earlier news must be known by its end, later news must not be.
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


class Reach(NamedTuple):
    """Moves that news has surely made, and can at most have made, by the end of each row's age (B, 1)."""

    sure: Tensor
    most: Tensor

    @staticmethod
    def of(config: ModelConfig, depth: tuple[int, int] | None, ages: Tensor) -> Reach:
        """`ages` (B,) count from 1; `depth` is (cycles, latent_steps), by default the configured ones."""
        cycles, latent_steps = depth or (config.cycles, config.latent_steps)
        updates = (ages * cycles * config.num_layers * (latent_steps + 1))[:, None]
        return Reach(updates - LATEST, updates - EARLIEST)


def asked_targets(hints: HintTensors, targets: Tensor) -> Tensor:
    """Targets (B, L), PAD where the question gives the cell."""
    return torch.where(hints.target_moves == NOT_ASKED, PAD, targets)


def due_targets(hints: HintTensors, targets: Tensor, tokens: Tensor, reach: Reach) -> Tensor:
    """The target of each cell (B, L) at an age: its answer, as in the question, or PAD for none."""
    moves = hints.target_moves
    known, unknown = (moves <= reach.sure) | (moves == 0), moves > reach.most
    due = torch.where(known, targets, torch.where(unknown, tokens, PAD))
    return torch.where(moves == NOT_ASKED, PAD, due)


def hint_loss(logits: Tensor, hints: HintTensors, reach: Reach) -> Tensor:
    """Per row (B,), the mean cross-entropy of hint logits (B, L, K) over the cells that are asked."""
    known, unknown = hints.label_moves <= reach.sure, hints.label_moves > reach.most
    asked = (hints.label_moves != NOT_ASKED) & (known | unknown)
    wanted = torch.where(known, hints.labels.long(), NOT_KNOWN)
    losses = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
    return (losses * asked).sum(dim=1) / asked.sum(dim=1).clamp(min=1)


def give_up(logits: Tensor, hint_logits: Tensor, hints: HintTensors, targets: Tensor, reach: Reach) -> Tensor:
    """The rows (B,) whose path is lost by `reach`; in place, labels due but wrong are asked for no more.

    Information that has passed does not come again, and asking for it drowns out what can be learned.
    """
    wrong = (hints.label_moves <= reach.sure) & (hint_logits.argmax(dim=-1) != hints.labels)
    wrong &= hints.label_moves != NOT_ASKED
    marked = (hints.target_moves != NOT_ASKED) & (hints.target_moves <= reach.sure)
    hints.label_moves.masked_fill_(wrong, NOT_ASKED)
    return ((wrong & (hints.target_moves > 0)) | (marked & (logits.argmax(dim=-1) != targets))).any(dim=1)
