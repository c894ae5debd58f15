"""The weights that ship with the package, each with its card: what `predict` uses unless others are named."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "boxed"


def boxed_weights(kind: str, side: int = 0) -> Path | None:
    """The shipped weights for "arc", or for "sudoku" or "maze" boards of that side; None where none are.

    A file for one side, as a mixer needs, comes before one for any side.
    """
    names = ([f"{kind}{side}"] if side else []) + [kind]
    paths = [FOLDER / f"{name}.safetensors" for name in names]
    return next((path for path in paths if path.is_file()), None)


def box() -> list[Path]:
    """All weights that ship with the package, by name."""
    return sorted(FOLDER.glob("*.safetensors"))
