"""Checkpoints whose header is damaged in its structure: refused in one line, or read as they were written.

ARC_SOLVER_FUZZ_COUNT sets how many are tried, up to 10,000; ARC_SOLVER_FUZZ_SEED the first seed.
"""

import json
import os
import random
import struct
from pathlib import Path
from typing import Any

from arc_solver.checkpoints.file_format import (
    FORMAT,
    METADATA_KEY,
    CheckpointError,
    describe,
    header_hash,
    read_verified,
    tensor_hash,
)
from tests.fuzz.damage import damage_text, damage_value, hangs_are_seen, outcome
from tests.tally import count, record

COUNT = min(count("FUZZ", 200), 10_000)
SEED = int(os.environ.get("ARC_SOLVER_FUZZ_SEED", "1"))
DATA = bytes(range(48))
TENSORS = {
    "model.a": ("F32", [2, 3], 0, 24),
    "model.b": ("U8", [8], 24, 32),
    "average.c": ("F32", [4], 32, 48),
}


def metadata() -> dict[str, Any]:
    sums = {
        name: tensor_hash(dtype, tuple(shape), DATA[begin:end])
        for name, (dtype, shape, begin, end) in TENSORS.items()
    }
    facts = {"format": FORMAT, "kind": "weights", "step": 7, "preset": {"name": "p"}, "sha256": sums}
    return facts | {"self": header_hash(facts)}


def header() -> dict[str, Any]:
    entries = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
        for name, (dtype, shape, begin, end) in TENSORS.items()
    }
    return {"__metadata__": {METADATA_KEY: json.dumps(metadata())}, **entries}


def whole(text: bytes, data: bytes = DATA) -> bytes:
    return struct.pack("<Q", len(text)) + text + data


def file_of(rng: random.Random) -> bytes:
    """A checkpoint damaged in its metadata, its entries, its header's text, its length or its tensors."""
    value = header()
    kind = rng.randrange(6)
    if kind == 0:
        facts = metadata()
        damage_value(rng, facts)
        if rng.random() < 0.5:
            # Someone who wants to be believed mends the hash too.
            facts["self"] = header_hash(facts)
        value["__metadata__"][METADATA_KEY] = json.dumps(facts)
    elif kind == 1:
        for _ in range(rng.randint(1, 3)):
            damage_value(rng, value)
    text = json.dumps(value).encode()
    if kind == 2:
        text = damage_text(rng, text)
    if kind == 3:
        return (
            struct.pack("<Q", rng.choice([0, 1, 2**63, 2**64 - 1, len(text) + 1, len(text) - 1]))
            + text
            + DATA
        )
    if kind == 4:
        return damage_text(rng, whole(text))
    return whole(text, damage_text(rng, DATA)) if kind == 5 else whole(text)


def content(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The metadata and the bytes of every tensor."""
    found, data = read_verified(path)
    start = found.data_start
    describe(path)
    return found.metadata, {
        name: data[start + entry.begin : start + entry.end] for name, entry in found.tensors.items()
    }


def test_damaged_headers(tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(whole(json.dumps(header()).encode()))
    facts, tensors = content(path)
    assert tensors == {name: DATA[begin:end] for name, (_, _, begin, end) in TENSORS.items()}
    num_refused = 0
    for seed in range(SEED, SEED + COUNT):
        data = file_of(random.Random(seed))
        path.write_bytes(data)
        where = f"ARC_SOLVER_FUZZ_SEED={seed}: {data[:2000]!r}"
        with hangs_are_seen():
            found, line = outcome(lambda: content(path), CheckpointError)
        assert line.isprintable(), where
        if found is None:
            assert line.startswith(path.name), f"{line}: {where}"
            num_refused += 1
            continue
        # What is believed holds the same tensors; the metadata may differ where its hash was mended.
        assert found[1] == tensors, where
        assert found[0] == facts or found[0]["self"] == header_hash(found[0]), where
    record(5, "damaged headers", COUNT, COUNT)
    assert num_refused > COUNT // 2
