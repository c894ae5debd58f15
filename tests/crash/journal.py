"""What a process had done when it was killed: counters in a shared mapping, which outlives it."""

import mmap
import struct
from pathlib import Path

# started, ended: instants of the monotonic clock in nanoseconds; swept: temporary files left after the sweep,
# plus one; saving: whether a save is under way; calls: system calls of the writer.
FIELDS = (
    *("started", "ended", "processor_nanoseconds", "swept", "steps"),
    *("saves", "saving", "save_microseconds", "calls"),
)
SLOT = struct.Struct("<q")


class Journal:
    """Counters by name; a missing file starts them at zero."""

    def __init__(self, path: Path) -> None:
        size = SLOT.size * len(FIELDS)
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    def __getitem__(self, name: str) -> int:
        return int(SLOT.unpack_from(self._map, SLOT.size * FIELDS.index(name))[0])

    def __setitem__(self, name: str, value: int) -> None:
        SLOT.pack_into(self._map, SLOT.size * FIELDS.index(name), value)

    def clear(self) -> None:
        """All counters back to zero."""
        for name in FIELDS:
            self[name] = 0
