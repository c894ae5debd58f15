"""A process that dies at any system call of a save leaves the old checkpoint or the new one."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crash.failpoints import CALLS
from tests.crash.forkserver import Forkserver
from tests.crash.journal import Journal
from tests.crash.saving import NEW, OLD, Tensors, before, copied, outcomes, verdict
from tests.tally import record, some

STRACE = shutil.which("strace")
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Scene:
    """The folder before the save and what may be found after it."""

    server: Forkserver
    template: Path
    expected: dict[int, Tensors]
    work: Path

    def save(self, at: int, do: str, names: tuple[str, ...] = CALLS, **order: Any) -> tuple[int, int]:
        """Save in a fresh copy and fail at one call: the exit code, and how many calls there were."""
        folder = copied(self.template, self.work / "run")
        journal = Journal(self.work / "journal")
        journal.clear()
        arguments = {"folder": str(folder), "journal": str(self.work / "journal"), "at": at, "do": do}
        arguments |= {"names": names, "pause": False}
        call = "tests.crash.saving:save_and_die"
        code = self.server.run(self.work / "log", call=call, arguments=arguments, **order)
        return code, journal["calls"]

    def verdict(self) -> tuple[int, list[str]]:
        """What a restart finds now, and what is not as promised."""
        return verdict(self.work / "run", self.expected)


@pytest.fixture(scope="module")
def scene(forkserver: Forkserver, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("save")
    for name in ("template", "expected"):
        (folder / name).mkdir()
    before(folder / "template")
    forkserver.prepare("tests.crash.saving:ready")
    return Scene(forkserver, folder / "template", outcomes(folder / "expected"), folder)


def points(scene: Scene) -> Iterator[tuple[int, str]]:
    """Every call of the save, and every write a second time, cut in the middle."""
    _, num_calls = scene.save(-1, "kill")
    _, num_writes = scene.save(-1, "kill", ("write", "pwrite"))
    assert num_calls >= num_writes + 5
    yield from ((at, "kill") for at in range(1, num_calls + 1))
    yield from ((at, "half-kill") for at in range(1, num_writes + 1))


def test_every_call_of_a_save(scene: Scene) -> None:
    tried, found, faults = some(list(points(scene)), "SAVE_POINT", 8), Counter[int](), []
    for at, do in tried:
        code, _ = scene.save(at, do, ("write", "pwrite") if do == "half-kill" else CALLS)
        assert code == KILLED, (scene.work / "log").read_text()
        step, wrong = scene.verdict()
        found[step] += 1
        faults += [f"{do} {at}: {fault}" for fault in wrong]
    record(2, "calls of the writer", len(tried), len(tried) - len({f.split(":")[0] for f in faults}))
    assert not faults
    assert set(found) == {OLD, NEW}


def test_a_careless_writer_is_found_out(scene: Scene) -> None:
    states = []
    for at, do in ((2, "kill"), (2, "half-kill")):
        code, _ = scene.save(at, do, ("open", "write"), setup=["tests.crash.careless:overwrite"])
        assert code == KILLED, (scene.work / "log").read_text()
        states.append(scene.verdict())
    record(2, "careless writer found out (mutation check)", 2, sum(bool(faults) for _, faults in states))
    assert all(any("cut short" in fault for fault in faults) for _, faults in states)


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def traced(scene: Scene, trace: Path, *inject: str) -> int:
    """Save under strace, which joins when all is ready; the exit code."""
    folder = copied(scene.template, scene.work / "run")
    arguments = {"folder": str(folder), "journal": "", "at": 0, "do": "", "names": (), "pause": True}
    pid = scene.server.start(scene.work / "log", call="tests.crash.saving:save_and_die", arguments=arguments)
    while not stopped(pid):
        time.sleep(0.005)
    assert STRACE is not None
    command = [STRACE, "-f", "-qq", "-o", str(trace), *inject, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        while tracer.poll() is None and "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text():
            time.sleep(0.005)
        os.kill(pid, signal.SIGCONT)
        code = scene.server.wait(pid)
        tracer.wait(timeout=60)
    return code


def system_calls(trace: Path) -> Counter[str]:
    """How often each system call occurs in a trace that only the save has made."""
    return Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))


@pytest.mark.skipif(STRACE is None, reason="there is no strace here")
def test_every_system_call_of_a_save(scene: Scene, tmp_path: Path) -> None:
    code = traced(scene, tmp_path / "trace")
    text = (tmp_path / "trace").read_text() if (tmp_path / "trace").exists() else ""
    if not text:
        pytest.skip("strace may not trace here")
    assert code == 0, (scene.work / "log").read_text()
    calls = system_calls(tmp_path / "trace")
    assert calls["fsync"] == 2
    cases = [(name, number) for name in sorted(calls) for number in range(1, calls[name] + 1)]
    faults, tried, found = [], 0, Counter[int]()
    for name, number in some(cases, "SYSTEM_CALL", 4):
        inject = ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}")
        if traced(scene, tmp_path / "trace", *inject) != KILLED:
            continue  # a call that is not made each time, such as a wait for a lock
        tried += 1
        step, wrong = scene.verdict()
        found[step] += 1
        faults += [f"{name} {number}: {fault}" for fault in wrong]
    record(2, "system calls, with strace", tried, tried - len({f.split(":")[0] for f in faults}))
    assert not faults
    assert tried
    assert set(found) <= {OLD, NEW}
