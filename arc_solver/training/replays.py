"""A step of one canvas up to its gradients, recorded once and replayed: a CUDA graph for each canvas."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from arc_solver.config import ConfigError
from arc_solver.training.slots import Batch

Work = Callable[[], Any]


def cuda_recorder(device: torch.device) -> Callable[[Work], Work]:
    """A recorder of work on a CUDA device; a recording returns the same tensors, overwritten.

    ConfigError for another device. Recordings share memory, so they must run one after another.
    """
    if device.type != "cuda":
        raise ConfigError(
            f"compile=graphs: CUDA graphs need a CUDA device, not {device.type}; set compile=auto"
        )
    pool = torch.cuda.graph_pool_handle()

    def record(work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        # The painter thread keeps allocating pinned memory, which must not invalidate the capture.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            found = work()

        def play() -> Any:
            graph.replay()
            return found

        return play

    return record


class Replays:
    """Replays what was recorded for a canvas at a depth, or records it first.

    Recorded work may only read and write tensors that stay where they are.
    """

    def __init__(self, record: Callable[[Work], Work]) -> None:
        self.record = record
        self.batches: dict[int, Batch] = {}
        self.made: dict[tuple[int, tuple[int, int]], Work] = {}

    def __call__(
        self, group: int, depth: tuple[int, int], batch: Batch, work: Callable[[list[Batch]], Any]
    ) -> Any:
        """The result of `work` for a batch, in tensors that the next call overwrites."""
        given = self.batches.setdefault(group, batch)
        if given is not batch:
            given.copy_(batch)
        if (group, depth) not in self.made:
            self.made[group, depth] = self.record(lambda: work([given]))
        return self.made[group, depth]()


@contextlib.contextmanager
def aside(device: torch.device) -> Iterator[None]:
    """On a GPU, run the block on a stream of its own, as work must before it is recorded."""
    if device.type != "cuda":
        yield
        return
    usual, stream = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    stream.wait_stream(usual)
    with torch.cuda.stream(stream):
        yield
    usual.wait_stream(stream)
