"""Inputs that unpack, flow or build to far more than they are: one line, exit 3, under a gigabyte."""

import gzip
import os
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.faults.scene import write_tasks
from tests.faults.test_command import command, environment
from tests.fuzz.peak import ended
from tests.tally import count, trial

MOST_BYTES = 10**9
PIECE = 1 << 20


def packed(path: Path, pieces: Iterable[bytes]) -> Path:
    """The pieces as one gzip file, made without holding them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    with path.open("wb") as stream:
        for piece in pieces:
            stream.write(packer.compress(piece))
        stream.write(packer.flush())
    return path


def repeated(piece: bytes, size: int, head: bytes = b"", tail: bytes = b"") -> Iterator[bytes]:
    """Head, `piece` until there are `size` bytes, tail."""
    block = piece * max(1, PIECE // len(piece))
    yield head
    for _ in range(size // len(block)):
        yield block
    yield tail


def tasks_of_blanks(folder: Path) -> list[str]:
    return ["predict", "--tasks", str(packed(folder / "x.json.gz", repeated(b" ", 3 << 30)))]


def tasks_of_lists(folder: Path) -> list[str]:
    path = packed(folder / "x.json.gz", repeated(b"[],", 60 << 20, b'{"a":{"train":[', b"[]]}}"))
    return ["predict", "--tasks", str(path)]


def tasks_of_flaws(folder: Path) -> list[str]:
    path = packed(folder / "x.json.gz", repeated(b"1e999,", 60 << 20, b'{"a":{"train":[', b"1]}}"))
    return ["show", str(path)]


def tasks_that_flow(folder: Path) -> list[str]:
    return ["predict", "--tasks", "/dev/zero"]


def tasks_in_a_named_pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "pipe.json")
    return ["show", str(folder / "pipe.json")]


def boards_of_blank_lines(folder: Path) -> list[str]:
    return ["predict", "--tasks", str(packed(folder / "x.csv.gz", repeated(b"\n", 3 << 30)))]


def boards_that_flow(folder: Path) -> list[str]:
    (folder / "x.csv").symlink_to("/dev/zero")
    return ["train", "--data", str(folder / "x.csv"), "--preset", "cpu-sudoku4", "--out", str(folder / "r")]


def boards_in_a_named_pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "pipe.txt")
    out = str(folder / "new.csv")
    return ["generate", "sudoku", "--num", "1", "--out", out, "--exclude", str(folder / "pipe.txt")]


def submission_of_lists(folder: Path) -> list[str]:
    path = packed(folder / "x.json.gz", repeated(b"[],", 60 << 20, b'{"a":[', b"[]]}"))
    (folder / "t.json").write_text('{"a": [[[1]]]}')
    return ["score", str(path), "--solutions", str(folder / "t.json")]


def submission_that_flows(folder: Path) -> list[str]:
    (folder / "t.json").write_text('{"a": [[[1]]]}')
    return ["score", "/dev/zero", "--solutions", str(folder / "t.json")]


def solutions_of_repeated_keys(folder: Path) -> list[str]:
    (folder / "s.json").write_text("{}")
    path = packed(folder / "x.json.gz", repeated(b'{"a":0,"a":0},', 12 << 20, b'{"a":[', b"0]}"))
    return ["score", str(folder / "s.json"), "--solutions", str(path)]


def solutions_in_a_named_pipe(folder: Path) -> list[str]:
    (folder / "s.json").write_text("{}")
    os.mkfifo(folder / "pipe")
    return ["score", str(folder / "s.json"), "--solutions", str(folder / "pipe")]


def candidates_without_number(folder: Path) -> list[str]:
    write_tasks(folder / "t.json")
    line = b'{"task":"task00","index":0,"grid":[[1]]}\n'
    path = packed(folder / "x.jsonl.gz", repeated(line, 1_600_000 * len(line)))
    return ["merge", str(path), "--tasks", str(folder / "t.json"), "--out", str(folder / "o.json")]


def candidates_that_flow(folder: Path) -> list[str]:
    write_tasks(folder / "t.json")
    return ["merge", "/dev/zero", "--tasks", str(folder / "t.json"), "--out", str(folder / "o.json")]


def weights_that_flow(folder: Path) -> list[str]:
    return ["info", "/dev/zero"]


def weights_in_a_named_pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "pipe")
    write_tasks(folder / "t.json")
    return ["predict", "--tasks", str(folder / "t.json"), "--checkpoint", str(folder / "pipe")]


BOMBS = (
    tasks_of_lists,
    boards_of_blank_lines,
    solutions_in_a_named_pipe,
    tasks_of_blanks,
    tasks_of_flaws,
    tasks_that_flow,
    tasks_in_a_named_pipe,
    boards_that_flow,
    boards_in_a_named_pipe,
    submission_of_lists,
    submission_that_flows,
    solutions_of_repeated_keys,
    candidates_without_number,
    candidates_that_flow,
    weights_that_flow,
    weights_in_a_named_pipe,
)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs the devices of Unix")
@pytest.mark.parametrize("bomb", BOMBS[: count("BOMB", 3)])
def test_a_bomb_is_one_line(tmp_path: Path, bomb: Callable[[Path], list[str]]) -> None:
    with trial(21, "floods of tasks, boards, submissions, candidates, weights"):
        code, said, size = ended(command(*bomb(tmp_path)), tmp_path)
        assert (code, said.count("\n")) == (3, 1), said[:1000]
        assert said.startswith("error: ")
        assert size < MOST_BYTES, f"{size:,} bytes"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs the devices of Unix")
def test_standard_input_that_flows(tmp_path: Path) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        code, said, size = ended(command("show", "-"), tmp_path, zeros.fileno())
    assert (code, said) == (3, "error: stdin: larger than 64 MB; split it\n")
    assert size < MOST_BYTES


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_what_a_shell_hands_over_is_read(tmp_path: Path) -> None:
    """`<(command)` is a pipe too, but one with a writer."""
    content = gzip.compress(b'{"task":"task00","index":0,"grid":[[7]]}\n')
    write_tasks(tmp_path / "t.json")
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    words = ["merge", f"/dev/fd/{reading}", "--tasks", str(tmp_path / "t.json"), "--out", str(tmp_path / "o")]
    done = subprocess.run(
        command(*words), env=environment(), pass_fds=(reading,), capture_output=True, text=True, check=False
    )
    os.close(reading)
    assert done.returncode == 0, done.stderr
    assert '"attempt_1":[[7]]' in (tmp_path / "o").read_text()
