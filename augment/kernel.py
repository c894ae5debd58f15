"""How kernels are compiled: without the GIL, once per machine, and again when any source here changes."""

import contextlib
import functools
import hashlib
import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.event
import numpy as np

_COMPILING = logging.getLogger(
    "augment.compiling"
)  # at INFO, it announces that kernels are compiled; at DEBUG, begin and end
_SAID_SECONDS = 60.0
Function = TypeVar("Function", bound=Callable[..., Any])

_CONFIG: Any = numba.config  # untyped
_LOG = logging.getLogger(__name__)


def kernel(function: Function) -> Function:
    """Compile a function that Python calls; its machine code is cached on disk if a folder can be written."""
    if _CONFIG.DISABLE_JIT:
        # Hashes wrap around in uint64 on purpose, of which interpreted numpy scalars would warn.
        return np.errstate(over="ignore")(function)
    folder = cache_folder(Path(function.__code__.co_filename).parent)
    chosen = _CONFIG.CACHE_DIR
    _CONFIG.CACHE_DIR = str(folder or "")
    try:
        return _compiled(function, cache=folder is not None)
    finally:
        _CONFIG.CACHE_DIR = chosen


class _Compiling(numba.core.event.Listener):
    """Says once that kernels are compiled, even if several processes do so at the same time, and keeps
    signals back until the compiler is done: what a handler raises within its callbacks is lost."""

    def __init__(self) -> None:
        self._depth = 0
        self._running, self._lock, self._said = 0, threading.Lock(), False
        self._before: dict[int, Any] = {}
        self._kept: list[int] = []

    def on_start(self, event: object) -> None:
        """Called before a function that is not cached is compiled."""
        self._count(1)
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth += 1
        if self._depth == 1:
            handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            self._before = {number: each for number, each in handlers.items() if callable(each)}
            for number in self._before:
                signal.signal(number, self._keep)

    def on_end(self, event: object) -> None:
        """Called when the function is compiled, or cannot be."""
        self._count(-1)
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth -= 1
        if self._depth == 0:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            kept, self._kept = self._kept, []
            for number in kept:
                signal.raise_signal(number)

    def _keep(self, number: int, frame: object) -> None:
        """Keep the first signal back; the next one is handled at once."""
        if self._kept:
            self._before[number](number, frame)
        self._kept.append(number)

    def _count(self, change: int) -> None:
        """Announce the first of the functions compiled now, in any thread, and the end of the last."""
        with self._lock:
            before, self._running = self._running, self._running + change
            if before == 0:
                self._announce()
            if 0 in (before, self._running):
                _COMPILING.debug("end" if before else "begin")

    def _announce(self) -> None:
        """Say it once, though learning and answering compile different kernels."""
        if self._said:
            return
        folder = cache_folder() if _COMPILING.isEnabledFor(logging.INFO) else None
        if folder is None:
            return
        said = folder / "said"
        if not said.exists() or time.time() - said.stat().st_mtime > _SAID_SECONDS:
            _COMPILING.info("compiling kernels for this kind of work, once: about half a minute")
        with contextlib.suppress(OSError):  # a full disk
            said.touch()
        self._said = True


_register: Any = numba.core.event.register  # untyped
_register("numba:compile", _Compiling())


def inner(function: Function) -> Function:
    """Compile a function that only kernels call; it is cached as a part of theirs."""
    return function if _CONFIG.DISABLE_JIT else _compiled(function, cache=False)


def _compiled(function: Function, cache: bool) -> Function:
    return cast(Function, numba.njit(cache=cache, nogil=True, error_model="numpy")(function))


@functools.cache
def cache_folder(sources: Path | None = None) -> Path | None:
    """The folder for the machine code of kernels in `sources`, None (with a warning) if none can be written.

    numba notices changes of a kernel's own file, but not of the files that it inlines from. A folder named
    after a hash of all sources here and beside the kernel makes stale code impossible.
    """
    package = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=6)
    for folder in dict.fromkeys((package, sources or package)):
        for source in sorted(folder.glob("*.py")):
            digest.update(source.read_bytes())
    name = f"kernels-{digest.hexdigest()}"
    first = Path(_CONFIG.CACHE_DIR) if _CONFIG.CACHE_DIR else package / "__pycache__"
    for parent in (first, *_user_folders()):
        if _is_writable(parent / name):
            if parent != first:
                _warn_once(f"kernel cache {first} cannot be written; compiled kernels go to {parent}")
            return parent / name
    _warn_once(f"kernel cache {first} cannot be written; kernels are compiled anew at every start")
    return None


def _user_folders() -> list[Path]:
    """The user's folder for caches; none for a user without a home."""
    chosen = os.environ.get("XDG_CACHE_HOME")
    try:
        return [(Path(chosen) if chosen else Path.home() / ".cache") / "arc-solver"]
    except RuntimeError:
        return []


@functools.cache
def _warn_once(text: str) -> None:
    _LOG.warning(text)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
