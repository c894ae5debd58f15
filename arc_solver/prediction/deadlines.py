"""The start of a run, and the deadlines of its parts."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/self/stat")
# Counted from the field after the program's name, which may itself contain spaces.
START_FIELD = 19
MIN_SILENCE, MAX_SILENCE = 30.0, 300.0


@dataclass(frozen=True)
class Times:
    """Instants of the monotonic clock: start, when workers should be done, when they are killed, end."""

    started: float
    stop_at: float | None = None
    kill_at: float | None = None
    end: float | None = None

    @classmethod
    def of(cls, started: float, seconds: float | None) -> Times:
        """The plan of a run of that many seconds, or without a limit."""
        if seconds is None:
            return cls(started)
        end = started + seconds
        # Time for the last writing, the score and the end of the process; then for the step in progress.
        kill_at = end - min(max(2.0, 0.005 * seconds), 0.2 * seconds, 20.0)
        stop_at = kill_at - min(max(1.0, 0.01 * seconds), 0.15 * seconds, 30.0)
        return cls(started, stop_at, kill_at, end)

    def silence(self) -> float:
        """Seconds without a sign of life after which a worker is given up."""
        if self.stop_at is None:
            return MAX_SILENCE
        return min(MAX_SILENCE, max(MIN_SILENCE, (self.stop_at - self.started) / 4))

    def left(self) -> float:
        """Seconds until the end."""
        return float("inf") if self.end is None else self.end - time.monotonic()


def process_start() -> float:
    """The start of the process as an instant of the monotonic clock; now if the system does not say.

    Time limits count from there, not from the first line that runs.
    """
    now = time.monotonic()
    try:
        fields = STAT.read_text().rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[START_FIELD]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return now
    return now - max(0.0, age)
