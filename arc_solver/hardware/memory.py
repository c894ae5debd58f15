"""Telling a lack of memory from other failures, and saying what to do about it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import sys
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


# Of glibc's mallopt, and what they are set to: everything below a gigabyte is kept for the next allocation.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT = {_MMAP_THRESHOLD: 2**30, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**26}


@functools.cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory it frees, where the C library is glibc; tells whether it does.

    Tensors of some megabytes would else be new pages of the system at every step, which cost more than what
    is computed in them.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) == 1 for name, value in _KEPT.items())
