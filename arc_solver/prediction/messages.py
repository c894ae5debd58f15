"""Messages between processes: JSON objects in frames that can be found among garbage."""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
import zlib
from typing import Any

import orjson

Message = dict[str, Any]
MAGIC = b"\x93arcmsg\n"
HEADER = struct.Struct(">8sII")  # magic, bytes of the body, CRC-32 of the body
# A file of tasks may have 64 MB; workers reply in far smaller messages.
MAX_REQUEST_BYTES = 512 << 20
MAX_REPLY_BYTES = 32 << 20
BEAT_SECONDS = 1.0


def framed(message: Message) -> bytes:
    """The message as bytes for a pipe."""
    body = orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)
    return HEADER.pack(MAGIC, len(body), zlib.crc32(body)) + body


def send(descriptor: int, message: Message) -> None:
    """Write the whole message to a pipe; OSError if its reader is gone."""
    view = memoryview(framed(message))
    while view:
        view = view[os.write(descriptor, view) :]


class Channel:
    """The pipe to the parent, shared by several threads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send one whole message; OSError if the parent is gone."""
        with self._lock:
            send(self._descriptor, message)

    def beat(self) -> None:
        """Send signs of life forever, since the work itself may be silent for long."""
        with contextlib.suppress(OSError):
            while True:
                self.send({"kind": "alive"})
                time.sleep(BEAT_SECONDS)


class MessageReader:
    """Finds the messages in a stream of bytes, and counts the other bytes."""

    def __init__(self, limit: int = MAX_REPLY_BYTES) -> None:
        """`limit` is the largest body accepted, in bytes."""
        self.garbage = 0
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are completed by `data`."""
        self._buffer += data
        found = []
        while (end := self._frame_end()) is not None:
            if end > len(self._buffer):
                break
            body = bytes(self._buffer[HEADER.size : end])
            message = _parsed(body, HEADER.unpack_from(self._buffer)[2])
            if message is None:
                self._discard(1)
            else:
                found.append(message)
                del self._buffer[:end]
        return found

    def _frame_end(self) -> int | None:
        """Discard garbage before the first frame; returns where it ends, None without a whole header."""
        while True:
            start = self._buffer.find(MAGIC)
            if start < 0:
                self._discard(max(0, len(self._buffer) - len(MAGIC) + 1))
                return None
            self._discard(start)
            if len(self._buffer) < HEADER.size:
                return None
            length = HEADER.unpack_from(self._buffer)[1]
            if length <= self._limit:
                return HEADER.size + int(length)
            self._discard(1)

    def _discard(self, count: int) -> None:
        self.garbage += count
        del self._buffer[:count]


def _parsed(body: bytes, checksum: int) -> Message | None:
    if zlib.crc32(body) != checksum:
        return None
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None
