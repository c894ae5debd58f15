"""`arc-solve predict` as a process: signals, deadlines, sealed answers, the same bytes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arc_solver.checkpoints.shipped import shipped_weights
from arc_solver.prediction.manifest import manifest_path
from tests.faults.scene import REPOSITORY, defects, watched, write_tasks
from tests.tally import count, full, trial

FEW_SIGNALS = 10  # of those that a handler answers
TINY = ["--set", "width=16", "--set", "num_heads=1", "--set", "max_age=1", "--views", "2", "--ages", "1"]
TINY += ["--adapt-steps", "2", "--threads", "1", "--device", "cpu"]
# Refuses every file of answers; imported by each Python that finds it, workers included.
SEAL = """
import sys
def sealed(event, arguments):
    if event == "open" and "solutions" in str(arguments[0]):
        raise RuntimeError(f"opened {arguments[0]}")
sys.addaudithook(sealed)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "arc_solver.cli", *arguments]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "NUMBA_NUM_THREADS": "1", **changes}


def predict(folder: Path, out: str, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    arguments = ["--tasks", str(folder / "a_challenges.json"), "--out", str(folder / out), *TINY, *more]
    return subprocess.run(
        command("predict", *arguments),
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def launched(folder: Path, *more: str) -> subprocess.Popen[str]:
    """A prediction that would go on for long."""
    arguments = ["predict", "--tasks", str(folder / "a_challenges.json"), "--out", str(folder / "s.json")]
    return subprocess.Popen(
        command(*arguments, *TINY, "--adapt-steps", "1000000", *more),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(pid: int) -> set[int]:
    """The living processes whose parent is `pid`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state not in "ZX":
            found.add(int(process.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until(condition: object, seconds: float = 60.0) -> bool:
    """Whether the condition came true before the time was over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("attempt", range(count("SUPERVISOR", 1)))
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_valid_file_and_no_worker(
    tmp_path: Path, number: signal.Signals, attempt: int
) -> None:
    if attempt >= FEW_SIGNALS and number != signal.SIGKILL:
        pytest.skip("tried often enough")
    with trial(11, f"{number.name}s of the supervisor"):
        leave_by(number, tmp_path, random.Random(1000 * attempt + number))


def leave_by(number: signal.Signals, tmp_path: Path, rng: random.Random) -> None:
    """Start a prediction, send the signal at some time, look at what is left."""
    tasks = write_tasks(tmp_path / "a_challenges.json")
    process = launched(tmp_path)
    assert until(lambda: children(process.pid)), "no worker was started"
    # A worker ends with its parent once it has read its request.
    time.sleep(0.7 + rng.random() * (3.0 if full() else 0.5))
    workers = children(process.pid)
    assert workers
    process.send_signal(number)
    _, text = process.communicate(timeout=30)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number), text
    assert "Traceback" not in text
    assert ("; the same command starts over" in text) == (number != signal.SIGKILL)
    assert until(lambda: not any(map(alive, workers)), 20), "workers live on"
    assert defects(tmp_path / "s.json", tasks) == []


@pytest.mark.parametrize("attempt", range(count("TIME_LIMIT", 1)))
def test_a_time_limit_is_kept(tmp_path: Path, attempt: int) -> None:
    with trial(10, "random time limits, three seeds of tasks"):
        keep_to(random.Random(attempt).uniform(4.0, 12.0) if full() else 5.0, tmp_path, attempt % 3)


def keep_to(limit: float, tmp_path: Path, seed: int) -> None:
    """Predict within so many seconds while a reader looks at the file every 10 ms."""
    tasks = write_tasks(tmp_path / "a_challenges.json", seed=seed)
    out = tmp_path / "s.json"
    with watched(out, tasks) as seen:
        started = time.monotonic()
        process = launched(tmp_path, "--time-limit", f"{limit:.2f}s")
        _, text = process.communicate(timeout=120)
        seconds = time.monotonic() - started
    assert process.returncode == 0, text
    assert seconds < limit, f"{seconds:.2f} s of {limit:.2f} s"
    assert (seen["invalid"], seen["missing"]) == (0, 0)
    assert defects(out, tasks) == []


def test_same_bytes_for_any_hash_seed_and_number_of_workers_and_answers_stay_sealed(tmp_path: Path) -> None:
    write_tasks(tmp_path / "a_challenges.json")
    (tmp_path / "seal").mkdir()
    (tmp_path / "seal" / "sitecustomize.py").write_text(SEAL)
    (tmp_path / "a_solutions.json").write_text("{}")
    path = os.pathsep.join([str(tmp_path / "seal"), str(REPOSITORY)])
    works = subprocess.run(
        [sys.executable, "-c", f"open({str(tmp_path / 'a_solutions.json')!r})"],
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "opened" in works.stderr
    first = predict(tmp_path, "one.json", "--no-adapt", PYTHONHASHSEED="1", PYTHONPATH=path)
    second = predict(
        tmp_path, "two.json", "--no-adapt", "--workers", "2", "--json", PYTHONHASHSEED="2", PYTHONPATH=path
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "next: arc-solve report" in first.stderr
    assert first.stdout == ""
    assert len(json.loads(second.stdout)["failures"]) == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    manifest = json.loads(manifest_path(tmp_path / "two.json").read_bytes())
    assert manifest["state"] == "done"
    assert not manifest["trained_on_demonstrations_of_these_tasks"]
    assert len(manifest["workers"]) == 2
    assert [sum(counts) > 0 for counts in manifest["ballots"].values()] == [True] * 6


def test_training_does_not_open_the_answers_beside_its_tasks(tmp_path: Path) -> None:
    write_tasks(tmp_path / "a_challenges.json")
    (tmp_path / "sitecustomize.py").write_text(SEAL)
    (tmp_path / "a_solutions.json").write_text("{}")
    done = subprocess.run(
        command(
            *(
                "train",
                "--data",
                str(tmp_path / "a_challenges.json"),
                "--preset",
                "cpu-arc",
                "--device",
                "cpu",
            ),
            *("--out", str(tmp_path / "run"), "--steps", "1", "--set", "width=16", "--set", "num_heads=1"),
            *("--set", "num_views=2", "--threads", "1"),
        ),
        env=environment(PYTHONPATH=os.pathsep.join([str(tmp_path), str(REPOSITORY)])),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        (["--device", "toaster"], 2, "--device toaster"),
        (["--preset", "cpu-arcc"], 2, "did you mean 'cpu-arc'"),
        (["--shard", "3/2"], 2, "--shard"),
        (["--checkpoint", "no/such.safetensors"], 3, "no/such.safetensors"),
        (["--checkpoint", __file__], 1, "test_command.py: not a safetensors file"),
        (["--set", "withd=16"], 2, "did you mean 'width'"),
        (["--preset", "cpu-arc", "--set", "ages=many"], 2, "ages"),
    ],
)
def test_a_mistake_of_the_user_is_one_line(tmp_path: Path, more: list[str], code: int, text: str) -> None:
    write_tasks(tmp_path / "a_challenges.json")
    (tmp_path / "s.json").write_text("the submission of yesterday")
    done = predict(tmp_path, "s.json", *more)
    assert (tmp_path / "s.json").read_text() == "the submission of yesterday"
    if more[0] != "--device":  # what only torch can tell comes after the manifest
        assert len(list(tmp_path.iterdir())) == 2
    assert done.returncode == code
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert text in last
    assert "Traceback" not in done.stderr


def test_weights_found_damaged_by_the_worker_leave_the_fallback(tmp_path: Path) -> None:
    tasks = write_tasks(tmp_path / "a_challenges.json")
    shipped = shipped_weights("arc")
    assert shipped is not None
    content = bytearray(shipped.read_bytes())
    content[-1] ^= 1
    (tmp_path / "w.safetensors").write_bytes(content)
    stale = tmp_path / ".arc-solver.1-0.tmp"
    stale.touch()
    done = predict(tmp_path, "s.json", "--checkpoint", str(tmp_path / "w.safetensors"))
    assert done.returncode == 1
    assert "does not match its hash" in done.stderr.splitlines()[-1]
    assert defects(tmp_path / "s.json", tasks) == []
    assert not stale.exists()
