"""A process that has everything imported and compiled, and forks a warm child for every start of a command.

Two hundred kills need several hundred starts, and torch alone takes seconds to import. Orders and answers
are JSON lines on standard input and output; children write to the log that their order names.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from tests.crash.journal import Journal

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# Weights of a few kilobytes, two canvases, moments of Adam, an average: all that a checkpoint can hold.
TINY = {
    "width": 16,
    "num_heads": 2,
    "rounding": 8,
    "cycles": 1,
    "latent_steps": 1,
    "num_layers": 1,
    "prefix_length": 2,
    "optimizer": "adam_atan2",
    "batch_size": 6,
    "max_age": 3,
    "num_views": 4,
    "save_every": 4,
    "steps": 20,
}
TIMEOUT_SECONDS = 120.0


def train_command(tasks: Path, out: Path, **settings: object) -> list[str]:
    """The arguments of a tiny training run of `tasks` in `out`."""
    command = ["train", "--data", str(tasks), "--preset", "cpu-arc", "--out", str(out)]
    command += ["--device", "cpu", "--threads", "1"]
    for key, value in {**TINY, **settings}.items():
        command += ["--set", f"{key}={value}"]
    return command


class Forkserver:
    """Starts commands in warm processes; the caller may signal them and waits for each once."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forkserver"],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._read()  # says that it is warm

    def start(self, log: Path, **order: Any) -> int:
        """Begin what the order says (see `serve`), with output to `log`; the process id."""
        return int(self._ask({**order, "log": str(log)})["pid"])

    def wait(self, pid: int) -> int:
        """The exit code of a process, negative for a signal; one that hangs is an AssertionError."""
        answer = self._ask({"wait": pid})
        assert answer["code"] is not None, f"process {pid} hung for {TIMEOUT_SECONDS} s"
        return int(answer["code"])

    def run(self, log: Path, **order: Any) -> int:
        """Start and wait."""
        return self.wait(self.start(log, **order))

    def prepare(self, call: str) -> None:
        """Call a function ("module:function") in the server itself, so that every child finds it done."""
        self._ask({"prepare": call})

    def close(self) -> None:
        """End the server."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=60)

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the fork server died"
        return json.loads(line)


def serve() -> None:
    """Answer orders until the input ends.

    An order has `argv` (a command line) or `call` ("module:function") with `arguments`, and perhaps
    `journal`, `fail` (arguments of failpoints.fail_at), `kill_after` (of failpoints.kill_after) and `setup`
    (functions, "module:function", to call first).
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warm_up()
    tell(answers, {})
    for line in sys.stdin:
        order = json.loads(line)
        if "prepare" in order:
            called(order["prepare"])()
            tell(answers, {})
            continue
        if "wait" in order:
            tell(answers, {"code": ended(order["wait"])})
            continue
        pid = os.fork()
        if not pid:
            obey(order)
        tell(answers, {"pid": pid})
    os._exit(0)


def tell(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def warm_up() -> None:
    """Import and compile what a run needs, and leave a single thread: only such a process may fork."""
    import torch
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    torch.set_num_threads(1)
    importlib.import_module("arc_solver.inference.evaluate")
    from tests.faults.scene import write_tasks

    with tempfile.TemporaryDirectory() as folder:
        write_tasks(Path(folder) / "tasks.json", num=2)
        command(train_command(Path(folder) / "tasks.json", Path(folder) / "run", steps=2))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tasks = Path("/proc/self/task")
    threads = len(list(tasks.iterdir())) if tasks.is_dir() else 1
    assert threads == 1, f"{threads} threads: a forked child would miss them"


def command(argv: list[str]) -> int:
    """Run the command line here; its exit code."""
    from arc_solver.cli import main

    sys.argv = ["arc-solve", *argv]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def obey(order: dict[str, Any]) -> NoReturn:
    """In the child: carry out the order and leave, without the second that Python takes to tear down."""
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 70
    try:
        prepare(order)
        if "argv" in order:
            code = command(order["argv"])
        else:
            called(order["call"])(**order.get("arguments", {}))
            code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
    finally:
        if "journal" in order:
            journal = Journal(Path(order["journal"]))
            journal["processor_nanoseconds"] = time.process_time_ns()
            journal["ended"] = time.monotonic_ns()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def called(name: str) -> Callable[..., Any]:
    """The function of "module:function"."""
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)


def prepare(order: dict[str, Any]) -> None:
    """Set the journal and the failure that the order asks for."""
    from tests.crash import failpoints

    for name in order.get("setup", ()):
        called(name)()
    if "journal" not in order:
        return
    journal = Journal(Path(order["journal"]))
    told = failpoints.kill_after(**order["kill_after"]) if "kill_after" in order else lambda: None
    failpoints.watch(journal, told)
    if "fail" in order:
        failpoints.fail_at(journal, **order["fail"])
    failpoints.announce(journal)


def ended(pid: int) -> int | None:
    """The exit code of a child as subprocess has it; None, and it is killed, after a long wait."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


if __name__ == "__main__":
    serve()
