"""SIGTERM and SIGINT: the step is finished and saved, the exit code says why; a second one ends at once."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arc_solver.training.signals import stop_signals
from tests.crash.forkserver import Forkserver, train_command
from tests.crash.journal import Journal
from tests.crash.scene import FINAL_NAME, STEPS, Whole, defects, differences, newest, tensors
from tests.tally import count, full, record, seed

NUM_SIGNALS = count("SIGNAL", 3)
NUM_SECONDS = count("SECOND_SIGNAL", 3)
AT_ONCE = 1.0
SECONDS = 10.0  # that a run has to leave after the first signal
SAVED = re.compile(r"(?m)^(?:interrupted|terminated) at (?:step (\d+)|the end of training); saved \S+")


def started(server: Forkserver, folder: Path, argv: list[str], **order: Any) -> tuple[int, Journal]:
    """Start the command and wait until its handlers are set."""
    journal = Journal(folder / "journal")
    journal.clear()
    pid = server.start(folder / "log", argv=argv, journal=str(folder / "journal"), **order)
    until(lambda: journal["started"], journal, folder)
    return pid, journal


def until(condition: Callable[[], object], journal: Journal, folder: Path) -> None:
    """Wait for the condition; a process that ended first is an AssertionError."""
    deadline = time.monotonic() + 60
    while not condition():
        assert not journal["ended"], (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.001)


def interrupted(
    server: Forkserver, whole: Whole, folder: Path, number: int, delay: float
) -> tuple[bool, list[str]]:
    """One run with one signal: whether it hit the run, and what was not as promised."""
    run = folder / "run"
    pid, journal = started(server, folder, train_command(whole.tasks, run))
    time.sleep(delay)
    os.kill(pid, number)
    sent = time.monotonic()
    code, seconds = server.wait(pid), time.monotonic() - sent
    text = (folder / "log").read_text()
    if code == 0:
        return False, []  # it had ended before
    faults = defects(run)
    if code != 128 + number or seconds > SECONDS or "Traceback" in text:
        faults.append(f"exit {code} after {seconds:.1f} s: {text}")
    found = SAVED.search(text)
    if journal["steps"] and not found:
        faults.append(f"nothing was said: {text}")
    if found and "finishing this step and saving" not in text:
        faults.append(f"the first signal was not answered: {text}")
    if found and int(found[1] or STEPS) != journal["steps"]:
        faults.append(f"{found[0]!r} after {journal['steps']} steps")
    if (code := server.run(folder / "log", argv=train_command(whole.tasks, run))) != 0:
        return True, [*faults, f"exit {code} of the next start"]
    faults += differences(tensors(newest(run)), whole.checkpoint)
    return True, faults + differences(tensors(run / FINAL_NAME), whole.weights)


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_the_first_signal_says_at_once_what_happens(
    number: signal.Signals, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for quiet in (False, True):
        with stop_signals(quiet=quiet) as caught:
            os.kill(os.getpid(), number)
            assert caught == [number]
            told = capfd.readouterr().err
            assert told.startswith(f"{word}: finishing this step and saving; ") != quiet
            assert told.count("\n") == (not quiet)
            with pytest.raises(SystemExit) as end:
                os.kill(os.getpid(), number)
            assert end.value.code == 128 + number


def test_a_signal_at_a_random_time_loses_nothing(
    forkserver: Forkserver, whole: Whole, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed())
    tried, faults = 0, []
    for number in range(4 * NUM_SIGNALS):
        if tried == NUM_SIGNALS:
            break
        (folder := tmp_path / str(number)).mkdir()
        sent = (signal.SIGTERM, signal.SIGINT)[tried % 2]
        hit, found = interrupted(forkserver, whole, folder, sent, float(rng.uniform(0, whole.seconds)))
        tried += hit
        faults += [f"run {number}, {sent.name}: {fault}" for fault in found]
    record(3, "signals at random times", tried, tried - len({fault.split(",")[0] for fault in faults}))
    assert not faults, f"seed {seed()}: {faults}"
    assert tried == NUM_SIGNALS


def evaluated(whole: Whole, folder: Path) -> list[str]:
    """The command with an evaluation after every second step."""
    listed = json.loads(whole.tasks.read_text())
    for task in listed.values():
        task["test"] = task["train"][: len(task["test"])]
    (folder / "answered.json").write_text(json.dumps(listed))
    command = train_command(whole.tasks, folder / "run", eval_every=2)
    return [*command, "--eval-data", str(folder / "answered.json")]


@pytest.mark.parametrize("number", range(NUM_SECONDS))
def test_a_second_signal_ends_at_once(
    forkserver: Forkserver, whole: Whole, tmp_path: Path, number: int
) -> None:
    rng = np.random.default_rng([seed(), number])
    what = ("endless_step", "endless_sync", "endless_evaluation")[number % 3]
    first, second = rng.choice([signal.SIGTERM, signal.SIGINT], 2).tolist()
    pid, journal = started(
        forkserver, tmp_path, evaluated(whole, tmp_path), setup=[f"tests.crash.slow:{what}"]
    )
    until(lambda: journal["swept"], journal, tmp_path)
    time.sleep(float(rng.uniform(0, 1)))
    os.kill(pid, first)
    time.sleep(float(rng.uniform(0, 0.2)))
    # Two of a kind are one to the system while the first still waits to be noticed.
    for _ in range(20):
        sent = time.monotonic()
        os.kill(pid, second)
        while not journal["ended"] and time.monotonic() < sent + AT_ONCE:
            time.sleep(0.001)
        if journal["ended"]:
            break
    code, seconds = forkserver.wait(pid), time.monotonic() - sent
    text = (tmp_path / "log").read_text()
    # Where the first one could be obeyed at once, the second came too late.
    held = code in (128 + first, 128 + second) and "Traceback" not in text and defects(tmp_path / "run") == []
    record(3, "second signals", 1, held and seconds < AT_ONCE)
    assert held, f"seed {seed()}: exit {code} after {seconds:.1f} s: {text}"
    assert not full() or seconds < AT_ONCE


def test_an_evaluation_does_not_keep_a_run_from_leaving(
    forkserver: Forkserver, whole: Whole, tmp_path: Path
) -> None:
    pid, journal = started(
        forkserver, tmp_path, evaluated(whole, tmp_path), setup=["tests.crash.slow:endless_evaluation"]
    )
    until(lambda: journal["steps"] == 2, journal, tmp_path)
    time.sleep(0.3)
    os.kill(pid, signal.SIGINT)
    code = forkserver.wait(pid)
    text = (tmp_path / "log").read_text()
    held = code == 130 and SAVED.search(text) is not None
    record(3, "signals within an evaluation", 1, held)
    assert held, f"exit {code}: {text}"
    assert forkserver.run(tmp_path / "log", argv=evaluated(whole, tmp_path)) == 0
    assert differences(tensors(tmp_path / "run" / FINAL_NAME), whole.weights) == []
