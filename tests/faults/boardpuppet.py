"""A worker without a model for boards: `boardpuppet.py KIND FOLDER` answers one block, then misbehaves."""

import os
import signal
import sys
import time

from arc_solver.prediction.messages import MAX_REQUEST_BYTES, MessageReader, send

BLOCK = 64  # as in boardstanding, whose import would take long


def main() -> None:
    kind = sys.argv[1]
    reader = MessageReader(MAX_REQUEST_BYTES)
    request = None
    while request is None:
        request = next(iter(reader.feed(os.read(0, 1 << 20))), None)
    if kind == "refusal":
        send(1, {"kind": "error", "text": "--device toaster", "exit_code": 2, "trace": "Traceback ..."})
        time.sleep(3600)
    block = request["numbers"][0] // BLOCK
    mine = [place for place, number in enumerate(request["numbers"]) if number // BLOCK == block]
    answers = [[request["numbers"][place], request["questions"][place], 1] for place in mine]
    send(1, {"kind": "boards", "answers": answers})
    send(1, {"kind": "finished", "items": [str(block)]})
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(3600)


if __name__ == "__main__":
    main()
