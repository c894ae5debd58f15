"""Progress: a bar in a terminal, elsewhere a plain line every minute; and a line before kernels compile."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

COLUMNS, LINE_SECONDS, BAR_AFTER_SECONDS = 80, 60.0, 2.0
LAYOUT = "{desc} {percentage:3.0f}%|{bar:12}| {n_fmt}/{total_fmt} {unit}s [{elapsed}<{remaining}{postfix}]"


def progress(name: str, unit: str, total: int | None, *, done: int = 0, quiet: bool = False) -> tqdm[Any]:
    """A progress bar in `unit`s that fits the terminal; without a terminal, lines; nothing if quiet."""
    from tqdm import tqdm

    class Lines(tqdm):  # type: ignore[misc]
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
    if sys.stderr is not None and sys.stderr.isatty():
        columns = min(COLUMNS, shutil.get_terminal_size().columns)
        return tqdm(**settings, ncols=columns - 1, delay=BAR_AFTER_SECONDS)
    settings["bar_format"] = LAYOUT.replace("|{bar:12}|", ":")
    return Lines(**settings, delay=LINE_SECONDS, mininterval=LINE_SECONDS, maxinterval=LINE_SECONDS)


def announce_compiling() -> None:
    """From now on, say on standard error when kernels are compiled for the first time."""
    log = logging.getLogger("augment.compiling")
    log.handlers, log.propagate = [logging.StreamHandler()], False
    log.setLevel(logging.INFO)
