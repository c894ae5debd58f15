"""The worker process of a prediction: reads a request from standard input, answers it, reports on a pipe.

`python -m arc_solver.prediction.worker`; see `supervisor` for its messages. Torch is loaded here, not in the
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
    """Answer the request; the exit code is 0 if everything was reported."""
    born = process_start()
    guard_streams()
    # What libraries or compilers print to standard output must not get into the messages.
    channel = Channel(os.dup(1))
    os.dup2(2, 1)
    request = read_request()
    # Its time counts from the start of the process, since loading torch takes seconds.
    deadline = None if request["seconds"] is None else born + float(request["seconds"])
    die_with_parent(int(request["parent"]))
    threading.Thread(target=channel.beat, daemon=True).start()
    try:
        work(request, channel, deadline)
    except Exception as error:  # noqa: BLE001 - the parent decides what to do about any error
        text = " ".join(str(error).split()) or type(error).__name__
        code = refusal_code(error)
        if code is None:
            text = f"{type(error).__name__}: {text}"
        channel.send({"kind": "error", "text": text, "exit_code": code, "trace": traceback.format_exc()})
        raise SystemExit(1) from None
    channel.send({"kind": "done"})


def refusal_code(error: Exception) -> int | None:
    """The exit code of a request that cannot be met; None for other failures.

    A refusal ends the prediction; other failures of a worker cost only what it has not answered yet.
    """
    asked = isinstance(error, ValueError | FolderInUse)
    return getattr(error, "exit_code", None) if asked else None


def work(message: Message, channel: Channel, deadline: float | None) -> None:
    """Answer the material of a request until an instant of the monotonic clock, reporting as answers come."""
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
    """The request; ends the process if there is none."""
    reader = MessageReader(MAX_REQUEST_BYTES)
    while data := os.read(0, READ_BYTES):
        for message in reader.feed(data):
            return message
    raise SystemExit("error: no request on standard input; this program is started by `arc-solve predict`")


if __name__ == "__main__":
    main()
