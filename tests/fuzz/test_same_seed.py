"""The same seed gives the same bytes, in another process and under another order of hashing."""

import os
import subprocess
import sys
from pathlib import Path

from tests.arc_solver.terminal import challenges, write
from tests.tally import count, record

OPTIONS = (
    *("--set", "width=32", "--set", "num_heads=2", "--set", "num_layers=1", "--set", "batch_size=8"),
    *("--views", "5", "--ages", "2", "--threads", "1", "--adapt-steps", "3", "--device", "cpu"),
)
FILES = ("submission.json", "candidates.jsonl")


def answers(folder: Path, repository: Path, hash_seed: str, seed: int) -> list[bytes]:
    """The submission and the candidates of a prediction in a process of its own."""
    folder.mkdir()
    write(folder / "tasks.json", challenges())
    paths = ("--tasks", "tasks.json", "--out", FILES[0], "--candidates", FILES[1], "--seed", str(seed))
    subprocess.run(
        [sys.executable, "-m", "arc_solver.cli", "predict", *paths, *OPTIONS],
        cwd=folder,
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(repository)},
        capture_output=True,
        check=True,
    )
    return [(folder / name).read_bytes() for name in FILES]


def test_the_same_seed_gives_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    num = min(count("FUZZ", 1), 5)
    held = 0
    first = []
    for seed in range(num):
        first, second = (answers(tmp_path / f"{seed}-{h}", repository, h, seed) for h in ("1", "4242"))
        held += first == second
    record(18, "pairs of runs", num, held)
    assert held == num
    if num > 1:
        assert answers(tmp_path / "other", repository, "1", 99) != first, "the seed changes nothing"
