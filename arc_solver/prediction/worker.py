"""The child of a prediction: reads one request from standard input, answers its tasks, reports on a pipe.

`python -m arc_solver.prediction.worker`; `supervisor` says what it may say. Torch is loaded here, not in the
parent.
"""

from __future__ import annotations

import os
import threading
import traceback
from pathlib import Path

from arc_solver.prediction.deadlines import process_start
from arc_solver.prediction.messages import MAX_REQUEST_BYTES, Channel, Message, MessageReader
from arc_solver.prediction.reporter import Reporter
from arc_solver.prediction.request import unpacked_tasks
from arc_solver.storage.files import FolderInUse
from arc_solver.storage.parent_process import die_with_parent
from arc_solver.storage.standard_streams import guard_streams

READ_BYTES = 1 << 20


def main() -> None:
    """Do what the request says; the exit code is 0 when all was said."""
    born = process_start()
    guard_streams()
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
            from arc_solver.prediction.board_work import work_boards

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
    from arc_solver.inference.options import SolveOptions
    from arc_solver.inference.solve import vote
    from arc_solver.presets import find_preset

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


if __name__ == "__main__":
    main()
