"""An error that comes late leaves what an earlier run answered; two runs never write one file."""

import errno
import fcntl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arc_solver.checkpoints.shipped import shipped_weights
from arc_solver.config import MAX_SEED
from arc_solver.prediction.manifest import manifest_path
from arc_solver.storage.earlier_files import earlier_files
from arc_solver.storage.files import TEMP_PREFIX, FolderInUse, StorageError, sweep_stale, write_atomic
from arc_solver.storage.output_lock import own_outputs
from tests.faults.scene import defects, write_tasks
from tests.faults.test_command import TINY, command, environment, launched, predict
from tests.tally import count, record, trial

OLDER = '{"task00": "of yesterday"}'


def manifest_is_a_folder(folder: Path) -> list[str]:
    manifest_path(folder / "s.json").mkdir()
    return []


def candidates_are_a_folder(folder: Path) -> list[str]:
    (folder / "c.jsonl").mkdir()
    return ["--candidates", str(folder / "c.jsonl")]


def candidates_below_a_file(folder: Path) -> list[str]:
    return ["--candidates", str(folder / "a_challenges.json" / "c.jsonl")]


def seed_of_65_bits(folder: Path) -> list[str]:
    return ["--seed", str(2**64)]


def seed_just_too_large(folder: Path) -> list[str]:
    return ["--seed", str(MAX_SEED)]


def seed_in_a_setting(folder: Path) -> list[str]:
    return ["--set", f"predict.seed={2**64}"]


def no_such_device(folder: Path) -> list[str]:
    return ["--device", "toaster"]


def weights_that_are_damaged(folder: Path) -> list[str]:
    shipped = shipped_weights("arc")
    assert shipped is not None
    content = bytearray(shipped.read_bytes())
    content[-1] ^= 1
    (folder / "w.safetensors").write_bytes(content)
    return ["--checkpoint", str(folder / "w.safetensors")]


def keep_is_a_file(folder: Path) -> list[str]:
    (folder / "kept").write_text("")
    return ["--keep", str(folder / "kept")]


ERRORS = (
    manifest_is_a_folder,
    candidates_are_a_folder,
    candidates_below_a_file,
    seed_of_65_bits,
    seed_just_too_large,
    seed_in_a_setting,
    no_such_device,
    weights_that_are_damaged,
    keep_is_a_file,
)


@pytest.mark.parametrize("error", ERRORS[: count("LATE", 7)])
def test_an_answered_file_stays(tmp_path: Path, error: Callable[[Path], list[str]]) -> None:
    with trial(23, "errors, each over an answered file"):
        write_tasks(tmp_path / "a_challenges.json")
        out = tmp_path / "s.json"
        out.write_text(OLDER)
        if error is not manifest_is_a_folder:
            manifest_path(out).write_text("{}")
        done = predict(tmp_path, "s.json", *error(tmp_path))
        assert done.returncode in (1, 2), done.stderr
        assert "Traceback" not in done.stderr
        assert out.read_text() == OLDER, done.stderr
        assert manifest_path(out).is_dir() or manifest_path(out).read_text() == "{}"
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(TEMP_PREFIX)]


def test_a_manifest_that_cannot_be_written_stops_a_merge(tmp_path: Path) -> None:
    write_tasks(tmp_path / "t.json")
    (tmp_path / "c.jsonl").write_text('{"task":"task00","index":0,"grid":[[7]]}\n')
    (tmp_path / "s.json").write_text(OLDER)
    manifest_path(tmp_path / "s.json").mkdir()
    words = ["merge", str(tmp_path / "c.jsonl"), "--tasks", str(tmp_path / "t.json")]
    done = subprocess.run(
        command(*words, "--out", str(tmp_path / "s.json")),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "s.manifest.json: it is not a regular file" in done.stderr
    assert (tmp_path / "s.json").read_text() == OLDER


@pytest.mark.parametrize("number", range(count("PREDICTIONS", 1)))
def test_one_of_two_predictions_wins(tmp_path: Path, number: int) -> None:
    tasks = write_tasks(tmp_path / "a_challenges.json")
    winner = launched(tmp_path, "--time-limit", "20s")
    assert winner.stderr is not None
    winner.stderr.readline()  # its fallback is there
    arguments = ["predict", "--tasks", str(tmp_path / "a_challenges.json"), "--out", str(tmp_path / "s.json")]
    started = time.monotonic()
    loser = subprocess.run(
        command(*arguments, *TINY), env=environment(), capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    held = loser.returncode == 1 and f"is being written by process {winner.pid};" in loser.stderr
    held = held and loser.stderr.startswith("error: ") and loser.stderr.count("\n") == 1
    winner.communicate(timeout=120)
    held = held and winner.returncode == 0 and defects(tmp_path / "s.json", tasks) == []
    record(23, "pairs of predictions into one file", 1, held)
    assert held, f"after {seconds:.1f} s: {loser.stderr}"


def test_outputs_are_owned_and_nothing_is_left(tmp_path: Path) -> None:
    out = tmp_path / "new" / "s.json"
    with own_outputs(out, None, tmp_path / "m.json"):
        with pytest.raises(FolderInUse, match="is being written by process"), own_outputs(out):
            pytest.fail("owned twice")
        assert sweep_stale(out.parent) == 0
        with own_outputs(tmp_path / "new" / "other.json"):
            pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "link.json").symlink_to(tmp_path / "s.json")
    with own_outputs(tmp_path / "s.json"), pytest.raises(FolderInUse), own_outputs(tmp_path / "link.json"):
        pytest.fail("owned twice")
    with pytest.raises(StorageError, match="not a regular file"), own_outputs(tmp_path):
        pytest.fail("a folder is no output")
    with own_outputs(tmp_path / ("x" * 250 + ".json")):
        pass


def test_a_file_system_without_locks_takes_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with own_outputs(tmp_path / "s.json"):
        write_atomic(tmp_path / "s.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_the_lock_of_a_run_that_was_killed_is_swept(tmp_path: Path) -> None:
    script = (
        "import os, signal\nfrom pathlib import Path\n"
        "from arc_solver.storage.output_lock import own_outputs\n"
        f"with own_outputs(Path({str(tmp_path / 's.json')!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([command()[0], "-c", script], env=environment(), check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with own_outputs(tmp_path / "s.json"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("achieved", "expected"), [(False, "old"), (True, "new")])
def test_what_was_there_comes_back_unless_there_is_something_better(
    tmp_path: Path, achieved: bool, expected: str
) -> None:
    (tmp_path / "a").write_text("old")

    def fail() -> None:
        with earlier_files(tmp_path / "a", tmp_path / "b", unless=lambda: achieved):
            (tmp_path / "a").write_text("new")
            (tmp_path / "b").write_text("new")
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        fail()
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == (expected, "new")


def test_a_name_that_leaves_no_room_for_the_manifests(tmp_path: Path) -> None:
    names = [manifest_path(tmp_path / f"{'é' * 120}{end}.json").name for end in ("", "a", "b")]
    assert len(set(names)) == 3
    assert all(len(name.encode()) <= 255 and name.endswith(".manifest.json") for name in names)
