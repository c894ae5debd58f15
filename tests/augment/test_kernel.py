"""Kernels give the same compiled and interpreted, and their machine code is kept where it can be."""

import os
import shutil
import signal
import subprocess
import sys

import numba
import pytest
from numba.core.dispatcher import Dispatcher

from augment import batch, distinct_views, maze, sampler, sudoku
from augment.kernel import inner
from tests.augment.outcomes import outcomes

PROGRAM = """
import numpy as np
from augment.kernel import kernel

@kernel
def add_one(values):
    for row in range(len(values)):
        values[row] += 1

values = np.zeros(3)
add_one(values)
print(values.sum())
"""


def run_python(repository, arguments, **variables):
    environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONWARNINGS": "error", **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environment, cwd=repository, capture_output=True, text=True, timeout=300
    )


def test_compiled_and_interpreted_kernels_agree(repository):
    other = "0" if numba.config.DISABLE_JIT else "1"
    done = run_python(repository, ["-m", "tests.augment.outcomes"], NUMBA_DISABLE_JIT=other)
    assert done.stderr == ""
    assert done.stdout.strip() == outcomes(5)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_each_kernel_is_compiled_once():
    """A second set of argument types would double the time of the first start."""
    outcomes(5)
    modules = (batch, maze, distinct_views, sampler, sudoku)
    signatures = {
        f"{module.__name__}.{name}": value.nopython_signatures
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Dispatcher) and value.stats.cache_path is not None
    }
    assert len(signatures) == 12
    assert {name: kinds for name, kinds in signatures.items() if len(kinds) != 1} == {}


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_machine_code_goes_to_the_chosen_folder(repository, program, tmp_path):
    done = run_python(repository, [program], NUMBA_CACHE_DIR=str(tmp_path / "cache"), NUMBA_DISABLE_JIT="0")
    assert (done.stdout, done.stderr) == ("3.0\n", "")
    (folder,) = (tmp_path / "cache").iterdir()
    assert folder.name.startswith("kernels-")
    kept = list(folder.rglob("program.add_one*"))
    assert {path.suffix for path in kept} == {".nbi", ".nbc"}
    before = {path: path.stat().st_mtime_ns for path in kept}
    again = run_python(repository, [program], NUMBA_CACHE_DIR=str(tmp_path / "cache"), NUMBA_DISABLE_JIT="0")
    assert again.stdout == "3.0\n"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("program.add_one*")} == before


def test_a_folder_that_cannot_be_written_costs_one_line(repository, program, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    variables = {"NUMBA_CACHE_DIR": str(blocked), "NUMBA_DISABLE_JIT": "0"}
    done = run_python(repository, [program], XDG_CACHE_HOME=str(tmp_path / "home"), **variables)
    assert done.stdout == "3.0\n"
    parent = tmp_path / "home" / "arc-solver"
    assert str(blocked) in done.stderr
    assert done.stderr.endswith(f"{parent}\n")
    assert done.stderr.count("\n") == 1
    assert list(parent.rglob("program.add_one*.nbc"))
    done = run_python(repository, [program], XDG_CACHE_HOME=str(blocked), **variables)
    assert done.stdout == "3.0\n"
    assert "compiled anew" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_change_of_any_source_is_noticed(repository, tmp_path):
    """numba alone would keep the old code of a kernel when a file that it inlines changes."""
    shutil.copytree(
        repository / "augment", tmp_path / "augment", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "program.py").write_text(
        PROGRAM.replace("+= 1", "+= hash64(np.uint64(1), row, 0) % np.uint64(1000)").replace(
            "import kernel", "import kernel\nfrom augment.counter_rng import hash64"
        )
    )
    counter = tmp_path / "augment" / "counter_rng.py"
    shown = [run_python(tmp_path, ["program.py"], NUMBA_DISABLE_JIT="0").stdout]
    counter.write_text(counter.read_text().replace("0x94D049BB133111EB", "0x94D049BB133111ED"))
    shown += [run_python(tmp_path, ["program.py"], NUMBA_DISABLE_JIT=jit).stdout for jit in ("0", "1")]
    assert shown[0] != shown[1] == shown[2] != ""


class Interrupts(numba.core.event.Listener):
    """Sends this process a signal within the compiler."""

    sent = False

    def on_start(self, event):
        if not self.sent:
            self.sent = True
            signal.raise_signal(signal.SIGTERM)

    def on_end(self, event):
        pass


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_signal_waits_until_the_compiler_is_done():
    at = []

    def handle(number, frame):
        at.append(len(compiled.signatures))
        raise SystemExit(143)

    compiled = inner(lambda x: x + 1)
    before = signal.signal(signal.SIGTERM, handle)
    numba.core.event.register("numba:llvm_lock", once := Interrupts())
    try:
        with pytest.raises(SystemExit):
            compiled(3)
        assert signal.getsignal(signal.SIGTERM) is handle
    finally:
        numba.core.event.unregister("numba:llvm_lock", once)
        signal.signal(signal.SIGTERM, before)
    assert at == [1]
    assert compiled(3) == 4
