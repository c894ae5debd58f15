"""Where a run begins: at the weights of another checkpoint, which must mean the same here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arc_solver.checkpoints.file_format import CheckpointError, check_domain
from arc_solver.checkpoints.weights import check_state, load
from arc_solver.config import ModelConfig, Preset
from arc_solver.domains.domains import find_domain
from arc_solver.model.mixers import mixers_of
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap

# What changes the function of the weights, mostly without a shape that tells, beside the settings of mixers.
SAME = ("mixers", "symbols", "positions", "num_latents", "prefix")
DEPTH = ("cycles", "latent_steps")


def start_from(
    model: Model, preset: Preset, puzzles: PuzzleMap, path: Path, say: Callable[[str], None]
) -> None:
    """Copy a checkpoint's dense weights into `model`; its rows too where they stand for the same puzzles.

    CheckpointError where its domain is another or `preset` would make another function of the weights. Rows
    that begin afresh are announced, since a row says nothing of another puzzle, and so is another depth.
    """
    loaded = load(path)
    domain = find_domain(preset.train.domain)
    check_domain(loaded.metadata, domain.name, domain.noun, path.name)
    own = [name for mixer in mixers_of(preset.model).values() for name in mixer.settings]
    if others := differences(preset.model, loaded.preset.model, [*SAME, *own]):
        raise CheckpointError(
            f"{path.name}: weights of another architecture ({others}); name other weights, or "
            "set these fields as they are there"
        )
    if others := differences(preset.model, loaded.preset.model, DEPTH):
        say(f"{path.name} was trained at another depth: {others}")
    theirs, mine = loaded.model.state_dict(), model.state_dict()
    rows = "puzzle.rows"
    if not loaded.puzzles.equals(puzzles) or theirs[rows].shape != mine[rows].shape:
        if len(theirs[rows]):
            say(f"{path.name} knows other puzzles: its {len(theirs[rows])} rows are left, ours start afresh")
        theirs[rows] = mine[rows]
    check_state({name: tuple(t.shape) for name, t in mine.items()}, theirs, path.name)
    model.load_state_dict(theirs)


def differences(here: ModelConfig, there: ModelConfig, names: Sequence[str]) -> str:
    """Which of the fields differ, in words; empty where none does."""
    return "; ".join(
        f"{name} is {getattr(here, name)} here, {getattr(there, name)} there"
        for name in names
        if getattr(here, name) != getattr(there, name)
    )
