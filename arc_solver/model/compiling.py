"""Parts of a network and of its training compiled by torch; done without where that fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor

from arc_solver.model.fused_attention import attend
from arc_solver.model.fused_feed_forward import feed_forward

# Canvases times passes with and without gradient; the library's limit of 8 is soon reached.
MAX_COMPILED_FORMS = 128


def plainly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function as it is written."""
    return function(*arguments)


def compiles(wish: str, device: torch.device) -> bool:
    """Whether a recipe with this `compile` compiles on `device`."""
    return wish != "off" and (wish != "auto" or device.type == "cuda")


class Compiler:
    """Calls functions compiled, once for every shape; after a failure, told in a warning, as they are.

    Where nothing is learnt, within torch.inference_mode, tensors of any number of rows share a shape.
    """

    def __init__(self) -> None:
        self.made: dict[Callable[..., Any], Callable[..., Any]] = {}
        self.failed = False
        for function in (attend, feed_forward):
            # Whoever runs the graph without compiling it further computes as if there were none.
            torch.compiler.allow_in_graph(function)
        limit = torch._dynamo.config.recompile_limit
        torch._dynamo.config.recompile_limit = max(limit, MAX_COMPILED_FORMS)
        self.failures = (RuntimeError, torch._dynamo.exc.TorchDynamoException)

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self.failed:
            return function(*arguments)
        if function not in self.made:
            self.made[function] = torch.compile(function, dynamic=False)
        if torch.is_inference_mode_enabled():
            for each in arguments:
                if isinstance(each, Tensor):
                    torch._dynamo.maybe_mark_dynamic(each, 0)
        try:
            return self.made[function](*arguments)
        except self.failures as error:
            self.give_up(error)
        return function(*arguments)

    def __deepcopy__(self, _: object) -> Self:
        """A copy of a network is run by the same code."""
        return self

    def give_up(self, error: Exception) -> None:
        """Compile nothing any more; raises again what is no fault of compiling."""
        if isinstance(error, torch.OutOfMemoryError):
            raise error
        self.failed = True
        reason = " ".join(str(error).split())[:200]
        warnings.warn(f"torch.compile failed, going on without it: {reason}", stacklevel=3)

    @property
    def folder(self) -> str:
        """Where the code is kept for other processes."""
        from torch._inductor.runtime.cache_dir_utils import cache_dir

        return cache_dir()
