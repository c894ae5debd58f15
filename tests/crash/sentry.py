"""A watch within a process: whatever unpickles, starts a program or compiles text is told in its log."""

import os
import sys
from typing import Any

# `convert` and `predict` start children of this Python; the manifest of a prediction asks for the processor.
ALLOWED = (sys.executable, "uname")
FORBIDDEN = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.startfile")
MOST_BYTES = 3 << 30


def watch() -> None:
    """Begin to watch this process, and hold its memory to a few gigabytes."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    sys.addaudithook(told)


def told(event: str, arguments: tuple[Any, ...]) -> None:
    """Write the line that a test looks for."""
    foreign = event == "subprocess.Popen" and not str(arguments[0]).endswith(ALLOWED)
    if event in FORBIDDEN or foreign:
        os.write(2, f"SENTRY: {event} {arguments!r}\n".encode())
