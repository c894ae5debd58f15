"""A step of one canvas up to its gradients, recorded once and played again: a CUDA graph for each canvas."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from arc_solver.config import ConfigError
from arc_solver.training.slots import Batch

Work = Callable[[], Any]


def cuda_recorder(device: torch.device) -> Callable[[Work], Work]:
    """What records work on a CUDA device; what was recorded gives the same tensors, written anew.

    ConfigError for another device. Recordings share their memory, so they are played one after the other.
    """
    if device.type != "cuda":
        raise ConfigError(
            f"compile=graphs: CUDA graphs need a CUDA device, not {device.type}; set compile=auto"
        )
    pool = torch.cuda.graph_pool_handle()

    def record(work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        # The painter allocates pinned memory all the time, which is no fault of this thread.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            found = work()

        def play() -> Any:
            graph.replay()
            return found

        return play

    return record


class Replays:
    """Plays what was recorded for a canvas at a depth, or records it first.

    What is recorded may read and write nothing but tensors that stay where they are.
    """

    def __init__(self, record: Callable[[Work], Work]) -> None:
        self.record = record
        self.batches: dict[int, Batch] = {}
        self.made: dict[tuple[int, tuple[int, int]], Work] = {}

    def __call__(
        self, group: int, depth: tuple[int, int], batch: Batch, work: Callable[[list[Batch]], Any]
    ) -> Any:
        """What `work` gives for a batch, in tensors that the next call writes over."""
        given = self.batches.setdefault(group, batch)
        if given is not batch:
            given.copy_(batch)
        if (group, depth) not in self.made:
            self.made[group, depth] = self.record(lambda: work([given]))
        return self.made[group, depth]()


@contextlib.contextmanager
def aside(device: torch.device) -> Iterator[None]:
    """On a GPU what runs before it is recorded runs on a stream of its own."""
    if device.type != "cuda":
        yield
        return
    usual, stream = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    stream.wait_stream(usual)
    with torch.cuda.stream(stream):
        yield
    usual.wait_stream(stream)
