"""Child processes that end with the process that started them, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import connection, parent_process

PR_SET_PDEATHSIG = 1
READ_BYTES = 1 << 20


def die_with_parent(parent: int) -> None:
    """End this process when `parent` does, which holds the other end of its standard input.

    By a signal from the kernel on Linux, elsewhere at the end of the pipe.
    """
    _ask_kernel(parent)
    _watch(_end_of_input)


def die_with_pool() -> None:
    """End this process when the one that started it by `multiprocessing` does; an initializer for pools."""
    starter = parent_process()
    if starter is not None and starter.pid is not None:
        _ask_kernel(starter.pid)
        sentinel = starter.sentinel
        _watch(lambda: connection.wait([sentinel]))


def _ask_kernel(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _watch(wait: Callable[[], object]) -> None:
    """End this process once `wait` returns."""

    def end() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _end_of_input() -> None:
    while os.read(0, READ_BYTES):
        pass
