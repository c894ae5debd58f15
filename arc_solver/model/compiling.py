"""Compiling parts of a network and of its training with torch, and doing without it if that fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor

from arc_solver.model.fused_attention import attend
from arc_solver.model.fused_feed_forward import feed_forward

# Canvases times passes with and without gradient; torch's limit of 8 is soon reached.
MAX_COMPILED_FORMS = 128


def plainly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function uncompiled."""
    return function(*arguments)


def compiles(setting: str, device: torch.device) -> bool:
    """Whether a recipe with this setting of `compile` compiles on `device`."""
    return setting != "off" and (setting != "auto" or device.type == "cuda")


class Compiler:
    """Calls functions compiled, once for every shape; after a failure, with a warning, uncompiled.

    Within torch.inference_mode, tensors that differ only in their number of rows share a compiled form.
    """

    def __init__(self) -> None:
        self.made: dict[Callable[..., Any], Callable[..., Any]] = {}
        self.failed = False
        for function in (attend, feed_forward):
            # Backends that run the graph as it is then call these functions as without compiling.
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
        """A copy of a network shares the compiled code."""
        return self

    def give_up(self, error: Exception) -> None:
        """Compile nothing more; raises errors again that compiling has not caused."""
        if isinstance(error, torch.OutOfMemoryError):
            raise error
        self.failed = True
        reason = " ".join(str(error).split())[:200]
        warnings.warn(f"torch.compile failed, going on without it: {reason}", stacklevel=3)

    @property
    def folder(self) -> str:
        """Where compiled code is kept for other processes."""
        from torch._inductor.runtime.cache_dir_utils import cache_dir

        return cache_dir()
