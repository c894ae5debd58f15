"""Keeps NaN and infinity out of weights, optimizers, rows, average and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

LOSS, GRADIENT, WEIGHT = 1, 2, 3
QUANTITIES = {LOSS: "loss", GRADIENT: "gradient", WEIGHT: "weight"}


class NotFinite(RuntimeError):
    """A loss, gradient or weight is not finite; the text names step and quantity."""

    exit_code = 1


class Guard:
    """Notices the first step with a loss, a gradient or a weight that is not finite.

    On a CPU, `inspect` raises before anything is changed. If `deferred`, for devices that the host must not
    wait for, it returns a flag that keeps this step and all later ones from changing anything, and `check`
    raises.
    """

    def __init__(self, device: torch.device, *, deferred: bool | None = None) -> None:
        self.deferred = device.type != "cpu" if deferred is None else deferred
        # Step and quantity of the first fault; zeros until there is one.
        self.first = torch.zeros(2, dtype=torch.int64, device=device)

    def inspect(
        self, loss: Tensor, gradients: Sequence[Tensor], weights: Sequence[Tensor], step: int
    ) -> Tensor | None:
        """Check step `step` (from 1): None, or if deferred a flag on the device, true if all is finite.

        `weights` are those that the step read: one that is not finite makes the loss so too, and is named as
        the cause. Raises NotFinite at once unless deferred.
        """
        norms = torch._foreach_norm([*gradients, *weights])
        finite = torch.stack([loss, *norms]).isfinite()
        read = finite[1 + len(gradients) :].all()
        fault = torch.where(read, torch.where(finite[0], GRADIENT, LOSS), WEIGHT)
        sound = finite.all()
        if not self.deferred:
            if not bool(sound):
                raise NotFinite(_line(step, int(fault)))
            return None
        keep = sound | (self.first[0] > 0)
        self.first = torch.where(keep, self.first, torch.stack([torch.full_like(fault, step), fault]))
        return self.first[0] == 0

    def check(self) -> None:
        """Raise NotFinite if a step was not finite; if deferred, this waits for the device."""
        if self.deferred:
            step, quantity = self.first.tolist()
            if step:
                raise NotFinite(_line(step, quantity))


def kept(tensors: Sequence[Tensor], sound: Tensor | None) -> Tensor | None:
    """A copy of `tensors` for `restore`; None if the host decides."""
    return None if sound is None else _flatten_dense_tensors(tensors)


def restore(tensors: list[Tensor], before: Tensor | None, sound: Tensor | None) -> None:
    """Restore `tensors` from what `kept` copied unless `sound`, without waiting for the device."""
    if sound is not None and before is not None:
        right = torch.where(sound, _flatten_dense_tensors(tensors), before)
        torch._foreach_copy_(tensors, _unflatten_dense_tensors(right, tensors))


def check_tensors(tensors: Mapping[str, Tensor], step: int) -> None:
    """Raise NotFinite naming the first of `tensors` that is not finite."""
    named = {name: t for name, t in tensors.items() if t.is_floating_point() and t.numel()}
    if not named:
        return
    device = next(iter(named.values())).device
    finite = torch.stack([t.isfinite().all().to(device) for t in named.values()]).tolist()
    for name, good in zip(named, finite, strict=True):
        if not good:
            raise NotFinite(
                f"after step {step}: {name} is not finite and was not saved; "
                "lower the learning rate or clip (--set clip=1) and start again"
            )


def _line(step: int, quantity: int) -> str:
    return (
        f"step {step}: the {QUANTITIES[quantity]} is not finite; "
        "lower the learning rate or clip (--set clip=1)"
    )
