"""Checkpoints made to hurt: each would run code, write elsewhere, or take all memory if it were trusted.

Whoever makes such a file knows the format, so hashes and sizes are made to fit.
"""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.checkpoints.file_format import METADATA_KEY, header_hash, tensor_hash

Header = dict[str, Any]


class Call:
    """Runs a shell command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@dataclass(frozen=True)
class Source:
    """A whole checkpoint to begin with, and the file that appears when a payload is carried out."""

    content: bytes
    marker: Path

    @property
    def call(self) -> Call:
        return Call(f"touch {self.marker}")

    @property
    def expression(self) -> str:
        return f"__import__('os').system('touch {self.marker}')"


def rewritten(source: Source, change: Callable[[Header, dict[str, Any]], object]) -> bytes:
    """The checkpoint with another header and other metadata; their hashes fit."""
    end = 8 + struct.unpack("<Q", source.content[:8])[0]
    header = json.loads(source.content[8:end])
    metadata = json.loads(header["__metadata__"][METADATA_KEY])
    change(header, metadata)
    data = source.content[end:]
    for name, entry in header.items():
        if name != "__metadata__" and name not in metadata["sha256"]:
            start, stop = entry["data_offsets"]
            found = tensor_hash(entry["dtype"], tuple(entry["shape"]), data[max(start, 0) : max(stop, 0)])
            metadata["sha256"][name] = found
    metadata["sha256"] = {name: h for name, h in metadata["sha256"].items() if name in header}
    metadata["self"] = header_hash(metadata)
    header["__metadata__"] = {METADATA_KEY: json.dumps(metadata)}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return struct.pack("<Q", len(text)) + text + data


def setting(part: str, **values: Any) -> Callable[[Source], bytes]:
    """A recipe with other settings."""
    return lambda source: rewritten(source, lambda _, metadata: metadata["preset"][part].update(values))


def retyped(**values: Any) -> Callable[[Source], bytes]:
    """The first tensor with another type, shape or place; its hash is made anew."""

    def change(header: Header, metadata: dict[str, Any]) -> None:
        name = next(name for name in header if name != "__metadata__")
        header[name].update(values)
        del metadata["sha256"][name]

    return lambda source: rewritten(source, change)


def torch_zip(source: Source) -> bytes:
    """What torch.save writes, with a call in its pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(source.call, protocol=2))
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def python_zip(source: Source) -> bytes:
    """An archive that Python would run."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__main__.py", source.expression)
        archive.writestr("../../../../outside", "written elsewhere")
    return file.getvalue()


def climbing_tar(source: Source) -> bytes:
    """An archive with a way out of its folder."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(f"../../../../../../../..{source.marker}")
        archive.addfile(entry, io.BytesIO())
    return file.getvalue()


def legacy_torch(source: Source) -> bytes:
    """The form that torch.save had before 1.6: pickles one after the other."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
    return magic + pickle.dumps(1001, protocol=2) + pickle.dumps(source.call, protocol=2)


def object_array(source: Source) -> bytes:
    """A numpy file of objects, which are pickled."""
    file = io.BytesIO()
    np.save(file, np.array([source.call], dtype=object), allow_pickle=True)
    return file.getvalue()


def tensor_named(name: str) -> Callable[[Source], bytes]:
    """A tensor under a name that means something to a shell, a path or a terminal."""

    def change(header: Header, metadata: dict[str, Any]) -> None:
        first = next(name for name in header if name != "__metadata__")
        header[name] = header.pop(first)
        metadata["sha256"].pop(first)

    return lambda source: rewritten(source, change)


def ids(text: str) -> Callable[[Source], bytes]:
    """A task under such a name."""
    return lambda source: rewritten(source, lambda _, m: m["puzzles"]["ids"].__setitem__(0, text))


def of_length(length: int, body: bytes = b"{}") -> Callable[[Source], bytes]:
    """A header that claims a length."""
    return lambda source: struct.pack("<Q", length) + body


PAYLOADS: dict[str, Callable[[Source], bytes]] = {
    "a pickle": lambda source: pickle.dumps(source.call, protocol=2),
    "a newer pickle": lambda source: pickle.dumps([source.call], protocol=5),
    "a pickle in gzip": lambda source: gzip.compress(pickle.dumps(source.call)),
    "what torch saves": torch_zip,
    "what torch saved": legacy_torch,
    "a numpy file of objects": object_array,
    "a zip with a program": python_zip,
    "a tar that climbs": climbing_tar,
    "a header of 8 EB": of_length(2**63),
    "a header of 65 MB": of_length(65 << 20, b"[" * (65 << 20)),
    "a deep header": of_length(1 << 20, b'{"a":' * ((1 << 20) // 5) + b"     "),
    "a place before the file": retyped(data_offsets=[-64, 0]),
    "a place beyond all": retyped(data_offsets=[0, 2**64]),
    "a shape beyond all": retyped(shape=[2**31, 2**31, 2**31]),
    "a type that is code": lambda source: retyped(dtype=source.expression)(source),
    "a tensor named as a path": tensor_named("../../../../etc/passwd"),
    "a tensor that steers the terminal": tensor_named("\x1b]0;owned\x07\x1b[2J"),
    "a task that steers the terminal": ids("../../../../tmp/\x1b[2J\nerror: none"),
    "a setting that is code": lambda source: setting("model", mixers=[source.expression])(source),
    "a setting that is a class": setting("train", __class__="arc_solver.training.run.RunOptions"),
    "a layer for every atom": setting("model", num_layers=10**15),
    "a width beyond all": setting("model", width=2**40, num_heads=1),
    "views without end": setting("predict", views=10**18),
    "settings in a list": lambda source: rewritten(source, lambda _, m: m.update(preset=[1, 2, 3])),
}
