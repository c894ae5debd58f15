"""Rows of a batch, shared out among threads; kernels leave the GIL, so plain threads run them side by side.

Threads of our own and not numba's: its own layer aborts the process when two Python threads start kernels at
once, which a prefetching trainer does, and GNU OpenMP refuses to work in a forked child.
"""

import functools
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numba

_CONFIG: Any = numba.config  # untyped

SMALLEST_SHARE = 512
"""Rows below which a share is not worth waking a thread for: with 384 each, two were slower than one."""


_limit: ContextVar[int | None] = ContextVar("_limit", default=None)


@contextmanager
def at_most(num_threads: int) -> Iterator[None]:
    """Within, kernels that this thread starts use up to `num_threads` threads."""
    outer = _limit.set(num_threads)
    try:
        yield
    finally:
        _limit.reset(outer)


def spread(job: Callable[[slice], None], num_rows: int) -> None:
    """Call `job` with slices that cover 0..num_rows once, side by side on several threads, and wait for all.

    There are NUMBA_NUM_THREADS of them (by default one per core) unless `at_most` says fewer or more. An
    exception of any slice is raised here.
    """
    shares = max(1, min(_limit.get() or _CONFIG.NUMBA_NUM_THREADS, num_rows // SMALLEST_SHARE))
    bounds = [num_rows * share // shares for share in range(shares + 1)]
    parts = [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
    waiting = [_pool().submit(job, part) for part in parts[1:]]
    job(parts[0])
    for future in waiting:
        future.result()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(1, _CONFIG.NUMBA_NUM_THREADS), thread_name_prefix="augment")


# A forked child has the pool but not its threads, and would wait for them for ever.
os.register_at_fork(after_in_child=_pool.cache_clear)
