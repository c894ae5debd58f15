"""Rows of a batch, divided among threads; kernels release the GIL, so plain threads run them in parallel.

These are our own threads, not numba's: numba's threading layer aborts the process when two Python threads
start kernels at once, as a prefetching trainer does, and GNU OpenMP refuses to work in a forked child.
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
"""Rows below which waking a thread does not pay: two threads with 384 each were slower than one."""


_limit: ContextVar[int | None] = ContextVar("_limit", default=None)


@contextmanager
def at_most(num_threads: int) -> Iterator[None]:
    """Within the block, kernels that this thread starts use up to `num_threads` threads."""
    outer = _limit.set(num_threads)
    try:
        yield
    finally:
        _limit.reset(outer)


def spread(job: Callable[[slice], None], num_rows: int) -> None:
    """Call `job` with slices that cover 0..num_rows once, in parallel on several threads, and wait for all.

    There are up to NUMBA_NUM_THREADS (by default one per core), or as many as `at_most` says. An exception of
    any slice is raised here.
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


# A forked child has the pool but not its threads, and would wait for them forever.
os.register_at_fork(after_in_child=_pool.cache_clear)
