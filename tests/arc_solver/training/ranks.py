"""Training commands as one process or as several that belong together, killed where asked."""

import json
import math
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import safetensors.torch
from torch import Tensor

from tests.crash.forkserver import Forkserver, command

COMPILER = "the compiler of torch was loaded, seconds for nothing"
MEMBER = "tests.arc_solver.training.ranks:member"


def member(
    rank: int, world: int, port: int, argv: list[str], fault: list[int] | None, place: str | None
) -> NoReturn:
    """Be one process of a run, as torchrun starts it, in the folder `place`.

    `fault` is a step and the signal that follows it.
    """
    if place is not None:
        os.chdir(place)
    if world > 1:
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(world)}
        os.environ.update(address, RANK=str(rank), LOCAL_RANK=str(rank))
    from arc_solver.training import loop

    loop.REPORT_SECONDS = math.inf  # one report at the end, over all steps of this start
    if fault is not None:
        step, number = fault
        train_step = loop.train_step

        def fatal(state: Any, *arguments: Any, **options: Any) -> Any:
            measures = train_step(state, *arguments, **options)
            if state.step == step:
                os.kill(os.getpid(), number)
            return measures

        loop.train_step = fatal
    code = command(argv)
    if "torch._dynamo" in sys.modules:
        print(COMPILER)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def start(
    server: Forkserver,
    folder: Path,
    argv: list[str],
    world: int = 1,
    kill: tuple[int, int] | None = None,
    number: int = signal.SIGKILL,
    places: Sequence[Path] = (),
) -> list[tuple[int, str]]:
    """Run a command in `world` processes to its end: exit code and output of each.

    `kill` is (rank, step): that process gets signal `number` after that step. `places` are the
    working folders of the processes.
    """
    port = free_port()
    logs = [folder / f"{len(list(folder.glob('log-*')))}-{rank}.txt" for rank in range(world)]
    (folder / f"log-{logs[0].stem}").touch()
    pids = []
    for rank, log in enumerate(logs):
        fault = [kill[1], int(number)] if kill is not None and kill[0] == rank else None
        place = str(places[rank]) if places else None
        arguments = {"rank": rank, "world": world, "port": port, "argv": argv, "fault": fault, "place": place}
        pids.append(server.start(log, call=MEMBER, arguments=arguments))
    codes = [server.wait(pid) for pid in pids]
    return [(code, log.read_text()) for code, log in zip(codes, logs, strict=True)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last(folder: Path) -> dict[str, Tensor]:
    """The tensors of the newest checkpoint of a run."""
    return safetensors.torch.load(max(folder.glob("checkpoint-*")).read_bytes())


def figures(folder: Path, name: str) -> list[float]:
    """All values of one figure in the log of a run."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if name in line]
