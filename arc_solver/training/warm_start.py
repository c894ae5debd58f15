"""Beginning a run with the weights of another checkpoint, which must mean the same here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arc_solver.checkpoints.file_format import CheckpointError, check_domain
from arc_solver.checkpoints.weights import check_state, load, shapes_of
from arc_solver.config import ModelConfig, Preset
from arc_solver.domains.domains import find_domain
from arc_solver.model.mixers import mixers_of
from arc_solver.model.puzzle_embedding import COMPOSED, mean_rows
from arc_solver.model.trm import Model
from arc_solver.storage.text import count
from arc_solver.tasks.puzzles import PuzzleMap

# Fields that change what weights mean, mostly without changing a shape; mixers add their own.
SAME = ("mixers", "symbols", "positions", "num_latents", "prefix")
DEPTH = ("cycles", "latent_steps")


def start_from(
    model: Model, preset: Preset, puzzles: PuzzleMap, path: Path, say: Callable[[str], None]
) -> None:
    """Copy a checkpoint's dense weights into `model`, and its rows if they are for the same puzzles.

    CheckpointError for another domain, or if `preset` makes another function of the weights. A row means
    nothing to another puzzle: new rows then start at the mean of the trained ones. This is announced, and so
    is another depth. If a composed prefix replaces a single row, symmetry and colors start untrained.
    """
    loaded = load(path)
    domain = find_domain(preset.train.domain)
    check_domain(loaded.metadata, domain.name, domain.noun, path.name)
    theirs, mine = loaded.model.state_dict(), model.state_dict()
    composes = (preset.model.embedding, loaded.preset.model.embedding) == ("composed", "rows")
    composes = composes and loaded.preset.model.prefix == 1
    same = [name for name in SAME if not (composes and name == "prefix")]
    same += [name for mixer in mixers_of(preset.model).values() for name in mixer.settings]
    if others := differences(preset.model, loaded.preset.model, same):
        raise CheckpointError(
            f"{path.name}: weights of another architecture ({others}); name other weights, or "
            "set these fields as they are there"
        )
    if others := differences(preset.model, loaded.preset.model, DEPTH):
        say(f"{path.name} was trained at another depth: {others}")
    if composes:
        theirs |= {name: mine[name] for name in COMPOSED}
        say(f"{path.name} has no positions for symmetry and colors: ours start untrained")
    rows = "puzzle.rows"
    if not loaded.puzzles.equals(puzzles) or theirs[rows].shape != mine[rows].shape:
        if len(theirs[rows]):
            num = count(len(theirs[rows]), "row")
            say(f"{path.name} knows other puzzles: ours start at the mean of its {num}")
        if theirs[rows].shape[1] == mine[rows].shape[1]:
            theirs[rows] = mean_rows(theirs[rows], len(mine[rows]))
        else:
            theirs[rows] = mine[rows]
    check_state(shapes_of(model), theirs, path.name)
    model.load_state_dict(theirs)


def differences(here: ModelConfig, there: ModelConfig, names: Sequence[str]) -> str:
    """Which of the fields differ, in words; empty if none does."""
    return "; ".join(
        f"{name} is {getattr(here, name)} here, {getattr(there, name)} there"
        for name in names
        if getattr(here, name) != getattr(there, name)
    )
