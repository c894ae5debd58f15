"""A recorder of work on a CPU, in place of CUDA graphs: the operations, not what the host decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Recorder(TorchDispatchMode):
    """Notes every operation with the tensors that it read and gave."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        found = function(*arguments, **(named or {}))
        self.operations.append((function, arguments, named or {}, found))
        return found

    def play(self) -> None:
        """The same operations on the same tensors; what they give is written over what they gave."""
        for function, arguments, named, before in self.operations:
            now = function(*arguments, **named)
            for old, new in zip(tree_leaves(before), tree_leaves(now), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def record(work: Callable[[], Any]) -> Callable[[], Any]:
    """As `replays.cuda_recorder`, but that recording does the work: it is played from the second time on."""
    recorder = Recorder()
    with recorder:
        found = work()
    first = [True]

    def play() -> Any:
        if not first[0]:
            with torch.no_grad():
                recorder.play()
        first[0] = False
        return found

    return play
