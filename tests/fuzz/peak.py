"""A program in a process of its own, and the most memory that it held.

A small process starts it: a child's peak counts the pages of its parent, until it becomes the program.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SECONDS = 300
STARTER = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, timeout=float(sys.argv[1]))
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Ended(NamedTuple):
    """How a program ended, what it said on standard error, the most bytes that it or a child held."""

    code: int
    said: str
    most_bytes: int


def ended(words: Sequence[str], folder: Path, stdin: int = subprocess.DEVNULL) -> Ended:
    """Run a command line in the folder, with one thread and 80 columns, for five minutes at most."""
    done = subprocess.run(
        [sys.executable, "-c", STARTER, str(SECONDS), *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"},
        stdin=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    code, kilobytes = map(int, done.stdout.split())
    return Ended(code, done.stderr, kilobytes << 10)
