"""Running out of memory, as opposed to other failures, and keeping freed memory for the next step."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import sys
from collections.abc import Iterator

import torch

# In the messages of torch's allocators for CPUs and Apple GPUs; CUDA has its own error.
_TEXTS = ("not enough memory", "can't allocate memory", "out of memory")


class OutOfMemory(RuntimeError):
    """The host or a device ran out of memory; the text names the batch size."""

    exit_code = 1


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the host or a device ran out of memory."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _TEXTS)


@contextlib.contextmanager
def memory_for(batch_size: int) -> Iterator[None]:
    """Raise OutOfMemory if the block runs out of memory."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"memory does not suffice for batch_size={batch_size}; take fewer rows (--set batch_size=N)"
        ) from error


def release_memory() -> None:
    """Free the unused memory of a GPU; call it outside of an exception handler, which still holds tensors."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


# Parameters of glibc's mallopt, set so that everything below a gigabyte is kept for the next allocation.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT = {_MMAP_THRESHOLD: 2**30, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**26}


@functools.cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees; False if the C library is not glibc.

    Otherwise tensors of some megabytes get new pages from the system at every step, which costs more than
    computing them.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) == 1 for name, value in _KEPT.items())
