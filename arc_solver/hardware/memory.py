"""Telling a lack of memory from other failures, and saying what to do about it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import torch

# How torch's allocators of CPU and Apple GPUs put it; CUDA has an error of its own.
_TEXTS = ("not enough memory", "can't allocate memory", "out of memory")


class OutOfMemory(RuntimeError):
    """Memory, of the host or of a device, did not suffice; the text names the batch size."""

    exit_code = 1


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory, of the host or of a device, did not suffice."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _TEXTS)


@contextlib.contextmanager
def memory_for(batch_size: int) -> Iterator[None]:
    """Turn a lack of memory into OutOfMemory."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"memory does not suffice for batch_size={batch_size}; take fewer rows (--set batch_size=N)"
        ) from error


def release_memory() -> None:
    """Let a GPU give back what nobody uses; to be called outside of the handler, which holds tensors."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
