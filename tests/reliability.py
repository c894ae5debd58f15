"""Tries every promise of docs/reliability.md as often as it says, and prints what held.

`python -m tests.reliability` runs all jobs, two at a time; `--rows 1,2` some of them. A job that passed on
the same sources is not run again unless `--again` asks for it, so that a long run may be broken off and gone
on with. `--write` puts the table into docs/reliability.md.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.promises import JOBS, ROWS, Job
from tests.tally import LOG

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "runs" / "reliability"
DOCUMENT = REPOSITORY / "docs" / "reliability.md"
SOURCES = ("arc_solver", "augment", "submission", "tests")
BEGIN, END = "<!-- figures: written by tests/reliability.py -->", "<!-- end of the figures -->"


@dataclass(frozen=True)
class Result:
    """What a job gave: its tallies as (row, what) -> (tried, held), and how it ended."""

    tallies: dict[tuple[int, str], tuple[int, int]]
    code: int
    seconds: float
    sources: str


def sources() -> str:
    """The commit's trees of what the figures depend on; empty where files differ or git is missing."""
    trees = _git("rev-parse", *(f"HEAD:{folder}" for folder in SOURCES)).split()
    if not trees or _git("status", "--porcelain", "--", *SOURCES):
        return ""
    return " ".join(tree[:12] for tree in trees)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def run(job: Job, now: str) -> Result:
    """Run a job and keep what it gave; its output goes to a file beside."""
    log, output = RESULTS / f"{job.name}.tally", RESULTS / f"{job.name}.log"
    log.unlink(missing_ok=True)
    counts = {f"ARC_SOLVER_{name}_COUNT": number for name, number in job.counts.items()}
    one_thread = {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-m", "not gpu", "-p", "no:cacheprovider", *job.tests]
    started = time.monotonic()
    # A folder of its own: pytest clears those that others of its runs left.
    with tempfile.TemporaryDirectory() as folder, output.open("wb") as stream:
        code = subprocess.run(
            [*command, f"--basetemp={folder}/tests"],
            cwd=REPOSITORY,
            env={**os.environ, **one_thread, **counts, LOG: str(log)},
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    facts = {"code": code, "seconds": round(time.monotonic() - started, 1), "sources": now}
    (RESULTS / f"{job.name}.json").write_text(json.dumps(facts))
    found = result(job)
    assert found is not None
    return found


def result(job: Job) -> Result | None:
    """What the last run of a job gave, or None."""
    path = RESULTS / f"{job.name}.json"
    if not path.exists():
        return None
    facts = json.loads(path.read_text())
    log, tallies = RESULTS / f"{job.name}.tally", dict[tuple[int, str], tuple[int, int]]()
    for line in log.read_text().splitlines() if log.exists() else ():
        entry = json.loads(line)
        key = (entry["row"], entry["what"])
        tried, held = tallies.get(key, (0, 0))
        tallies[key] = (tried + entry["tried"], held + entry["held"])
    return Result(tallies, facts["code"], facts["seconds"], facts["sources"])


def lines(number: int, results: Sequence[Result]) -> list[tuple[str, int, int]]:
    """What was tried for a row, how often, and how often it held."""
    joined: dict[str, tuple[int, int]] = {}
    for found in results:
        for (row, what), (tried, held) in found.tallies.items():
            if row == number:
                before = joined.get(what, (0, 0))
                joined[what] = (before[0] + tried, before[1] + held)
    return [(what, tried, held) for what, (tried, held) in joined.items()]


def table(results: dict[str, Result]) -> str:
    """The promises and the figures as Markdown."""
    text = ["| # | fault | promise | tried | held |", "|---|---|---|---|---|"]
    for number, row in ROWS.items():
        own = [results[job.name] for job in JOBS if number in job.rows and job.name in results]
        found = lines(number, own) or [("not measured", 0, 0)]
        for place, (what, tried, held) in enumerate(found):
            left = f"| {number} | {row.fault} | {row.promise} |" if place == 0 else "| | | |"
            text.append(f"{left} {tried:,} {what} | {held:,} |" if tried else f"{left} {what} | |")
    return "\n".join(text)


def shortfalls(results: dict[str, Result], rows: set[int]) -> list[str]:
    """The rows that do not hold at their figure, and the jobs that failed."""
    found = []
    for number in sorted(rows):
        own = [results[job.name] for job in JOBS if number in job.rows and job.name in results]
        told = lines(number, own)
        counted = {what: tried for what, tried, _ in told}
        found += [
            f"row {number}: {counted.get(what, 0)} {what}, fewer than {least}"
            for what, least in ROWS[number].least.items()
            if counted.get(what, 0) < least
        ]
        found += [f"row {number}: {held} of {tried} {what}" for what, tried, held in told if held < tried]
    failed = [name for name, each in results.items() if each.code]
    return found + [f"{name} failed; see {RESULTS / name}.log" for name in failed]


def machine() -> str:
    """Where and with what the figures were measured."""
    commit = _git("rev-parse", "--short=12", "HEAD").strip() or "unknown"
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    model = re.search(r"model name\s*: (.*)", text)
    processor = model[1] if model else platform.machine()
    return (
        f"Commit {commit}, {time.strftime('%Y-%m-%d', time.gmtime())}; {processor}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"torch {metadata.version('torch')}, safetensors {metadata.version('safetensors')}."
    )


def written(results: dict[str, Result]) -> None:
    """Put the table into the page."""
    page = DOCUMENT.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    seconds = sum(each.seconds for each in results.values())
    head = f"{machine()} The jobs took {seconds / 60:.0f} minutes of two cores in all, two at a time."
    DOCUMENT.write_text(f"{before}{BEGIN}\n{head}\n\n{table(results)}\n{END}{after}", encoding="utf-8")


def options(arguments: Sequence[str] | None) -> Any:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    everything = ",".join(map(str, ROWS))
    parser.add_argument("--rows", default=everything, help="numbers of rows, with commas between")
    parser.add_argument("--jobs", type=int, default=2, help="jobs side by side")
    parser.add_argument("--again", action="store_true", help="run also what passed on the same sources")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 when anything did not hold at its figure."""
    chosen = options(arguments)
    rows = {int(number) for number in chosen.rows.split(",") if number}
    if unknown := rows - ROWS.keys():
        print(f"error: no row {min(unknown)}; there are 1 to {max(ROWS)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = sources()
    jobs = [job for job in JOBS if rows & set(job.rows)]
    kept = {job.name: found for job in JOBS if (found := result(job)) is not None}
    waiting = [
        job
        for job in jobs
        if chosen.again or not now or (old := kept.get(job.name)) is None or old.code or old.sources != now
    ]

    def carried_out(job: Job) -> None:
        found = run(job, now)
        kept[job.name] = found
        print(f"{job.name}: exit {found.code} after {found.seconds:.0f} s", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(chosen.jobs) as pool:
        list(pool.map(carried_out, waiting))
    print(table(kept))
    missing = shortfalls({job.name: kept[job.name] for job in jobs}, rows)
    for line in missing:
        print(line, file=sys.stderr)
    if chosen.write:
        written(kept)
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
