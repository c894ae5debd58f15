"""`python -m arc_solver.programs.run_in_pieces PROGRAM`: a program of `gpu_programs`, in pieces if need be.

Every command that ends is a line of {out}/program.jsonl: what is done is not done again, and what each stage
took adds up there. The same call goes on until nothing is left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arc_solver.config import ConfigError
from arc_solver.programs.gpu_programs import PROGRAMS, Place, Program, Stage, find_program
from arc_solver.storage.files import append_line
from arc_solver.storage.text import DataError

LOG_NAME = "program.jsonl"
COMPILED_NAME = "compiled"  # what torch.compile leaves, so that the next piece need not compile again
# No stage that ends with a piece is begun with less than this much of it left.
LEAST_SECONDS = 60.0
UNITS = {"s": 1, "m": 60, "h": 3600}
STOPPED = (128 + signal.SIGTERM, -signal.SIGTERM)


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code (negative: a signal), the last line it printed, seconds."""

    code: int
    line: str
    seconds: float


Run = Callable[[list[str], Stage, Place, float | None], Done]


def command_line(words: Sequence[str], stage: Stage, place: Place) -> list[str]:
    """`words` of `arc-solve` as a person types them; training on several GPUs goes through torchrun."""
    if stage.trains and place.gpus > 1:
        launcher = ["torchrun", "--standalone", "--nproc-per-node", str(place.gpus)]
        return [*launcher, "-m", "arc_solver.cli", *words]
    return ["arc-solve", *words]


def run_piece(
    program: Program,
    place: Place,
    piece: str | None,
    run: Run,
    *,
    say: Callable[[str], None] = print,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Run what is left of a program until it is done, fails or `piece` is over; the exit code.

    0 where nothing failed, done or not. Raises DataError for a file of {data} that is not there.
    """
    missing = [name for name in program.needs if not (Path(place.data) / name).is_file()]
    if missing:
        raise DataError(f"{place.data}: no {missing[0]}, which {program.name} needs; see docs/gpu.md")
    folder = Path(place.folder(program))
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_NAME
    end = None if piece is None else clock() + seconds_of(piece)
    fresh = True  # nothing that takes long was run in this piece
    for stage in remaining(program, folder, log):
        left = None if end is None else end - clock()
        if left is not None and stage.ends and not fresh and (stage.ends == "limit" or left < LEAST_SECONDS):
            break
        given = None if left is None else f"{max(1, round(left))}s"
        words = place.command(program, stage, given)
        say(f"$ {shlex.join(command_line(words, stage, place))}")
        _forget(stage, log)
        done = run(words, stage, place, left)
        finished = done.code == 0 and (not stage.leaves or (folder / stage.leaves).is_file())
        entry = _entry(stage, place, done, finished)
        append_line(log, json.dumps(entry).encode())
        if finished and entry["cut_short"]:
            say(f"{stage.name}: valid, but the time ran out; for all of it remove {stage.leaves} and go on")
        if not finished:
            stopped = done.code == 0 or (stage.ends == "signal" and done.code in STOPPED)
            if not stopped:
                return done.code if done.code > 0 else 128 - done.code
            break
        fresh = fresh and not stage.ends
    rest = [stage.name for stage in remaining(program, folder, log)]
    spent = sum(entry["seconds"] for entry in read_log(log))
    say(
        f"{program.name}: {len(program.stages) - len(rest)} of {len(program.stages)} stages done, "
        f"{spent / 60:.1f} min in all" + (f"; next: {rest[0]} (the same command goes on)" if rest else "")
    )
    for line in () if rest else totals(program, log):
        say(line)
    return 0


def totals(program: Program, log: Path) -> list[str]:
    """A line for every answering of boards, its parts taken together."""
    last = {entry["stage"]: entry.get("facts") for entry in read_log(log)}
    parts: dict[str, list[dict[str, Any]]] = {}
    for stage in program.stages:
        facts = last.get(stage.name)
        if isinstance(facts, dict) and {"boards", "exact"} <= set(facts):
            parts.setdefault(stage.name.split("-")[0], []).append(facts)
    lines = []
    for name, found in parts.items():
        num = sum(facts["boards"] for facts in found)
        right = sum(facts["boards"] * facts["exact"] for facts in found)
        lines.append(f"{name}: {right:.0f} of {num} boards exact ({100 * right / max(1, num):.1f} %)")
    return lines


def _forget(stage: Stage, log: Path) -> None:
    """Take back that a stage is done before it is run again: what a crash leaves of it must not count."""
    if any(entry["stage"] == stage.name and entry["done"] for entry in read_log(log)):
        append_line(
            log, json.dumps({"stage": stage.name, "done": False, "again": True, "seconds": 0.0}).encode()
        )


def _entry(stage: Stage, place: Place, done: Done, finished: bool) -> dict[str, Any]:
    facts: Any = None
    with contextlib.suppress(json.JSONDecodeError):
        facts = json.loads(done.line)
    cut = isinstance(facts, dict) and bool(facts.get("unanswered") or facts.get("out_of_time"))
    return {
        "stage": stage.name,
        "exit": done.code,
        "done": finished,
        "seconds": round(done.seconds, 2),
        "cut_short": cut,
        "gpus": place.gpus,
        "facts": facts,
    }


def read_log(log: Path) -> list[dict[str, Any]]:
    """The commands that ended, in order; a line that a crash cut short is passed over."""
    entries = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else ():
        with contextlib.suppress(json.JSONDecodeError):
            entries.append(json.loads(line))
    return entries


def remaining(program: Program, folder: Path, log: Path) -> list[Stage]:
    """The stages to run: those that never ended well, whose file is gone or what they read is newer."""
    last = {entry["stage"]: (place, entry["done"]) for place, entry in enumerate(read_log(log))}
    ended = {name: place for name, (place, done) in last.items() if done}
    left: list[Stage] = []
    for number, stage in enumerate(program.stages):
        sources = [other for other in program.stages[:number] if stage.needs(other)]
        whole = stage.name in ended and (not stage.leaves or (folder / stage.leaves).is_file())
        if not whole or any(other in left or ended[other.name] > ended[stage.name] for other in sources):
            left.append(stage)
    return left


def seconds_of(text: str) -> float:
    """`540s`, `9m` or `2h` in seconds; ConfigError for anything else."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdecimal() or not int(number):
        raise ConfigError(f"--piece {text!r}: write 540s, 9m or 2h")
    return float(int(number) * UNITS[unit])


def run_command(words: list[str], stage: Stage, place: Place, seconds: float | None) -> Done:
    """Run `arc-solve` as a process, told to stop after `seconds` where it does not know itself."""
    launcher = [sys.executable, "-m"]
    if stage.trains and place.gpus > 1:
        launcher += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(place.gpus), "-m"]
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - this package itself
        [*launcher, "arc_solver.cli", *words], stdout=subprocess.PIPE, text=True
    )
    with passing_on(process):
        try:
            printed, _ = process.communicate(timeout=seconds if stage.ends == "signal" else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate()
    sys.stdout.write(printed)
    sys.stdout.flush()
    lines = printed.splitlines()
    return Done(process.returncode, lines[-1] if lines else "", time.monotonic() - started)


@contextlib.contextmanager
def passing_on(process: subprocess.Popen[str]) -> Iterator[None]:
    """SIGINT and SIGTERM to this process reach `process`, which saves; its end is waited for."""

    def handle(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(prog="python -m arc_solver.programs.run_in_pieces", description=__doc__)
    found.add_argument("program", help=", ".join(PROGRAMS))
    found.add_argument("--data", default="data", help="folder with the files that docs/gpu.md names")
    found.add_argument("--out", default="runs/gpu", help="folder for all programs, each in its own below")
    found.add_argument("--piece", default=None, help="stop after so long (9m); the same command goes on")
    found.add_argument("--gpus", type=int, default=1, help="of this machine; the same number in all pieces")
    found.add_argument("--device", default=None, help="auto, cpu, cuda")
    found.add_argument("--set", dest="settings", action="append", default=[], help="key=value of the recipe")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one piece of a program; prints every command before it runs."""
    options = parser().parse_args(arguments)
    device = () if options.device is None else ("--device", options.device)
    place = Place(options.data, options.out, options.gpus, device, tuple(options.settings))
    program = find_program(options.program)
    compiled = Path(place.folder(program), COMPILED_NAME).absolute()
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled))
    return run_piece(program, place, options.piece or None, run_command)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 1))
