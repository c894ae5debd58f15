"""A user at the terminal: runs the entry point in this process and keeps what it printed."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arc_solver.cli import main


@dataclass(frozen=True)
class Outcome:
    """Exit code, standard output and standard error of one command."""

    code: int
    out: str
    err: str

    def error_line(self) -> str:
        """The one line that says what went wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]

    def json(self) -> Any:
        """Standard output, which must be exactly one line of JSON."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


class Terminal:
    """Runs `arc-solve` in-process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path) -> Outcome:
        self.monkeypatch.setattr(sys, "argv", ["arc-solve", *map(str, arguments)])
        handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
        self.capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        finally:
            for number, handler in handlers:
                signal.signal(number, handler)
        printed = self.capsys.readouterr()
        return Outcome(code, printed.out, printed.err)


Grid = list[list[int]]


def challenges(num: int = 3) -> dict[str, Any]:
    """`num` tasks of 2x3 grids that show their input in another color; the second has two test inputs."""
    tasks = {}
    for number in range(num):
        pairs = [{"input": grid(number + k), "output": grid(number + k + 1)} for k in range(3)]
        tests = [{"input": grid(number + 4 + k)} for k in range(2 if number == 1 else 1)]
        tasks[f"task-{number}"] = {"train": pairs, "test": tests}
    return tasks


def solutions(num: int = 3) -> dict[str, list[Grid]]:
    """The right answers of `challenges`."""
    return {
        f"task-{number}": [grid(number + 5 + k) for k in range(2 if number == 1 else 1)]
        for number in range(num)
    }


def grid(color: int) -> Grid:
    """Two rows of three cells, the last of color 0."""
    color = 1 + color % 9
    return [[color, color, 0], [0, color, color]]


def attempts(answers: dict[str, list[Grid]]) -> dict[str, Any]:
    """A submission whose first attempts are `answers`."""
    return {
        task_id: [{"attempt_1": each, "attempt_2": [[0]]} for each in grids]
        for task_id, grids in answers.items()
    }


def write(path: Path, value: Any) -> Path:
    """`value` as JSON in a file."""
    path.write_text(json.dumps(value))
    return path
