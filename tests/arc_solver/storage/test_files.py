"""The writer under every failure and at every crash point, and the lock on an output folder."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arc_solver.storage import files
from arc_solver.storage.files import (
    FolderInUse,
    StorageError,
    append_line,
    lock_folder,
    remove,
    sha256_file,
    sweep_stale,
    write_atomic,
)

OLD, NEW = b"old" * 1000, b"new!" * 50_000
PIECES = [NEW[start : start + 60_000] for start in range(0, len(NEW), 60_000)]
SYSTEM_CALLS = ("open", "write", "fsync", "replace", "close")

# Runs `writer` in a process that ends, as if killed, just before its k-th system call.
CRASH = """
import os, sys
from pathlib import Path
from arc_solver.storage.files import write_atomic
def naive(path, chunks):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for chunk in chunks:
        os.write(descriptor, chunk)
    os.close(descriptor)
writer, path, k = {"ours": write_atomic, "naive": naive}[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3])
calls = 0
def counted(call):
    def run(*arguments, **options):
        global calls
        calls += 1
        if calls == k:
            os._exit(9)
        return call(*arguments, **options)
    return run
for name in sys.argv[4].split(","):
    setattr(os, name, counted(getattr(os, name)))
writer(path, [b"new!" * 15_000] * 3 + [b"new!" * 5_000])
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("data", [NEW, PIECES, iter(PIECES), [b""], b""])
def test_writes_bytes_and_pieces(tmp_path: Path, data: bytes | list[bytes] | Iterator[bytes]) -> None:
    path = tmp_path / "made" / "here" / "artefact.json"
    write_atomic(path, data)
    assert path.read_bytes() == (b"" if data in (b"", [b""]) else NEW)
    assert names(path.parent) == ["artefact.json"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_small_writes_of_the_system_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, view: write(descriptor, view[:7001]))
    write_atomic(tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW


def test_a_link_is_followed_and_a_folder_refused(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(OLD)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomic(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == NEW
    with pytest.raises(StorageError, match="not a regular file"):
        write_atomic(tmp_path, NEW)
    with pytest.raises(StorageError, match="not a regular file"):
        write_atomic(Path("/dev/null"), NEW)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_every_failing_system_call_leaves_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path, num_failures = tmp_path / "artefact", 0
    for name in SYSTEM_CALLS:
        for k in range(1, 12):
            path.write_bytes(OLD)
            with monkeypatch.context() as patch:
                calls = fail_at(patch, name, k, code)
                error = None
                try:
                    write_atomic(path, PIECES)
                except StorageError as raised:
                    error = raised
            if len(calls) < k:
                assert error is None
                assert path.read_bytes() == NEW
                break
            assert error is not None
            assert error.exit_code == 1
            assert "\n" not in str(error)
            if name == "write" and code != errno.EIO:
                needed = sum(map(len, PIECES[:k]))
                assert f"{needed} bytes needed" in str(error)
                assert "available in" in str(error)
            assert path.read_bytes() in ((OLD,) if name in ("write", "replace") else (OLD, NEW))
            assert names(tmp_path) == ["artefact"], f"{name} {k}"
            num_failures += 1
    assert num_failures >= 4 + 2 + 1  # writes, syncs, the replace


def fail_at(patch: pytest.MonkeyPatch, name: str, k: int, code: int) -> list[int]:
    """Let the k-th call of os.<name> fail; the list grows with every call."""
    calls: list[int] = []
    real = getattr(os, name)

    def call(*arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == k:
            if name == "close":
                real(*arguments)  # as the kernel does: the descriptor is gone all the same
            raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    patch.setattr(os, name, call)
    return calls


def crash_states(folder: Path, writer: str) -> tuple[set[bytes], int]:
    """The states in which a crash at every system call leaves the file, and how many crashes those were."""
    states, path = set(), folder / "artefact"
    for k in range(1, 40):
        path.write_bytes(OLD)
        command = [sys.executable, "-c", CRASH, writer, str(path), str(k), ",".join(SYSTEM_CALLS)]
        done = subprocess.run(command, check=False, timeout=60)
        states.add(path.read_bytes())
        sweep_stale(folder)
        assert names(folder) == ["artefact"]
        if done.returncode == 0:
            return states, k - 1
        assert done.returncode == 9
    raise AssertionError("the writer never came to its end")


def test_a_crash_leaves_old_or_new(tmp_path: Path) -> None:
    states, num_points = crash_states(tmp_path, "ours")
    assert states == {OLD, NEW}
    assert num_points >= 10


def test_the_crash_harness_sees_a_naive_writer(tmp_path: Path) -> None:
    states, _ = crash_states(tmp_path, "naive")
    assert states - {OLD, NEW}


def test_a_failing_source_passes_through(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyError("no more")

    (tmp_path / "a").write_bytes(OLD)
    with pytest.raises(KeyError):
        write_atomic(tmp_path / "a", chunks())
    assert (tmp_path / "a").read_bytes() == OLD
    assert names(tmp_path) == ["a"]


def test_sweep_takes_the_dead_and_spares_the_living(tmp_path: Path) -> None:
    stale = tmp_path / f"{files.TEMP_PREFIX}1-0{files.TEMP_SUFFIX}"
    stale.write_bytes(b"left by a process that was killed")
    (tmp_path / "keep.tmp").write_bytes(b"not ours")

    def chunks() -> Iterator[bytes]:
        yield b"half "
        assert sweep_stale(tmp_path) == 1
        yield b"and half"

    write_atomic(tmp_path / "a", chunks())
    assert (tmp_path / "a").read_bytes() == b"half and half"
    assert names(tmp_path) == ["a", "keep.tmp"]
    assert sweep_stale(tmp_path / "nowhere") == 0


HOLD = """
import sys, time
from pathlib import Path
from arc_solver.storage.files import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_has_one_owner_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse, match=f"in use by process {owner.pid};"), lock_folder(folder):
            pytest.fail("the folder was entered twice")
        owner.send_signal(signal.SIGKILL)
        owner.wait(timeout=60)
    with lock_folder(folder):
        assert (folder / files.LOCK_NAME).read_text() == f"{os.getpid()}\n"
    with lock_folder(folder):
        pass


def test_a_folder_made_for_nothing_is_removed(tmp_path: Path) -> None:
    for name in ("new", "old"):
        if name == "old":
            (tmp_path / name).mkdir()
        with pytest.raises(KeyError), lock_folder(tmp_path / name):
            raise KeyError
    with pytest.raises(TypeError), lock_folder(tmp_path / "used"):
        int(write_atomic(tmp_path / "used" / "a", b""))  # fails after the file was written
    assert names(tmp_path) == ["old", "used"]
    assert names(tmp_path / "used") == [files.LOCK_NAME, "a"]


def test_a_full_disk_is_told_by_the_lock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(monkeypatch, "pwrite", 1, errno.ENOSPC)
    with pytest.raises(StorageError, match=r"bytes needed, \d+ available"), lock_folder(tmp_path / "run"):
        pytest.fail("entered without a lock")
    assert names(tmp_path) == []


def test_what_is_gone_is_removed_and_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    remove(tmp_path / "a")
    remove(tmp_path / "a")
    with pytest.raises(StorageError, match="cannot remove"):
        remove(tmp_path)


def test_many_starters_one_wins(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    starters = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    winners = []
    for starter in starters:
        assert starter.stdout is not None
        if starter.stdout.readline() == b"held\n":
            winners.append(starter)
    assert len(winners) == 1
    for starter in starters:
        _, text = starter.communicate(timeout=60)
        assert starter in winners or f"in use by process {winners[0].pid};".encode() in text


def test_a_lock_needs_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(StorageError, match="as an output folder"), lock_folder(tmp_path / "file"):
        pytest.fail("a file was entered")


def test_a_log_grows_by_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append_line(log, b"one")
    append_line(log, b"two")
    assert log.read_bytes() == b"one\ntwo\n"
    log.write_bytes(b"one\ntw")
    append_line(log, b"three")
    assert log.read_bytes() == b"one\ntw\nthree\n"
    with pytest.raises(StorageError, match="cannot write"):
        append_line(tmp_path, b"a folder")


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(NEW)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(NEW).hexdigest()
