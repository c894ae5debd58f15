"""The weights that ship with the package, each with its card: what `predict` uses unless others are named."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "boxed"
# Of weights that take boards of any side.
TRAINED_SIDES = {"maze": 9}
SEEN = {"maze": "87 % at side 11, 51 % at 13, none at 30"}


def boxed_weights(kind: str, side: int = 0) -> Path | None:
    """The shipped weights for "arc", or for "sudoku" or "maze" boards of that side; None where none are.

    A file for one side, as a mixer needs, comes before one for any side.
    """
    names = ([f"{kind}{side}"] if side else []) + [kind]
    paths = [FOLDER / f"{name}.safetensors" for name in names]
    return next((path for path in paths if path.is_file()), None)


def reach(kind: str, side: int) -> str:
    """What is known of weights that were trained on smaller boards than these; empty where they fit."""
    trained = TRAINED_SIDES.get(kind, side)
    if side <= trained:
        return ""
    learned = f"the weights in the box learned {kind}s of side {trained}"
    return f"{learned}; the larger, the fewer they solve: {SEEN[kind]}"


def box() -> list[Path]:
    """All weights that ship with the package, by name."""
    return sorted(FOLDER.glob("*.safetensors"))
