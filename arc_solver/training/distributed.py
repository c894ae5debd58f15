"""Several processes as one run: gradients summed, rows exchanged sparsely, rank 0 decides and writes.

Started by torchrun, which sets RANK, WORLD_SIZE, LOCAL_RANK and the address of rank 0.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator, Sequence

import torch
import torch.distributed as dist
from torch import Tensor

# Rank 0 evaluates and writes alone; the others wait this long for it.
PATIENCE = datetime.timedelta(hours=2)


class Team:
    """The processes of a run; a team of one does nothing. All ranks call its methods together."""

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank, self.world = rank, world

    @property
    def leads(self) -> bool:
        """Whether this process prints, evaluates and writes."""
        return self.rank == 0

    def sum_gradients(self, gradients: list[Tensor]) -> None:
        """Replace gradients by their sums over all processes, in one collective."""
        if self.world == 1 or not gradients:
            return
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        for gradient, summed in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(summed.view_as(gradient))

    def gather(self, part: Tensor, spans: Sequence[tuple[int, int]]) -> Tensor:
        """The parts of all processes joined along the first axis: rank r holds places spans[r] of it."""
        if self.world == 1:
            return part
        sizes = [end - start for start, end in spans]
        carried = part.to(torch.uint8) if part.dtype == torch.bool else part
        padded = carried.new_zeros((max(sizes), *part.shape[1:]))
        padded[: part.shape[0]] = carried
        parts = [torch.empty_like(padded) for _ in range(self.world)]
        dist.all_gather(parts, padded)
        return torch.cat([p[:size] for p, size in zip(parts, sizes, strict=True)]).to(part.dtype)

    def agree(self, *values: float) -> tuple[float, ...]:
        """The values of rank 0."""
        if self.world == 1:
            return values
        told = torch.tensor(values, dtype=torch.float64, device=_control_device())
        dist.broadcast(told, 0)
        return tuple(told.tolist())

    def total(self, measures: Tensor) -> Tensor:
        """The sum of a small tensor over all processes."""
        if self.world > 1:
            measures = measures.clone()
            dist.all_reduce(measures)
        return measures


@contextlib.contextmanager
def team_of(device: torch.device) -> Iterator[tuple[Team, torch.device]]:
    """The team that torchrun started this process in, and this process's device; else a team of one."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Team(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Team(dist.get_rank(), world), device
    finally:
        dist.destroy_process_group()


def _control_device() -> torch.device:
    return torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
