"""Rows of a batch, shared out among threads; kernels leave the GIL, so plain threads run them side by side.

Threads of our own and not numba's: its own layer aborts the process when two Python threads start kernels at
once, which a prefetching trainer does, and GNU OpenMP refuses to work in a forked child.
"""

import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba

_CONFIG: Any = numba.config  # untyped

SMALLEST_SHARE = 128
"""Rows below which a share is not worth waking a thread for."""


def spread(job: Callable[[slice], None], num_rows: int, num_threads: int | None = None) -> None:
    """Call `job` with slices that cover 0..num_rows once, on up to `num_threads` threads, and wait for all.

    The default is NUMBA_NUM_THREADS, else the number of cores. An exception of any slice is raised here.
    """
    wanted = _CONFIG.NUMBA_NUM_THREADS if num_threads is None else num_threads
    shares = max(1, min(wanted, num_rows // SMALLEST_SHARE))
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
