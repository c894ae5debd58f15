"""What a machine may lack: a home, a user's name, a cache, a sane umask, short names, a GPU that answers."""

import json
import os
import shutil
import subprocess
import tempfile
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
UNWRITABLE = "/proc/no/such"
# Root may read what nobody may; without these powers it is as good as anybody.
HUMBLE = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


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
    "the home is /": Surrounding({"HOME": "/", "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": "/"}),
    "no cache can be written": Surrounding(NO_CACHE),
    "no cache, no home, no name": Surrounding(
        {**dict.fromkeys(NAMES), **NO_CACHE, "HOME": None}, nameless=True
    ),
    "umask 0": Surrounding(umask=0),
    "a path of 1,000 characters": Surrounding(out="/".join(["d" * 200] * 5) + "/s.json"),
}


@pytest.fixture(scope="module")
def humble() -> list[str]:
    """What makes a command run without the powers of root, where it has them and can drop them."""
    if os.geteuid() or shutil.which(HUMBLE[0]) is None:
        return []
    return HUMBLE if subprocess.run([*HUMBLE, "true"], check=False).returncode == 0 else []


def predicted(folder: Path, given: Surrounding, humble: list[str]) -> bytes:
    """The submission that is made in these surroundings."""
    write_tasks(folder / "tasks.json", num=2)
    (folder / "temporary").mkdir()
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(NOBODY)
    path = [str(folder / "hook")] if given.nameless else []
    variables = environment(TMPDIR=str(folder / "temporary"))
    variables["PYTHONPATH"] = os.pathsep.join([*path, variables["PYTHONPATH"]])
    for name, value in given.variables.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    words = ["predict", "--tasks", str(folder / "tasks.json"), "--out", str(folder / given.out), *TINY]
    done = subprocess.run(
        [*humble, *command(*words, "--no-adapt", "--json")],
        env=variables,
        cwd="/",
        umask=given.umask,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unanswered"] == 0
    assert "Traceback" not in done.stderr
    return (folder / given.out).read_bytes()


@pytest.mark.parametrize("name", list(SURROUNDINGS)[: count("SURROUNDING", 2)])
def test_the_answers_are_those_of_any_machine(tmp_path: Path, name: str, humble: list[str]) -> None:
    for folder in ("odd", "plain"):
        (tmp_path / folder).mkdir()
    with trial(20, "surroundings"):
        odd = predicted(tmp_path / "odd", SURROUNDINGS[name], humble)
        assert odd == predicted(tmp_path / "plain", Surrounding(), humble)


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
