"""Several processes as one run: gradients are summed, rows exchanged sparsely; rank 0 decides and writes.

Started by torchrun, which sets RANK, WORLD_SIZE, LOCAL_RANK and the address of rank 0.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

# Ranks wait this long for each other: rank 0 writes alone, and shares of an evaluation differ in time.
PATIENCE = datetime.timedelta(minutes=30)
FLOOR = -1.0  # below every value that ranks agree on
NO_STEP = -1  # the step of a folder without a checkpoint


class PeerLost(RuntimeError):
    """Another process of the run is gone; the run can be resumed from its newest checkpoint."""

    exit_code = 1


class FolderNotShared(RuntimeError):
    """The processes of a run find different checkpoints in its folder; the text names two of them."""

    exit_code = 1


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
        flat = _flatten_dense_tensors(gradients)
        with with_peers():
            dist.all_reduce(flat)
        torch._foreach_copy_(gradients, _unflatten_dense_tensors(flat, gradients))

    def gather(self, part: Tensor, sizes: Sequence[int]) -> Tensor:
        """The parts of all processes joined along the first axis; that of rank r has length sizes[r]."""
        return self.gathering(part, sizes)()

    def gathering(self, part: Tensor, sizes: Sequence[int]) -> Callable[[], Tensor]:
        """Start to `gather`; calling the result waits for the parts and joins them."""
        if self.world == 1:
            return lambda: part
        carried = part.to(torch.uint8) if part.dtype == torch.bool else part
        padded = carried.new_zeros((max(sizes), *part.shape[1:]))
        padded[: part.shape[0]] = carried
        parts = [torch.empty_like(padded) for _ in range(self.world)]
        with with_peers():
            under_way = dist.all_gather(parts, padded, async_op=True)

        def joined() -> Tensor:
            with with_peers():
                under_way.wait()
            return torch.cat([p[:size] for p, size in zip(parts, sizes, strict=True)]).to(part.dtype)

        return joined

    def agree(self, *values: float, anyone: float) -> tuple[float, ...]:
        """The values (none negative) of rank 0, then the largest `anyone` of all; waits for no device."""
        if self.world == 1:
            return (*values, anyone)
        own = values if self.leads else [FLOOR] * len(values)
        largest = torch.tensor([*own, anyone], dtype=torch.float64)
        with with_peers():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return tuple(largest.tolist())

    def check_same_step(self, folder: Path, step: int | None) -> None:
        """FolderNotShared, in all processes, unless all find the same step in `folder` (None: nothing)."""
        own = NO_STEP if step is None else step
        extremes = torch.tensor([-own, own])
        if self.world > 1:
            with with_peers():
                dist.all_reduce(extremes, dist.ReduceOp.MAX)
        least, most = -int(extremes[0]), int(extremes[1])
        if least < most:
            fewer = "no checkpoint" if least == NO_STEP else f"step {least}"
            raise FolderNotShared(
                f"the processes do not see the same folder {folder}: one finds {fewer} there, another step "
                f"{most}; start all with the path of one folder that every machine shares"
            )

    def add_up(self, sums: dict[str, float]) -> dict[str, float]:
        """Sums over all processes, which must pass the same names in the same order."""
        total = self.total(torch.tensor(list(sums.values()), dtype=torch.float64))
        return dict(zip(sums, total.tolist(), strict=True))

    def total(self, measures: Tensor) -> Tensor:
        """The sum of a small tensor over all processes."""
        if self.world > 1:
            measures = measures.clone()
            with with_peers():
                dist.all_reduce(measures)
        return measures


@contextlib.contextmanager
def team_of(device: torch.device) -> Iterator[tuple[Team, torch.device]]:
    """The team in which torchrun started this process, else a team of one; and this process's device."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Team(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    # What ranks agree on lies in host memory, where gloo transfers it.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Team(dist.get_rank(), world), device
    except PeerLost:
        raise  # destroying the group could wait for the peer that is gone
    except BaseException:
        dist.destroy_process_group()
        raise
    dist.destroy_process_group()


@contextlib.contextmanager
def with_peers() -> Iterator[None]:
    """Turn the errors of a collective into PeerLost."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:120]
        raise PeerLost(
            f"another process of this run is gone ({reason}); start all of them again to go on from the "
            "newest checkpoint"
        ) from error
