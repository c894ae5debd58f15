"""Whatever becomes of standard output and error, what is computed stands: a lost line costs a line."""

import contextlib
import fcntl
import io
import json
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arc_solver.checkpoints.file_format import read_verified
from arc_solver.domains.boards.board_file import read_boards
from arc_solver.storage import standard_streams
from arc_solver.storage.standard_streams import LossyOutput
from tests.crash.forkserver import train_command
from tests.faults.scene import defects, write_tasks
from tests.faults.test_command import TINY, command, environment
from tests.tally import count, trial

TIMEOUT_SECONDS = 300


def redirected(words: list[str], how: str) -> int:
    """The exit code of a command whose streams a shell redirects."""
    shell = ["sh", "-c", f'exec "$@" {how}', "sh", *words]
    return subprocess.run(shell, env=environment(), timeout=TIMEOUT_SECONDS, check=False).returncode


def stderr_closed(words: list[str]) -> int:
    return redirected(words, "2>&-")


def stdout_closed(words: list[str]) -> int:
    return redirected(words, ">&-")


def all_closed(words: list[str]) -> int:
    return redirected(words, "<&- >&- 2>&-")


def full(words: list[str]) -> int:
    return redirected(words, ">/dev/full 2>&1")


def reader_gone(words: list[str]) -> int:
    """As `2>&1 | head -1`: whoever reads leaves after the first line."""
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        return process.wait(TIMEOUT_SECONDS)


def reader_stalled(words: list[str]) -> int:
    """A pipe that is full and never emptied, as that of a pager that nobody scrolls."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1 << 16))
    os.set_blocking(writing, True)
    try:
        process = subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=writing)
        return process.wait(TIMEOUT_SECONDS)
    finally:
        os.close(reading)
        os.close(writing)


def terminal_closed(words: list[str]) -> int:
    """The terminal that the command runs in is closed after the first line: a hang-up, then errors."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        words,
        env=environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    try:
        os.read(master, 1)
    finally:
        os.close(master)
    return process.wait(TIMEOUT_SECONDS)


WAYS = (reader_gone, full, stderr_closed, stdout_closed, all_closed, reader_stalled, terminal_closed)


def predicted(folder: Path, way: Callable[[list[str]], int]) -> list[str]:
    """Predict; what is wrong with the outcome."""
    tasks = write_tasks(folder / "tasks.json", num=2)
    out = folder / "submission.json"
    words = command("predict", "--tasks", str(folder / "tasks.json"), "--out", str(out), *TINY)
    code = way(words)
    manifest = json.loads((folder / "submission.manifest.json").read_bytes())
    ballots = [count for counts in manifest.get("ballots", {}).values() for count in counts]
    found = [] if code == 0 else [f"exit {code}"]
    found += [] if manifest["state"] == "done" and len(ballots) == 3 and all(ballots) else [str(manifest)]
    return found + defects(out, tasks)


def trained(folder: Path, way: Callable[[list[str]], int]) -> list[str]:
    """Train; what is wrong with the outcome."""
    write_tasks(folder / "tasks.json", num=2)
    code = way(command(*train_command(folder / "tasks.json", folder / "run")))
    header, _ = read_verified(folder / "run" / "final.safetensors")
    return [] if (code, header.metadata["step"]) == (0, 20) else [f"exit {code}, {header.metadata['step']}"]


def generated(folder: Path, way: Callable[[list[str]], int]) -> list[str]:
    """Generate; what is wrong with the outcome."""
    out = folder / "sudoku.csv"
    code = way(command("generate", "sudoku", "--side", "4", "--num", "20", "--out", str(out)))
    num = len(read_boards(out)[0])
    return [] if (code, num) == (0, 20) else [f"exit {code}, {num} boards"]


CASES = [(work, way) for way in WAYS for work in (predicted, trained, generated)]
# Of few, each kind of work and unlike ways.
CASES = [*CASES[::8], *(case for case in CASES if case not in CASES[::8])]


@pytest.mark.parametrize(("work", "way"), CASES[: count("STREAM", 3)])
def test_the_work_goes_on(
    tmp_path: Path,
    work: Callable[[Path, Callable[[list[str]], int]], list[str]],
    way: Callable[[list[str]], int],
) -> None:
    with trial(19, "ways to lose a line, each with predict, train and generate"):
        assert work(tmp_path, way) == []


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        (">/dev/full", 1, "error: standard output cannot be written: No space left on device\n"),
        (">/dev/full 2>&1", 1, ""),
        ("| head -1", 0, ""),
        (">&-", 0, ""),
    ],
)
def test_what_only_prints_says_that_it_could_not(how: str, code: int, said: str) -> None:
    shell = ["sh", "-c", f'"$@" {how}', "sh", *command("info")]
    done = subprocess.run(shell, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that is full: its reading end and its writing end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1 << 16))
    os.set_blocking(writing, True)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_a_reader_that_stands_still_is_waited_for_once_and_heard_again(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = io.TextIOWrapper(LossyOutput(writing, patience=0.1), line_buffering=True)
    for number in range(100):
        print(f"lost {number}", file=stream)
    os.read(reading, 1 << 20)  # all that is in it
    print("heard", file=stream)
    assert os.read(reading, 1 << 20).strip(b"\0") == b"heard\n"


def test_a_slow_reader_of_results_gets_all_of_them(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = io.TextIOWrapper(LossyOutput(writing), line_buffering=True)
    text = "".join(f"{number}\n" for number in range(50_000))
    got = bytearray()

    def read() -> None:
        time.sleep(0.2)
        while not got.endswith(b"49999\n"):
            got.extend(os.read(reading, 1 << 14))

    reader = threading.Thread(target=read)
    reader.start()
    stream.write(text)
    stream.flush()
    reader.join()
    assert got.lstrip(b"\0").decode() == text


def test_a_stream_that_was_put_in_place_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = io.StringIO()
    monkeypatch.setattr(sys, "stderr", mine)
    standard_streams.guard_streams()
    assert sys.stderr is mine
