"""A worker without a model for tests of the supervisor: answers its tasks and then misbehaves as it is told.

`puppet.py KIND FOLDER`: every task is answered with its first demonstration's output. The request of each
start is logged in FOLDER; a kind that starts with "once-" misbehaves at the first start only, with "first3-"
at the first three. "dead" is killed before it answers anything, "on-ID" where it is told that task.
"""

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

from arc_solver.prediction.messages import (
    HEADER,
    MAGIC,
    MAX_REPLY_BYTES,
    MAX_REQUEST_BYTES,
    MessageReader,
    send,
)

NUM_SANE = 1  # tasks that are answered before the misbehavior


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    reader = MessageReader(MAX_REQUEST_BYTES)
    request = None
    while request is None:
        request = next(iter(reader.feed(os.read(0, 1 << 20))), None)
    ids = [task["id"] for task in request["material"]["tasks"]]
    (folder / f"{time.monotonic_ns():020d}-{os.getpid()}.json").write_text(json.dumps(ids))
    if kind.startswith("once-"):
        kind = kind.removeprefix("once-") if is_first(folder) else "sane"
    if kind.startswith("first"):
        number, _, kind = kind.removeprefix("first").partition("-")
        kind = kind if len(list(folder.glob("*.json"))) <= int(number) else "sane"
    if kind == "dead" or kind.removeprefix("on-") in ids:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind.startswith("on-"):
        kind = "sane"
    for number, task in enumerate(request["material"]["tasks"]):
        if kind not in ("sane", "slow") and number == NUM_SANE:
            misbehave(kind, ids)
        answer(task)
        if kind == "slow":
            time.sleep(0.05)
    if kind == "slow":
        time.sleep(3600)
    say(kind="done")


def is_first(folder: Path) -> bool:
    try:
        (folder / "once").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def say(**message: object) -> None:
    send(1, message)


def answer(task: dict) -> None:
    entry = {
        "task": task["id"],
        "ballots": 2,
        "candidates": [[task["train"][0][1], 2, 2.0, 0.5]],
    }
    say(kind="answers", answers=[{**entry, "index": index} for index in range(len(task["test"]))])
    say(kind="finished", items=[task["id"]])


def misbehave(kind: str, ids: list[str]) -> None:
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "segfault":
        ctypes.string_at(0)
    elif kind == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif kind == "silent":
        time.sleep(3600)
    elif kind == "exception":
        raise RuntimeError("on purpose")
    elif kind == "exit":
        sys.exit(0)
    elif kind == "memory":
        say(kind="error", text="MemoryError: on purpose", exit_code=None, trace="")
        raise MemoryError
    elif kind == "refusal":
        say(kind="error", text="--device toaster: not a device", exit_code=2, trace="Traceback ...")
        time.sleep(3600)
    elif kind == "deaf":
        os.close(1)
        time.sleep(3600)
    elif kind == "orphan":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        os._exit(1)
    elif kind == "garbage":
        babble(ids)
    else:
        sys.exit(f"no kind {kind!r}")


def babble(ids: list[str]) -> None:
    """Everything that is no answer, whole frames of nonsense among it, then noise until it is stopped."""
    rng = random.Random(0)
    entry = {"task": ids[0], "index": 0, "ballots": 9, "candidates": []}
    grids = [[], [[]], [[1, 2], [3]], [[10]], [[True]], [[1.5]], "x", None, [[0] * 31], {"a": 1}]
    nonsense = [{**entry, "candidates": [[grid, 1, 1.0, 1.0]]} for grid in grids]
    nonsense += [{**entry, key: value} for key in entry for value in (None, -1, "no such", [[1]], 10**30)]
    nonsense += [{**entry, "candidates": [[[[1]], *rest]]} for rest in ((), (1, "x", 1.0), (1, 1.0, -1))]
    body = b"\xff{"
    os.write(1, HEADER.pack(MAGIC, len(body), zlib.crc32(body)) + body)
    os.write(1, HEADER.pack(MAGIC, MAX_REPLY_BYTES + 1, 0))
    for value in [*nonsense, None, 1, "x"]:
        try:
            say(kind="answers", answers=[value])
            say(kind="answers", answers=value)
        except TypeError:  # an integer that JSON cannot hold here
            continue
    for kind in (None, 1, "finished", "facts", "no such"):
        say(kind=kind)
    while True:
        os.write(1, rng.randbytes(1 << 16))


if __name__ == "__main__":
    main()
