"""Checkpoint files: whatever is damaged or foreign is found before a tensor is used."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from arc_solver.checkpoints.file_format import (
    METADATA_KEY,
    CheckpointError,
    checkpoint_name,
    checkpoints,
    describe,
    header_hash,
    read_header,
    read_verified,
    tensor_hash,
)
from arc_solver.checkpoints.weights import load, read_tensors, save
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.tiny import preset, tasks
from tests.crash.payloads import Source
from tests.crash.payloads import rewritten as retold_source

TENSORS = {
    "model.a": torch.arange(600, dtype=torch.float32).view(20, 30),
    "model.puzzle.rows": torch.ones(5, 4, dtype=torch.bfloat16),
    "optimizer.step": torch.tensor(3.0),
    "slots.halted": torch.tensor([True, False]),
    "slots.empty": torch.zeros(0, 16),
    "slots.codes": torch.ones(2, 12, dtype=torch.int32),
}


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "checkpoint.safetensors"
    puzzles = PuzzleMap.build(tasks(0), "rows", 4, seed=0)
    save(path, TENSORS, preset(), puzzles, {"step": 12, "kind": "run", "note": "Zürich 火 \\u00e9"})
    return path.read_bytes()


def is_found(path: Path, content: bytes) -> bool:
    """Whether the file is refused; any other exception than CheckpointError fails the test."""
    path.write_bytes(content)
    found: CheckpointError | None = None
    try:
        read_tensors(path)
    except CheckpointError as error:
        found = error
    assert found is None or ("\n" not in str(found) and len(str(found)) < 300)
    return found is not None


def test_a_whole_file_gives_its_tensors_back(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    metadata, tensors = read_tensors(path)
    assert metadata["step"] == 12
    assert metadata["note"] == "Zürich 火 \\u00e9"
    for name, t in TENSORS.items():
        assert torch.equal(tensors[name], t)
        assert tensors[name].dtype == t.dtype
    facts = describe(path)
    assert (facts["step"], facts["parameters"], facts["row_parameters"]) == (12, 600, 20)
    assert facts["puzzles"]["tasks"] == 3


def test_every_flipped_byte_is_found(content: bytes, tmp_path: Path) -> None:
    seed = 20
    rng = np.random.default_rng(seed)
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    places = [*range(8), *rng.integers(8, header_end, 250), *rng.integers(header_end, len(content), 100)]
    for place in map(int, places):
        damaged = bytearray(content)
        damaged[place] ^= int(rng.integers(1, 256))
        assert is_found(tmp_path / "c.safetensors", bytes(damaged)), (seed, place, chr(damaged[place]))


def test_every_other_byte_in_a_header_is_found(content: bytes, tmp_path: Path) -> None:
    """Bytes that keep the header parseable: digits, signs, letters of numbers, blanks."""
    seed = 21
    rng = np.random.default_rng(seed)
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    for place in map(int, rng.choice(np.arange(8, header_end), 250)):
        damaged = bytearray(content)
        damaged[place] = int(rng.choice(list(b'0123456789.eE- \t\n",[]{}')))
        if bytes(damaged) != content:
            assert is_found(tmp_path / "c.safetensors", bytes(damaged)), (seed, place, chr(damaged[place]))


@pytest.mark.parametrize("swap", [(b" ", b"\t"), (b" ", b"\n"), (b"u706b", b"u706B")])
def test_a_change_that_json_does_not_see_is_found(
    swap: tuple[bytes, bytes], content: bytes, tmp_path: Path
) -> None:
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    at = content.rfind(swap[0], 0, header_end)
    assert at > 0
    damaged = content[:at] + swap[1] + content[at + len(swap[0]) :]
    assert is_found(tmp_path / "c.safetensors", damaged)


def test_offsets_that_are_no_whole_numbers_are_found(content: bytes, tmp_path: Path) -> None:
    def change(header: dict[str, Any]) -> None:
        begin, end = header["model.a"]["data_offsets"]
        header["model.a"]["data_offsets"] = [float(begin), end]

    assert is_found(tmp_path / "c.safetensors", rewritten(content, change))


def test_every_cut_is_found(content: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(22)
    lengths = [0, 1, 7, 8, 9, len(content) - 1, *rng.integers(10, len(content), 60)]
    for length in map(int, lengths):
        assert is_found(tmp_path / "c.safetensors", content[:length]), length
    for more in (b"\0", b"x" * 1000):
        assert is_found(tmp_path / "c.safetensors", content + more)


def rewritten(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with another header, its own hash made to fit again."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    metadata = json.loads(header["__metadata__"][METADATA_KEY])
    header["__metadata__"][METADATA_KEY] = metadata
    change(header)
    if isinstance(header.get("__metadata__", {}).get(METADATA_KEY), dict):
        metadata = header["__metadata__"][METADATA_KEY]
        metadata["self"] = header_hash(metadata)
        header["__metadata__"][METADATA_KEY] = json.dumps(metadata)
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another format": lambda h: h["__metadata__"][METADATA_KEY].update(format=2),
    "no format": lambda h: h["__metadata__"][METADATA_KEY].pop("format"),
    "no hashes": lambda h: h["__metadata__"][METADATA_KEY].pop("sha256"),
    "hashes in a list": lambda h: h["__metadata__"][METADATA_KEY].update(sha256=list(TENSORS)),
    "a hash too few": lambda h: h["__metadata__"][METADATA_KEY]["sha256"].pop("model.a"),
    "a hash too many": lambda h: h["__metadata__"][METADATA_KEY]["sha256"].update(x="0"),
    "another hash": lambda h: h["__metadata__"][METADATA_KEY]["sha256"].update({"model.a": "0" * 64}),
    "metadata of another kind": lambda h: h["__metadata__"].update({METADATA_KEY: "[]"}),
    "no metadata": lambda h: h.pop("__metadata__"),
    "a tensor less": lambda h: h.pop("model.a"),
    "swapped tensors": lambda h: h.update({"model.a": h["slots.codes"], "slots.codes": h["model.a"]}),
    "another type": lambda h: h["slots.codes"].update(dtype="F32"),
    "an unknown type": lambda h: h["slots.codes"].update(dtype="Q7"),
    "another shape": lambda h: h["model.a"].update(shape=[30, 20]),
    "a negative shape": lambda h: h["model.a"].update(shape=[-20, -30]),
    "a shape of text": lambda h: h["model.a"].update(shape="20"),
    "offsets beyond the end": lambda h: h["model.a"].update(data_offsets=[0, 10**12]),
    "offsets backwards": lambda h: h["model.a"].update(data_offsets=[100, 0]),
    "three offsets": lambda h: h["model.a"].update(data_offsets=[0, 1, 2]),
    "offsets of true": lambda h: h["model.a"].update(data_offsets=[False, True]),
    "a tensor of text": lambda h: h.update({"model.a": "x"}),
    "a null": lambda h: h.update({"model.a": None}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_consistent_lie_in_the_header_is_found(name: str, content: bytes, tmp_path: Path) -> None:
    assert not is_found(tmp_path / "c.safetensors", rewritten(content, lambda header: None))
    assert is_found(tmp_path / "c.safetensors", rewritten(content, CHANGES[name]))


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"PK\3\4 a zip, as torch.save writes",
        b"\x80\x02}q\x00.",
        b"{}" * 50,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 10**18) + b"{}",
        struct.pack("<Q", 60_000) + b"[" * 60_000,
        struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
    ],
)
def test_foreign_files_are_refused(foreign: bytes, tmp_path: Path) -> None:
    assert is_found(tmp_path / "c.safetensors", foreign)
    with pytest.raises(CheckpointError):
        load(tmp_path / "c.safetensors")


def test_other_safetensors_files_are_refused(tmp_path: Path) -> None:
    assert is_found(tmp_path / "c.safetensors", safetensors.torch.save({"a": torch.ones(3)}))
    with_metadata = safetensors.torch.save({"a": torch.ones(3)}, {"format": "pt"})
    assert is_found(tmp_path / "c.safetensors", with_metadata)


def test_a_path_that_is_no_file_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.safetensors"):
        with pytest.raises(CheckpointError) as caught:
            read_verified(path)
        assert str(path) in str(caught.value)
    if os.geteuid() != 0:
        locked = tmp_path / "locked.safetensors"
        locked.touch(0o000)
        with pytest.raises(CheckpointError, match="Permission denied"):
            read_header(locked)


FOREIGN = {
    "a torch file": (lambda path: torch.save({"a": torch.zeros(3)}, path), "a torch file, not a checkpoint"),
    "a torch file of old": (
        lambda path: torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=False),
        "a torch file, not a checkpoint",
    ),
    "weights of others": (
        lambda path: safetensors.torch.save_file({"a": torch.ones(3)}, path),
        "not a checkpoint of arc-solver",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["step_1.pt", "step_1", "w.safetensors"])
def test_weights_of_others_point_to_convert(kind: str, name: str, tmp_path: Path) -> None:
    make, text = FOREIGN[kind]
    make(tmp_path / name)
    with pytest.raises(CheckpointError, match=text) as caught:
        read_header(tmp_path / name)
    assert f"arc-solve convert {name} --out " in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_pointer_of_git_lfs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n")
    with pytest.raises(CheckpointError, match=r"a git-lfs pointer, .* `git lfs pull`"):
        read_header(path)


def retold(content: bytes, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> bytes:
    return retold_source(Source(content, Path("none")), change)


def test_tensors_that_share_bytes_are_refused_before_any_is_hashed(content: bytes, tmp_path: Path) -> None:
    """A thousand names for one megabyte would be a gigabyte to hash."""

    def share(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        header["twin"] = dict(header["model.a"])

    path = tmp_path / "w.safetensors"
    path.write_bytes(retold(content, share))
    with pytest.raises(CheckpointError, match="share bytes"):
        read_header(path)


def test_a_shape_of_many_sides_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(retold(content, lambda header, _: header["model.a"].update(shape=[2] * 100_000)))
    with pytest.raises(CheckpointError, match="ValueError in its header"):
        describe(path)


def test_a_header_of_many_values_is_refused_unread(tmp_path: Path) -> None:
    text = b'{"a":[' + b"[]," * (5 << 20) + b"[]]}"
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(CheckpointError, match=r"a header of up to .* values") as caught:
        read_header(path)
    assert caught.value.exit_code == 3


def test_checkpoints_are_listed_newest_first(tmp_path: Path) -> None:
    for name in (checkpoint_name(9), checkpoint_name(100), "checkpoint-1.safetensors", "final.safetensors"):
        (tmp_path / name).touch()
    assert [path.name for path in checkpoints(tmp_path)] == [checkpoint_name(100), checkpoint_name(9)]
    assert checkpoint_name(7) == "checkpoint-00000007.safetensors"


def test_the_hash_of_a_tensor_knows_type_and_shape() -> None:
    data = b"\0" * 16
    hashes = {tensor_hash(*facts, data) for facts in (("F32", (4,)), ("I32", (4,)), ("F32", (2, 2)))}
    assert len(hashes) == 3
