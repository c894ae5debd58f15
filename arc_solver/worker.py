"""The child of a prediction: reads one request from standard input, answers its tasks, reports on a pipe.

`python -m arc_solver.worker`; `supervise` says what it may say. Torch is loaded here, not in the parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from arc_solver.clock import process_start
from arc_solver.files import FolderInUse
from arc_solver.messages import MAX_REQUEST_BYTES, Channel, Message, MessageReader
from arc_solver.request import unpacked_tasks

if TYPE_CHECKING:
    from submission.vote import BallotBox

PR_SET_PDEATHSIG = 1
READ_BYTES = 1 << 20
# Candidates per message, of up to 900 cells each.
MAX_CANDIDATES = 2000
# What is kept of a query's candidates until the last report, where all of them were asked for.
INTERIM_CANDIDATES = 8


class Reporter:
    """Sends the standing of the queries that got ballots since the last time."""

    def __init__(self, channel: Channel, *, everything: bool) -> None:
        """With `everything` all candidates of a query are sent in the end, else its best two."""
        self._channel, self._everything = channel, everything
        self._sent: dict[tuple[str, int, bool], int] = {}

    def votes(self, box: BallotBox, *, final: bool = False) -> None:
        """Report what is new; with `final` with all that was asked for."""
        num = INTERIM_CANDIDATES if self._everything else 2
        answers: list[Message] = []
        size = 0
        for query in box.queries:
            ballots = box.ballots(query)
            key = (query.task_id, query.index, final and self._everything)
            if not ballots or self._sent.get(key) == ballots:
                continue
            self._sent[key] = ballots
            tallies = box.tallies(query) if key[2] else box.elect(query, num)
            answers.append(
                {
                    "task": query.task_id,
                    "index": query.index,
                    "ballots": ballots,
                    "spoiled": box.spoiled(query),
                    "candidates": [[t.grid, t.votes, t.weight, t.confidence] for t in tallies],
                }
            )
            size += len(tallies)
            if size > MAX_CANDIDATES:
                self._channel.send({"kind": "standing", "answers": answers})
                answers, size = [], 0
        if answers:
            self._channel.send({"kind": "standing", "answers": answers})


def main() -> None:
    """Do what the request says; the exit code is 0 when all was said."""
    born = process_start()
    # Whatever prints to standard output, a library or a compiler, must not get into the messages.
    channel = Channel(os.dup(1))
    os.dup2(2, 1)
    request = read_request()
    # Its time runs from the start of the process, since loading torch takes seconds of it.
    deadline = None if request["seconds"] is None else born + float(request["seconds"])
    die_with_parent(int(request["parent"]))
    threading.Thread(target=channel.beat, daemon=True).start()
    try:
        if request["kind"] == "boards":
            from arc_solver.boardwork import work_boards

            work_boards(request, channel, deadline)
        else:
            work(request, channel, deadline)
    except Exception as error:  # noqa: BLE001 - the parent decides what becomes of any error
        text = " ".join(str(error).split()) or type(error).__name__
        code = refusal_code(error)
        if code is None:
            text = f"{type(error).__name__}: {text}"
        channel.send({"kind": "error", "text": text, "exit_code": code, "trace": traceback.format_exc()})
        raise SystemExit(1) from None
    channel.send({"kind": "done"})


def refusal_code(error: Exception) -> int | None:
    """The exit code of what the user asked for and cannot have; None for what went wrong on the way.

    A refusal ends the prediction; whatever else befalls a worker costs only what it has not answered.
    """
    asked = isinstance(error, ValueError | FolderInUse)
    return getattr(error, "exit_code", None) if asked else None


def work(request: Message, channel: Channel, deadline: float | None) -> None:
    """Answer the tasks of a request until an instant of the monotonic clock and report as answers come."""
    from arc_solver.options import SolveOptions
    from arc_solver.presets import find_preset
    from arc_solver.solve import vote

    reporter = Reporter(channel, everything=bool(request["everything"]))
    options = SolveOptions(
        preset=find_preset(request["preset"]) if request["preset"] else None,
        settings=tuple(request["settings"]),
        views=request["views"],
        ages=request["ages"],
        adapt=bool(request["adapt"]),
        adapt_steps=request["adapt_steps"],
        adapt_each=bool(request["adapt_each"]),
        keep=Path(request["keep"]) if request["keep"] else None,
        deadline=deadline,
        device=request["device"],
        seed=int(request["seed"]),
        quiet=bool(request["quiet"]),
        say=lambda text: channel.send({"kind": "say", "text": text}),
        on_votes=reporter.votes,
        on_finished=lambda ids: channel.send({"kind": "finished", "items": list(ids)}),
        on_facts=lambda facts: channel.send({"kind": "facts", "facts": facts}),
    )
    box = vote(unpacked_tasks(request["tasks"]), request["checkpoint"], options)
    reporter.votes(box, final=True)


def read_request() -> Message:
    """The one request; ends the process where none comes."""
    reader = MessageReader(MAX_REQUEST_BYTES)
    while data := os.read(0, READ_BYTES):
        for message in reader.feed(data):
            return message
    raise SystemExit("error: no request on standard input; this program is started by `arc-solve predict`")


def die_with_parent(parent: int) -> None:
    """End with the parent, however it ends: by the kernel's signal on Linux, else by the end of the pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(0, READ_BYTES):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
