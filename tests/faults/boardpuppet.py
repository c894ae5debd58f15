"""A worker without a model for boards: `boardpuppet.py KIND FOLDER` answers one block, then misbehaves."""

import os
import signal
import sys
import time

from arc_solver.prediction.messages import MAX_REQUEST_BYTES, MessageReader, send


def main() -> None:
    kind = sys.argv[1]
    reader = MessageReader(MAX_REQUEST_BYTES)
    request = None
    while request is None:
        request = next(iter(reader.feed(os.read(0, 1 << 20))), None)
    if kind == "refusal":
        send(1, {"kind": "error", "text": "--device toaster", "exit_code": 2, "trace": "Traceback ..."})
        time.sleep(3600)
    (block, num), side = request["items"][0], request["material"]["side"]
    entry = {"task": block, "ballots": 1, "ages": 1}
    answers = []
    for index, text in enumerate(request["material"]["questions"][:num]):
        cells = [0 if character == "." else int(character) for character in text]
        board = [cells[start : start + side] for start in range(0, side * side, side)]
        answers.append({**entry, "index": index, "candidates": [[board, 1, 1.0, 0.5]]})
    send(1, {"kind": "answers", "answers": answers})
    send(1, {"kind": "finished", "items": [block]})
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(3600)


if __name__ == "__main__":
    main()
