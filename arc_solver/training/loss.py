"""Deep supervision of one age: cell cross-entropy plus the halting loss.

Shapes: B rows, L tokens, V vocabulary.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from arc_solver.model.trm import Output

PAD = 0


class Loss(NamedTuple):
    """Sums over the rows of a batch (scalars, except `right`); only `total` has a gradient."""

    total: Tensor
    cells: Tensor
    halting: Tensor
    right: Tensor  # (B,) bool: the whole answer is right now


def stablemax_log(logits: Tensor) -> Tensor:
    """log of s(v) / sum s with s(v) = v + 1 for v >= 0 and 1 / (1 − v) below, over the last axis, float32."""
    scores = torch.where(logits >= 0, logits + 1, 1 / (1 - logits.clamp(max=0)))
    return scores.log() - scores.sum(dim=-1, keepdim=True).log()


def cell_loss(logits: Tensor, targets: Tensor, kind: str, smoothing: float) -> Tensor:
    """Cross-entropy (B, L) of logits (B, L, V) in float32 against targets (B, L) int64."""
    if kind == "softmax":
        return F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction="none", label_smoothing=smoothing
        ).view_as(targets)
    log_p = stablemax_log(logits)
    hit = -log_p.gather(-1, targets[..., None])[..., 0]
    return hit if smoothing == 0 else (1 - smoothing) * hit - smoothing * log_p.mean(dim=-1)


def supervision_loss(
    output: Output,
    targets: Tensor,
    *,
    kind: str = "stablemax",
    smoothing: float = 0.0,
    halt_weight: float = 0.5,
    continue_target: Tensor | None = None,
    weights: Tensor | None = None,
    due: Tensor | None = None,
    hints: Tensor | None = None,
) -> Loss:
    """Loss of one forward pass against targets (B, L) uint8; cells labeled PAD do not count.

    Per row: mean over its counted cells + halt_weight · BCE(halt, answer right). With the continue output,
    BCE(continue, `continue_target` (B,)) is added to the halting loss (arXiv 2506.21734). `weights` (B,)
    apply to the rows in `total` only. `due` (B, L) are the labels at this age, if not yet the targets;
    `hints` (B,) are added to the loss of the cells.
    """
    wanted = targets.long()
    counted = wanted != PAD
    now = wanted if due is None else due.long()
    per_cell = cell_loss(output.logits, now, kind, smoothing) * (now != PAD)
    per_row = per_cell.sum(dim=1) / (now != PAD).sum(dim=1).clamp(min=1)
    if hints is not None:
        per_row = per_row + hints
    with torch.no_grad():
        right = ((output.logits.argmax(dim=-1) == wanted) | ~counted).all(dim=1)
    halt = output.halt if output.halt.dim() == 1 else output.halt[:, 0]
    halting = F.binary_cross_entropy_with_logits(halt, right.float(), reduction="none")
    if continue_target is not None:
        halting = halting + F.binary_cross_entropy_with_logits(
            output.halt[:, 1], continue_target, reduction="none"
        )
    cells, halts = per_row.sum(), halting.sum()
    total = cells + halt_weight * halts
    if weights is not None:
        total = ((per_row + halt_weight * halting) * weights).sum()
    return Loss(total, cells.detach(), halts.detach(), right)
