"""Progress: a bar in a terminal, elsewhere a plain line every minute; and what else takes a while."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

COLUMNS, LINE_SECONDS, BAR_AFTER_SECONDS = 80, 60.0, 2.0
LAYOUT = "{desc} {percentage:3.0f}%|{bar:12}| {n_fmt}/{total_fmt} {unit}s [{elapsed}<{remaining}{postfix}]"
ENDLESS = "{desc}: {n_fmt} {unit}s [{elapsed}<?{postfix}]"  # while the total is unknown


def progress(name: str, unit: str, total: int | None, *, done: int = 0, quiet: bool = False) -> tqdm[Any]:
    """A progress bar in `unit`s that fits the terminal; without a terminal, lines; nothing if quiet."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        @staticmethod
        def format_meter(n: float, total: float | None, *given: Any, **named: Any) -> str:
            layout = {"bar_format": ENDLESS} if total is None else {}
            return str(tqdm.format_meter(n, total, *given, **named | layout))

    class Lines(Bar):
        disable: bool

        @staticmethod
        def status_printer(file: Any) -> Callable[[str], None]:
            return lambda text: print(text, file=file, flush=True)

        def close(self) -> None:
            """Print no last line: the command prints its own."""
            if not self.disable:
                self.disable = True
                self._decr_instances(self)

    settings: dict[str, Any] = {"desc": name, "unit": unit, "total": total, "initial": done, "disable": quiet}
    settings["bar_format"] = LAYOUT
    if _is_terminal():
        columns = min(COLUMNS, shutil.get_terminal_size().columns)
        return Bar(**settings, ncols=columns - 1, delay=BAR_AFTER_SECONDS)
    settings["bar_format"] = LAYOUT.replace("|{bar:12}|", ":")
    return Lines(**settings, delay=LINE_SECONDS, mininterval=LINE_SECONDS, maxinterval=LINE_SECONDS)


class Waiting:
    """A sign of life while something lasts: in a terminal its seconds, on a line that is cleared at the end,
    elsewhere a line a minute. It may be entered again and counts on from its first time."""

    def __init__(self, what: str) -> None:
        self.what, self._begun = what, 0.0
        self._over, self._thread = threading.Event(), threading.Thread()

    def __enter__(self) -> None:
        self._moves = _is_terminal()
        if not self._begun:
            self._begun = time.monotonic()
            self._next = self._begun + self._pause()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, args=(self._over,), daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _pause(self) -> float:
        return 1.0 if self._moves else LINE_SECONDS

    def _tick(self, over: threading.Event) -> None:
        shown = 0
        while not over.wait(max(0.0, self._next - time.monotonic())):
            now = time.monotonic()
            text, self._next = f"{self.what}: {now - self._begun:.0f} s", now + self._pause()
            shown = len(text)
            print(
                f"\r{text}" if self._moves else text,
                end="" if self._moves else "\n",
                file=sys.stderr,
                flush=True,
            )
        if shown and self._moves:
            print(f"\r{' ' * shown}\r", end="", file=sys.stderr, flush=True)


class _Compiling(logging.StreamHandler[Any]):
    """Prints what is said of kernels, and shows that something goes on while one is compiled."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = Waiting("compiling" if _is_terminal() else "still compiling")

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno > logging.DEBUG and _is_terminal():
            self._waiting.what = record.getMessage()
        elif record.levelno > logging.DEBUG:
            super().emit(record)
        elif record.msg == "begin":
            self._waiting.__enter__()
        else:
            self._waiting.__exit__()


def announce_compiling() -> None:
    """From now on, say on standard error when kernels are compiled for the first time."""
    log = logging.getLogger("augment.compiling")
    log.handlers, log.propagate = [_Compiling()], False
    log.setLevel(logging.DEBUG)


def announce_loading(say: Callable[[str], None], then: str = "") -> None:
    """Say that torch is loaded next, unless it is there, and what comes `then`."""
    if "torch" not in sys.modules:
        say(f"loading torch, a few seconds{then}")


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def duration(seconds: float) -> str:
    """Seconds for people: 42 s, 3 min 10 s, 5 min, 5.2 h."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{round(whole / 3600, 1):g} h"
    parts = [f"{whole // 60} min"] * (whole >= 60) + [f"{whole % 60} s"] * (whole < 60 or whole % 60 > 0)
    return " ".join(parts)
