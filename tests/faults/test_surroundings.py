"""What a machine may lack: a home, a user's name, a cache, a sane umask, short names, a GPU that answers."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from arc_solver.hardware import accelerators
from arc_solver.storage.surroundings import private_folder
from tests.faults.scene import write_tasks
from tests.faults.test_command import TINY, command, environment
from tests.tally import count, trial

# A user that the password file does not know, for a test that may not become another one.
NOBODY = """
import pwd
def unknown(user):
    raise KeyError(f"uid not found: {user}")
pwd.getpwuid = unknown
"""
NAMES = ("HOME", "USER", "LOGNAME", "USERNAME", "LNAME", "XDG_CACHE_HOME")
ALONE, UNWRITABLE = 54321, "/proc/no/such"


@dataclass(frozen=True)
class Surrounding:
    """What differs: variables (None: not set), umask, name of the output, whether the user has no name."""

    variables: dict[str, str | None] = field(default_factory=dict)
    umask: int = 0o022
    out: str = "s.json"
    nameless: bool = False


NO_CACHE = {"NUMBA_CACHE_DIR": UNWRITABLE, "XDG_CACHE_HOME": UNWRITABLE, "HOME": UNWRITABLE}
SURROUNDINGS = {
    "no home and no name": Surrounding(dict.fromkeys(NAMES), nameless=True),
    "umask 777": Surrounding(umask=0o777),
    "a name of 255 characters": Surrounding(out="n" * 250 + ".json"),
    "the home is / and not ours": Surrounding({"HOME": "/", "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": "/"}),
    "no cache can be written": Surrounding(NO_CACHE),
    "no cache, no home, no name": Surrounding(
        {**dict.fromkeys(NAMES), **NO_CACHE, "HOME": None}, nameless=True
    ),
    "umask 0": Surrounding(umask=0),
    "a path of 1,000 characters": Surrounding(out="/".join(["d" * 200] * 5) + "/s.json"),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can reach, which pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="arc-solver-test-"))
    path.chmod(0o777)
    yield path
    subprocess.run(["chmod", "-R", "u+rwX", str(path)], check=False)
    shutil.rmtree(path)


def predicted(folder: Path, given: Surrounding) -> bytes:
    """The submission that is made in these surroundings."""
    write_tasks(folder / "tasks.json", num=2)
    (folder / "temporary").mkdir(exist_ok=True)
    (folder / "temporary").chmod(0o777)
    (folder / "hook").mkdir(exist_ok=True)
    (folder / "hook" / "sitecustomize.py").write_text(NOBODY)
    path = [str(folder / "hook")] if given.nameless else []
    variables = environment(TMPDIR=str(folder / "temporary"))
    variables["PYTHONPATH"] = os.pathsep.join([*path, variables["PYTHONPATH"]])
    for name, value in given.variables.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    as_another = {"user": ALONE, "group": ALONE, "extra_groups": []} if os.geteuid() == 0 else {}
    words = ["predict", "--tasks", str(folder / "tasks.json"), "--out", str(folder / given.out), *TINY]
    done = subprocess.run(
        command(*words, "--no-adapt", "--json"),
        env=variables,
        cwd="/",
        umask=given.umask,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        **as_another,  # type: ignore[arg-type]
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unanswered"] == 0
    assert "Traceback" not in done.stderr
    return (folder / given.out).read_bytes()


@pytest.mark.parametrize("name", list(SURROUNDINGS)[: count("SURROUNDING", 2)])
def test_the_answers_are_those_of_any_machine(folder: Path, name: str) -> None:
    plain = folder / "plain"
    plain.mkdir()
    plain.chmod(0o777)
    with trial(20, "surroundings"):
        assert predicted(folder, SURROUNDINGS[name]) == predicted(plain, Surrounding())


def test_gpus_are_counted_without_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(accelerators, "DEVICES", tmp_path)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    for name in ("nvidia0", "nvidia1", "nvidia-uvm", "nvidia-caps", "null", "nvidia10x"):
        (tmp_path / name).touch()
    assert accelerators.visible_gpus() == []  # the driver is not there
    (tmp_path / "nvidiactl").touch()
    assert accelerators.visible_gpus() == ["0", "1"]


def test_a_folder_that_another_may_write_is_not_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = private_folder()
    assert found is not None
    assert found.stat().st_mode & 0o777 == 0o700
    found.chmod(0o777)
    assert private_folder() is None
    found.rmdir()
    (tmp_path / "elsewhere").mkdir()
    found.symlink_to(tmp_path / "elsewhere")
    assert private_folder() is None
