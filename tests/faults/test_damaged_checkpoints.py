"""Checkpoints cut short, with flipped bits or from elsewhere: found before a tensor is used, each of them."""

import json
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from arc_solver.checkpoints import weights
from arc_solver.checkpoints.file_format import CheckpointError, checkpoint_name
from arc_solver.checkpoints.weights import load
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.run_checkpoint import resume, save_state
from tests.arc_solver.tiny import Run, preset, run
from tests.tally import count, record, seed

NUM_FILES = count("DAMAGE", 60)
OLD, NEW = 1, 2
BLOCK = 512


@dataclass(frozen=True)
class Scene:
    """A folder with two checkpoints, what is in the newer file, and what the older one says."""

    folder: Path
    content: bytes
    old: dict[str, Tensor]
    restarted: Run

    @property
    def newest(self) -> Path:
        return self.folder / checkpoint_name(NEW)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder, found = tmp_path_factory.mktemp("run"), run(preset())
    kept: dict[str, Tensor] = {}
    for step in (OLD, NEW):
        run_steps(found.state, found.preset.train, Limits(stop=lambda: found.state.step >= step), Hooks())  # noqa: B023
        save_state(folder, found.state, found.preset, found.puzzles, found.data, {})
        if step == OLD:
            kept = {name: t.clone() for name, t in found.state.tensors().items()}
    return Scene(folder, (folder / checkpoint_name(NEW)).read_bytes(), kept, run(preset()))


Damage = Callable[[bytes, np.random.Generator], bytes]


def header_end(content: bytes) -> int:
    return 8 + int(struct.unpack("<Q", content[:8])[0])


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def cut_in_the_header(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, header_end(content) + 1))]


def flip_in_the_header(content: bytes, rng: np.random.Generator) -> bytes:
    return flipped(content, rng, 0, header_end(content), 1)


def flip_in_the_data(content: bytes, rng: np.random.Generator) -> bytes:
    return flipped(content, rng, header_end(content), len(content), 1)


def many_flips(content: bytes, rng: np.random.Generator) -> bytes:
    return flipped(content, rng, 0, len(content), int(rng.integers(2, 200)))


def flipped(content: bytes, rng: np.random.Generator, start: int, stop: int, num: int) -> bytes:
    damaged = bytearray(content)
    for place in rng.choice(np.arange(start, stop), num, replace=False).tolist():
        damaged[place] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def a_block_of_zeros(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content)))
    end = min(len(content), start + int(rng.integers(1, 8 * BLOCK)))
    return content[:start] + bytes(end - start) + content[end:]


def a_block_of_noise(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content) - BLOCK))
    return content[:start] + rng.bytes(BLOCK) + content[start + BLOCK :]


def a_block_elsewhere(content: bytes, rng: np.random.Generator) -> bytes:
    source, target = (int(place) * BLOCK for place in rng.choice(len(content) // BLOCK, 2, replace=False))
    return content[:target] + content[source : source + BLOCK] + content[target + BLOCK :]


def a_block_lost(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content) - 1))
    return content[:start] + content[start + int(rng.integers(1, BLOCK)) :]


def more_at_the_end(content: bytes, rng: np.random.Generator) -> bytes:
    return content + rng.bytes(int(rng.integers(1, BLOCK)))


def swapped_names(content: bytes, rng: np.random.Generator) -> bytes:
    """Two tensors of one shape and other numbers under each other's name, everything else as it was."""
    end = header_end(content)
    header = json.loads(content[8:end])
    names = [name for name in header if name != "__metadata__"]
    while True:
        one, two = (names[int(i)] for i in rng.choice(len(names), 2, replace=False))
        kinds = {json.dumps([header[name][key] for key in ("shape", "dtype")]) for name in (one, two)}
        places = (header[name]["data_offsets"] for name in (one, two))
        if len(kinds) == 1 and len({content[end + start : end + stop] for start, stop in places}) == 2:
            break
    header[one], header[two] = header[two], header[one]
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return struct.pack("<Q", len(text)) + text + content[end:]


def from_elsewhere(content: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file of another program, with our names and shapes."""
    tensors = safetensors.torch.load(content)
    made = {name: torch.zeros_like(t) + int(rng.integers(2)) for name, t in tensors.items()}
    told = rng.choice([0, 1, 2])
    metadata = [None, {"format": "pt"}, {"arc_solver": "{}"}][told]
    return bytes(safetensors.torch.save(made, metadata))


def noise(content: bytes, rng: np.random.Generator) -> bytes:
    return rng.bytes(len(content))


DAMAGES: tuple[Damage, ...] = (
    *(cut, cut_in_the_header, flip_in_the_header, flip_in_the_data, many_flips, a_block_of_zeros),
    *(
        a_block_of_noise,
        a_block_elsewhere,
        a_block_lost,
        more_at_the_end,
        swapped_names,
        from_elsewhere,
        noise,
    ),
)


def refusal(path: Path) -> str | None:
    """The line with which the file is refused where it was named, or None."""
    try:
        load(path)
    except CheckpointError as error:
        return str(error)
    return None


def faults_of(scene: Scene, damaged: bytes, opened: list[int]) -> list[str]:
    """What is not as promised of one damaged file."""
    scene.newest.write_bytes(damaged)
    line = refusal(scene.newest)
    found = [] if line else ["it was loaded"]
    if line and ("\n" in line or len(line) > 300 or scene.newest.name not in line):
        found.append(f"refused with {line!r}")
    state, warnings = scene.restarted.state, []
    state.step = 0
    resume(scene.folder, state, scene.restarted.preset, scene.restarted.data, warnings.append)
    if len(opened) != 1:  # the older file alone
        found.append(f"{len(opened)} files were parsed into tensors")
    if state.step != OLD or len(warnings) != 1 or scene.newest.name not in warnings[0]:
        found.append(f"resumed at step {state.step} with {warnings}")
    return found + [name for name, t in state.tensors().items() if not torch.equal(t, scene.old[name])]


def test_every_damaged_file_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed())
    opened: list[int] = []
    parse = safetensors.torch.load
    monkeypatch.setattr(weights.safetensors.torch, "load", lambda data: (opened.append(1), parse(data))[1])
    faults, held = {}, Counter[str]()
    for number in range(NUM_FILES):
        damage = DAMAGES[number % len(DAMAGES)]
        with monkeypatch.context() as patch:
            patch.setattr(weights.safetensors.torch, "load", parse)
            damaged = damage(scene.content, rng)
            while damaged == scene.content:
                damaged = damage(scene.content, rng)
        opened.clear()
        if found := faults_of(scene, damaged, opened):
            faults[number, damage.__name__] = found
        else:
            held[damage.__name__] += 1
    record(5, "damaged files", NUM_FILES, sum(held.values()))
    assert not faults, f"seed {seed()}"
    assert len(held) == min(len(DAMAGES), NUM_FILES)


def test_a_whole_file_is_not_refused(scene: Scene) -> None:
    """The same steps accept what is whole: the test above can fail."""
    assert faults_of(scene, scene.content, [1])[:2] == [
        "it was loaded",
        f"resumed at step {NEW} with []",
    ]


def test_a_folder_without_a_whole_file_is_not_begun_anew(scene: Scene, tmp_path: Path) -> None:
    for number in (OLD, NEW):
        (tmp_path / checkpoint_name(number)).write_bytes(scene.content[:-1])
    state, warnings = scene.restarted.state, []
    with pytest.raises(CheckpointError, match=r"nor is any of the other 1\); remove .*checkpoint-\*"):
        resume(tmp_path, state, scene.restarted.preset, scene.restarted.data, warnings.append)
    assert len(warnings) == 1
