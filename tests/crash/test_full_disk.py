"""A disk that is full or fails at any call: artefacts stay whole, nothing lies about, one line says why."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from arc_solver.storage.files import TEMP_PREFIX, TEMP_SUFFIX
from tests.crash.failpoints import CALLS
from tests.crash.forkserver import Forkserver, train_command
from tests.crash.journal import Journal
from tests.crash.scene import FINAL_NAME, Tensors, Whole, defects, differences, tensors
from tests.tally import record, some

SETTINGS = {"steps": 8, "save_every": 3}
WRITES = ("write", "pwrite")
OTHERS = tuple(name for name in CALLS if name not in WRITES)
FULL = re.compile(r"error: cannot write \S+: the disk is full: (\d+) bytes needed, \d+ available in \S+")
FAILED = re.compile(r"error: cannot (write|remove|use) \S.*Input/output error")


@dataclass(frozen=True)
class Case:
    """What fails: the `at`-th call of some names, and how."""

    names: tuple[str, ...]
    at: int
    do: str


@dataclass(frozen=True)
class Scene:
    """A short run that writes a log line at every step, and its end when all goes well."""

    server: Forkserver
    tasks: Path
    work: Path

    def train(self, run: Path, case: Case | None) -> tuple[int, int, str]:
        """One start of the run: its exit code, the calls that were counted, what it said."""
        log, journal = self.work / "log", Journal(self.work / "journal")
        log.unlink(missing_ok=True)
        journal.clear()
        order = {"argv": train_command(self.tasks, run, **SETTINGS), "setup": ["tests.crash.slow:talkative"]}
        if case is not None:
            order["fail"] = {"at": case.at, "do": case.do, "names": case.names, "only_saves": False}
        code = self.server.run(log, journal=str(self.work / "journal"), **order)
        return code, journal["calls"], log.read_text()

    def faults(self, run: Path, case: Case, expected: Tensors) -> list[str]:
        """Train with the failure, then without; what was not as promised."""
        code, _, text = self.train(run, case)
        found = defects(run)
        if any(run.glob(f"{TEMP_PREFIX}*{TEMP_SUFFIX}")):
            found.append("a temporary file is left")
        errors = [line for line in text.splitlines() if line.startswith("error: ")]
        pattern = FULL if case.do.endswith("ENOSPC") else FAILED
        # What fails while nothing is at stake, such as clearing the owner's name, is passed over.
        told = code == 1 and len(errors) == 1 and pattern.fullmatch(errors[0])
        if not (told or (code == 0 and case.names == OTHERS)) or "Traceback" in text:
            found.append(f"exit {code}: {text}")
        if self.train(run, None)[0] != 0:
            found.append("the next start failed")
        return found + differences(tensors(run / FINAL_NAME), expected)


@pytest.fixture(scope="module")
def scene(forkserver: Forkserver, whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(forkserver, whole.tasks, tmp_path_factory.mktemp("disk"))


def cases(scene: Scene) -> tuple[list[Case], list[Case]]:
    """Every write in four ways, and every other call."""
    counts = []
    for names in (WRITES, OTHERS):
        code, num_calls, text = scene.train(scene.work / names[0], Case(names, -1, "EIO"))
        assert code == 0, text
        counts.append(num_calls)
    ways = ("ENOSPC", "half-ENOSPC", "EIO", "half-EIO")
    return (
        [Case(WRITES, at, do) for at in range(1, counts[0] + 1) for do in ways],
        [Case(OTHERS, at, "EIO") for at in range(1, counts[1] + 1)],
    )


def test_every_failing_call(scene: Scene, tmp_path: Path) -> None:
    writes, others = cases(scene)
    expected = tensors(scene.work / WRITES[0] / FINAL_NAME)
    assert len(writes) > 4 * 10
    faults = []
    for what, listed in (
        ("writes", some(writes, "DISK", 3)),
        ("other calls", some(others, "DISK", 2)),
    ):
        wrong = {}
        for number, case in enumerate(listed):
            if found := scene.faults(tmp_path / f"{what}-{number}", case, expected):
                wrong[case] = found
        record(4, f"{what} that fail", len(listed), len(listed) - len(wrong))
        faults += list(wrong.items())
    assert not faults


def test_a_disk_that_is_really_full(scene: Scene, tmp_path: Path) -> None:
    """On a file system of its own size, where this process may make one."""
    arguments = {
        "argv": train_command(scene.tasks, Path("run"), **SETTINGS),
        "size": 200_000,
        "answer": str(tmp_path / "answer.json"),
    }
    assert (
        scene.server.run(tmp_path / "log", call="tests.crash.disk:train_on_little", arguments=arguments) == 0
    )
    answer = json.loads((tmp_path / "answer.json").read_text())
    if answer["refused"]:
        pytest.skip("no file system can be mounted here")
    text = (tmp_path / "log").read_text()
    held = answer["code"] == 1 and answer["defects"] == [] and answer["checkpoints"] >= 1
    held = held and FULL.search(text) is not None and "Traceback" not in text
    record(4, "a file system that is full", 1, held)
    assert held, (answer, text)
