"""Files that unpack or build to far more than they are: one line, exit 3, under 1 GB."""

import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.checkpoints.weights import save
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.checkpoints.convert.published_model import state_dict
from tests.arc_solver.domains.test_published import sudoku_folder
from tests.arc_solver.tiny import preset, tasks
from tests.crash.payloads import Source, rewritten
from tests.fuzz.peak import ended
from tests.tally import record, some

MOST_BYTES = 1 << 30
ZEROS = 300 << 20  # of a deflated entry: a megabyte in the file, enough to be told from what Python takes


def archive(path: Path, pickled: bytes, kind: int = zipfile.ZIP_STORED) -> Path:
    """What torch.save writes around a pickle."""
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/version", "3\n")
    return path


def convert(path: Path, *more: str) -> list[str]:
    return ["convert", str(path), "--out", str(path.with_name("out.safetensors")), *more]


def trm(folder: Path) -> Path:
    torch.save(state_dict("trm", torch.Generator().manual_seed(1)), folder / "step_1.pt")
    return folder / "step_1.pt"


def deflated_pickle(folder: Path) -> list[str]:
    return convert(archive(folder / "a.pt", b"\x80\x02" + b"N0" * (ZEROS >> 1), zipfile.ZIP_DEFLATED))


def deflated_tensors(folder: Path) -> list[str]:
    torch.save({"a": torch.zeros(ZEROS >> 2)}, folder / "plain.pt")
    packed = zipfile.ZipFile(folder / "a.pt", "w", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(folder / "plain.pt") as plain, packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    (folder / "plain.pt").unlink()
    return convert(folder / "a.pt")


def expanded_zeros(folder: Path) -> list[str]:
    torch.save({"a": torch.zeros(1).expand(7 << 28)}, folder / "a.pt")  # 7 GB, under the limit of a file
    return convert(folder / "a.pt")


def bytes_by_number(folder: Path) -> list[str]:
    """A call that the careful unpickler allows."""
    pickled = b"\x80\x02cbuiltins\nbytearray\n(\x8a\x05\x00\x00\x00\x00\x02tR."
    return convert(archive(folder / "a.pt", pickled))


def storage_by_number(folder: Path) -> list[str]:
    """The form before 1.6, whose numbers are believed before they are read."""
    torch.save({"a": torch.zeros(8)}, folder / "a.pt", _use_new_zipfile_serialization=False)
    data = (folder / "a.pt").read_bytes()
    (folder / "a.pt").write_bytes(data.replace(b"K\x08", b"J\xff\xff\xff\x7f"))
    return convert(folder / "a.pt")


def list_of_lists(folder: Path) -> list[str]:
    (folder / "identifiers.json").write_bytes(b"[" + b"[]," * (20 << 20) + b"[]]")
    return convert(trm(folder), "--identifiers", str(folder / "identifiers.json"), "--heads", "2")


def endless_identifiers(folder: Path) -> list[str]:
    return convert(trm(folder), "--identifiers", "/dev/zero", "--heads", "2")


def piped_identifiers(folder: Path) -> list[str]:
    os.mkfifo(folder / "identifiers.json")
    return convert(trm(folder), "--identifiers", str(folder / "identifiers.json"), "--heads", "2")


def endless_config(folder: Path) -> list[str]:
    (folder / "all_config.yaml").symlink_to("/dev/zero")
    return convert(trm(folder))


def checkpoint(folder: Path, **model: int) -> Path:
    """One that asks for another model than it holds, with hashes that fit."""
    recipe, puzzles = preset(), PuzzleMap.build(tasks(0), "rows", 4, seed=0)
    built = Model(recipe.model, num_rows=puzzles.num_rows)
    path = folder / "w.safetensors"
    save(path, {f"average.{n}": t for n, t in built.state_dict().items()}, recipe, puzzles, {})
    source = Source(path.read_bytes(), folder / "none")
    path.write_bytes(rewritten(source, lambda _, metadata: metadata["preset"]["model"].update(model)))
    return path


def dry_run(folder: Path, *more: str) -> list[str]:
    pair = {"input": [[1, 2], [3, 4]], "output": [[1, 2], [3, 4]]}
    (folder / "tasks.json").write_text(json.dumps({"a": {"train": [pair, pair], "test": [pair]}}))
    data = ["--data", str(folder / "tasks.json"), "--preset", "cpu-arc", "--out", str(folder / "run")]
    return ["train", *data, "--dry-run", "--device", "cpu", *more]


def wide_header(folder: Path) -> list[str]:
    """Within every limit of a field, 3 GB together."""
    return dry_run(folder, "--init", str(checkpoint(folder, width=1024, rounding=256, num_layers=60)))


def deep_header(folder: Path) -> list[str]:
    return dry_run(folder, "--init", str(checkpoint(folder, num_layers=200_000)))


def header_of_lists(folder: Path) -> list[str]:
    text = b'{"a":[' + b"[]," * (10 << 20) + b"[]]}"
    (folder / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    return ["info", str(folder / "w.safetensors")]


def train_on(folder: Path) -> list[str]:
    return [
        "train",
        "--data",
        str(folder),
        "--preset",
        "cpu-sudoku9",
        "--out",
        str(folder / "run"),
        "--dry-run",
    ]


def many_sets(folder: Path) -> list[str]:
    """3,000 times the same 200 kB would be kept apart."""
    sudoku_folder(folder)
    meta = json.loads((folder / "train" / "dataset.json").read_text())
    (folder / "train" / "dataset.json").write_text(json.dumps({**meta, "sets": ["all"] * 3000}))
    return train_on(folder)


def endless_names(folder: Path) -> list[str]:
    sudoku_folder(folder)
    (folder / "identifiers.json").unlink()
    (folder / "identifiers.json").symlink_to("/dev/zero")
    return train_on(folder)


def sparse_array(folder: Path) -> list[str]:
    """2.4 GB of zeros that take no place on the disk."""
    num = 30_000_000
    sudoku_folder(folder)
    for name in ("inputs", "labels"):
        path = folder / "train" / f"all__{name}.npy"
        np.save(path, np.zeros((0, 81), np.uint8))
        header = path.read_bytes().replace(b"(0, 81), }        ", b"(%d, 81), } " % num)
        assert len(header) == 128
        path.write_bytes(header)
        os.truncate(path, 128 + num * 81)
    for name, values in (
        ("puzzle_identifiers", [0]),
        ("puzzle_indices", [0, num]),
        ("group_indices", [0, 1]),
    ):
        np.save(folder / "train" / f"all__{name}.npy", np.array(values, np.int32))
    return train_on(folder)


BOMBS: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "a deflated pickle": (deflated_pickle, "compressed"),
    "deflated tensors": (deflated_tensors, "compressed"),
    "expanded zeros": (expanded_zeros, "larger than what is stored of it"),
    "bytes by number": (bytes_by_number, "far more memory"),
    "a storage by number": (storage_by_number, "far more memory"),
    "identifiers of lists": (list_of_lists, "values, which no such file needs"),
    "endless identifiers": (endless_identifiers, "a device or a pipe"),
    "identifiers in a pipe": (piped_identifiers, "a device or a pipe"),
    "an endless config": (endless_config, "a device or a pipe"),
    "a header that asks for a wide model": (wide_header, "w.safetensors"),
    "a header that asks for a deep model": (deep_header, "num_layers: 200000"),
    "a header of lists": (header_of_lists, "a header of up to"),
    "3,000 sets": (many_sets, "3000 sets, expected at most 64"),
    "an endless list of puzzles": (endless_names, "a device or a pipe"),
    "an array without bytes": (sparse_array, "cells without a digit"),
}
QUICK = ["expanded zeros", "a header that asks for a wide model", "a header of lists", "3,000 sets"]


def fault(name: str, folder: Path) -> str | None:
    """What is not as promised for a bomb."""
    build, text = BOMBS[name]
    words = build(folder)
    code, said, most_bytes = ended([sys.executable, "-m", "arc_solver.cli", *words], folder)
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    if code != 3 or len(errors) != 1 or text not in errors[0] or "Traceback" in said:
        return f"exit {code}: {said[-500:]}"
    if (folder / "out.safetensors").exists() or (folder / "run").exists():
        return "something was written"
    return f"{most_bytes:,} bytes" if most_bytes > MOST_BYTES else None


@pytest.mark.parametrize("name", QUICK)
def test_a_bomb_is_one_line_and_takes_little(name: str, tmp_path: Path) -> None:
    assert fault(name, tmp_path) is None


@pytest.mark.slow
def test_every_bomb(tmp_path: Path) -> None:
    names = some(list(BOMBS), "BOMB", len(BOMBS))
    wrong = {}
    for number, name in enumerate(names):
        (folder := tmp_path / str(number)).mkdir()
        if found := fault(name, folder):
            wrong[name] = found
    record(21, "bombs in checkpoints and published folders", len(names), len(names) - len(wrong))
    assert not wrong


def test_the_measure_sees_what_the_program_held_and_nothing_else(tmp_path: Path) -> None:
    """300 MB in a grandchild; of 600 MB in this process nothing."""
    filled = "x = bytearray({} << 20); x[::4096] = x[::4096]"
    here = bytearray(600 << 20)
    here[::4096] = here[::4096]
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {filled.format(300)!r}])"
    assert 300 << 20 < ended([sys.executable, "-c", inner], tmp_path).most_bytes < 500 << 20
