"""What a change of the layout must leave as it is: `python -m tests.freeze > before.json`.

"exact" holds on every machine, "here" on one alone, as processors round differently: compare two checkouts.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from typer.main import get_command

TRAIN = ["--preset", "cpu-sudoku4", "--device", "cpu", "--threads", "1", "--quiet"]
BOARDS = (
    ("sudoku", "4", "20"),
    ("sudoku", "6", "20"),
    ("sudoku", "9", "20"),
    ("maze", "9", "20"),
    ("maze", "13", "10"),
)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal, shortened."""
    return hashlib.sha256(data).hexdigest()[:16]


def run(folder: Path, *words: str) -> None:
    """One command of the program, in a process of its own that must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "arc_solver.cli", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
        },
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"


def options() -> dict[str, list[str]]:
    """Every option of every command, and every field that --set takes."""
    from arc_solver.cli import app
    from arc_solver.config import ModelConfig, PredictConfig, TrainConfig
    from arc_solver.settings import known_keys

    group: Any = get_command(app)
    found = {
        name: sorted(
            word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)
        )
        for name, command in group.commands.items()
    }
    configs = (ModelConfig(), TrainConfig(), PredictConfig())
    found["--set"] = sorted({key for config in configs for key in known_keys(config)})
    # The other half of a switch is no option of its own; these two are.
    plain = {"--no-adapt", "--no-color"}
    return {
        name: [word for word in words if not word.startswith("--no-") or word in plain]
        for name, words in found.items()
    }


def generated(folder: Path) -> dict[str, str]:
    """Hashes of generated boards; leaves the files in `folder`."""
    found = {}
    for kind, side, num in BOARDS:
        name = f"{kind}{side}.csv"
        run(folder, "generate", kind, "--num", num, "--side", side, "--seed", "1", "--out", name, "--quiet")
        found[name] = digest((folder / name).read_bytes())
    return found


def answered(folder: Path) -> dict[str, str]:
    """Hashes of the answers to tasks and boards and of weights after 20 steps."""
    steps = [f"--set={key}" for key in ("steps=20", "save_every=20", "eval_every=20")]
    run(folder, "train", "--data", "sudoku4.csv", "--out", "run", *TRAIN, *steps)
    (weights,) = (folder / "run").glob("final*.safetensors")
    run(
        folder,
        "predict",
        "--tasks",
        "sudoku4.csv",
        "--out",
        "own.csv",
        "--checkpoint",
        str(weights),
        "--quiet",
    )
    run(folder, "predict", "--tasks", "sudoku6.csv", "--out", "six.csv", "--threads", "1", "--quiet")
    words = [
        "--limit",
        "3",
        "--max-canvas",
        "7",
        "--adapt-steps",
        "2",
        "--threads",
        "1",
        "--views",
        "8",
        "--quiet",
    ]
    run(folder, "predict", "--tasks", "arc1:training", "--candidates", "all.jsonl", *words)
    names = ("own.csv", "six.csv", "all.jsonl", "submission.json")
    return {name: digest((folder / name).read_bytes()) for name in names}


def main() -> None:
    """Print the object."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exact = {"options": options(), "generated": generated(folder)}
        print(json.dumps({"exact": exact, "here": answered(folder)}, indent=1))


if __name__ == "__main__":
    main()
