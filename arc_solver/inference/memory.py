"""Telling a lack of memory from other failures."""

from __future__ import annotations

import gc

import torch

# How torch's allocators of CPU and Apple GPUs put it; CUDA has an error of its own.
_TEXTS = ("not enough memory", "can't allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory, of the host or of a device, did not suffice."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _TEXTS)


def release_memory() -> None:
    """Let a GPU give back what nobody uses; to be called outside of the handler, which holds tensors."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
