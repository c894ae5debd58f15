"""The time of `arc-solve --help`: a fresh process, with the files in the page cache."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from arc_solver.benchmarks.figures import figure, seconds


def measure_cli(quick: bool) -> list[dict[str, Any]]:
    """`cli.help_s`: seconds from the start of the process to its end."""
    command = [sys.executable, "-m", "arc_solver.cli", "--help"]

    def helped() -> None:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - this package itself

    taken = seconds(helped, 3 if quick else 9)
    return [figure("cli.help_s", taken, "s")]
