"""The weights that ship with the package, each with its card: the default of `predict`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from arc_solver.storage.source import exists
from arc_solver.storage.text import near

FOLDER = Path(__file__).resolve().parent.parent / "shipped_weights"
# The largest side that they were scored on.
LARGEST_SIDE = {"maze": 30}


def shipped_weights(kind: str) -> Path | None:
    """The shipped weights for "arc", "sudoku" or "maze", of any side; None if there are none."""
    path = FOLDER / f"{kind}.safetensors"
    return path if path.is_file() else None


def reach(kind: str, side: int) -> str:
    """A warning for boards larger than the shipped weights were ever tried on; empty for others."""
    largest = LARGEST_SIDE.get(kind, side)
    if side <= largest:
        return ""
    return f"the shipped weights were tried on {kind}s up to side {largest}; the larger, the fewer they solve"


def all_shipped() -> list[Path]:
    """All weights that ship with the package, by name."""
    return sorted(FOLDER.glob("*.safetensors"))


def find_weights(name: str, also: Iterable[str] = (), say: Callable[[str], None] = lambda _: None) -> Path:
    """The file of that name, the last weights of that run folder (`say` names them), or else the shipped
    weights called that ("arc", "sudoku").

    CheckpointMissing for a folder without weights, or if there is nothing but a similar name, of weights or
    in `also`.
    """
    from arc_solver.checkpoints.file_format import CheckpointMissing, last_weights

    names = {path.stem: path for path in all_shipped()}
    if exists(name) and not (Path(name).is_dir() and name in names):
        path = last_weights(Path(name)) if Path(name).is_dir() else Path(name)
        if path.parent == Path(name):
            say(f"{name}: taking {path.name}")
        return path
    if name not in names and (hint := near(name.lower(), {*names, *also}, 0.6)):
        raise CheckpointMissing(
            f"{name}: No such file or directory, and no shipped weights of this name{hint}"
        )
    return names.get(name, Path(name))
