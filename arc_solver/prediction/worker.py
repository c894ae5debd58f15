"""The child of a prediction: reads one request from standard input, answers what it holds, reports on a pipe.

`python -m arc_solver.prediction.worker`; `supervisor` says what it may say. Torch is loaded here, not in the
parent.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import traceback

from arc_solver.prediction.deadlines import process_start
from arc_solver.prediction.messages import MAX_REQUEST_BYTES, Channel, Message, MessageReader
from arc_solver.storage.files import FolderInUse
from arc_solver.storage.parent_process import die_with_parent
from arc_solver.storage.standard_streams import guard_streams
from submission.vote import Query

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


def work(message: Message, channel: Channel, deadline: float | None) -> None:
    """Answer the material of a request until an instant of the monotonic clock, told as answers come."""
    from arc_solver.domains.domains import find_domain
    from arc_solver.inference.solve import Prediction
    from arc_solver.prediction.reporter import Reporter
    from arc_solver.prediction.request import PredictRequest
    from arc_solver.progress import announce_compiling

    domain, request = find_domain(message["domain"]), PredictRequest.from_message(message["request"])
    queries = [Query(item, index) for item, number in message["items"] for index in range(number)]
    everything = request.candidates is not None
    reporter = Reporter(channel, queries, most=domain.attempts, everything=everything)
    if not message["quiet"]:
        announce_compiling()
    options = dataclasses.replace(request.solve, deadline=deadline, quiet=bool(message["quiet"]))
    material = domain.unpack(message["material"])
    Prediction(domain, material, request.checkpoint, options, reporter.listener()).run()
    reporter.finish()


def read_request() -> Message:
    """The one request; ends the process where none comes."""
    reader = MessageReader(MAX_REQUEST_BYTES)
    while data := os.read(0, READ_BYTES):
        for message in reader.feed(data):
            return message
    raise SystemExit("error: no request on standard input; this program is started by `arc-solve predict`")


if __name__ == "__main__":
    main()
