"""A disk that forgets what was not synced: which folders a power cut may leave after any system call.

Contents are durable after fsync of the file, names after fsync of the folder. Until then a file may hold any
part of what was written, and of the changes to names any first part may have reached the disk.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Folder = dict[str, bytes]


@dataclass
class Content:
    """What a file holds for its readers, and how much of it is safe."""

    data: bytes = b""
    safe: bytes | None = None  # None: never synced

    def possible(self) -> list[bytes]:
        """What may be read of it after a power cut."""
        if self.safe == self.data:
            return [self.data]
        return list(dict.fromkeys([b"", self.data[: len(self.data) // 2], self.data, self.safe or b""]))


@dataclass
class Disk:
    """One folder, its names now, its names on the disk, and the changes of names in between."""

    root: Path
    now: dict[str, Content] = field(default_factory=dict)
    safe: dict[str, Content] = field(default_factory=dict)
    changes: list[tuple[str, Content | None]] = field(default_factory=list)
    descriptors: dict[int, Content | None] = field(default_factory=dict)  # None: the folder itself

    def hold(self, folder: Folder) -> None:
        """Begin with these files, all of them safe."""
        self.now = {name: Content(data, data) for name, data in folder.items()}
        self.safe = dict(self.now)

    def rename(self, name: str, content: Content | None) -> None:
        """Let a name mean a file, or nothing."""
        if content is None:
            self.now.pop(name, None)
        else:
            self.now[name] = content
        self.changes.append((name, content))

    def after_a_cut(self) -> Iterator[Folder]:
        """Every folder that may be there if the power goes now; files are lost in part one at a time."""
        names = dict(self.safe)
        for change in [None, *self.changes]:
            if change is not None:
                name, content = change
                names.pop(name, None)
                if content is not None:
                    names[name] = content
            whole = {name: content.data for name, content in names.items()}
            for name, content in names.items():
                for data in content.possible():
                    yield {**whole, name: data}


def watched(disk: Disk, patch: pytest.MonkeyPatch, seen: Callable[[], None]) -> None:
    """Let the system calls of this process reach the model too; `seen` is called after each that matters."""
    real = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace", "unlink", "close")}

    def inside(path: Any) -> bool:
        return Path(path).parent == disk.root

    def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor = int(real["open"](path, flags, *rest, **options))
        if Path(path) == disk.root:
            disk.descriptors[descriptor] = None
        elif inside(path):
            name = Path(path).name
            if name not in disk.now:
                disk.rename(name, Content())
            elif flags & os.O_TRUNC:
                disk.now[name].data = b""
            disk.descriptors[descriptor] = disk.now[name]
            seen()
        return descriptor

    def written(descriptor: int, data: Any) -> int:
        num = int(real["write"](descriptor, data))
        if (content := disk.descriptors.get(descriptor)) is not None:
            content.data += bytes(data[:num])
            seen()
        return num

    def synced(descriptor: int) -> None:
        real["fsync"](descriptor)
        if descriptor not in disk.descriptors:
            return
        content = disk.descriptors[descriptor]
        if content is None:
            disk.safe = dict(disk.now)
            disk.changes.clear()
        else:
            content.safe = content.data
        seen()

    def replaced(source: Any, target: Any, **options: Any) -> None:
        real["replace"](source, target, **options)
        if inside(source):
            moved = disk.now[Path(source).name]
            disk.rename(Path(target).name, moved)
            disk.rename(Path(source).name, None)
            seen()

    def unlinked(path: Any, **options: Any) -> None:
        real["unlink"](path, **options)
        if inside(path):
            disk.rename(Path(path).name, None)
            seen()

    def closed(descriptor: int) -> None:
        real["close"](descriptor)
        disk.descriptors.pop(descriptor, None)

    for name, call in zip(real, (opened, written, synced, replaced, unlinked, closed), strict=True):
        patch.setattr(os, name, call)
