"""What the published token arrays say: Sudoku digit + 1, place in "# SGo" + 1, ARC colors + 2 on a canvas.

The first puzzle of a group is the original and the others are its views, which we draw ourselves.
"""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arc_solver.domains.boards.board_set import UNKNOWN_RATING, BoardSet
from arc_solver.domains.maze.rules import MIN_SIDE
from arc_solver.domains.published_npy import Places, Published, PublishedSplit, Tokens, read_published
from arc_solver.storage.text import DataError, quoted
from arc_solver.tasks.task import Pair, Task
from augment.grid import Grid
from augment.maze import CHARACTERS
from augment.sudoku import BOX_SHAPES

_SEPARATOR = "|||"
_IDENTITY = "|||t0|||0123456789"
_BLANK = "<blank>"
_FIRST_COLOR, _ARC_VOCABULARY = 2, 12
_ARC_LENGTH = 900


def is_published(source: Path | str) -> bool:
    """Whether this is a folder in the published layout."""
    return (Path(source) / "identifiers.json").is_file()


def material_from_published(folder: Path | str, split: str | None = None) -> BoardSet | list[Task]:
    """The boards of a split, or all tasks: whichever kind the folder holds; DataError where it is neither.

    Without a split it is "test", or what there is.
    """
    data = read_published(folder)
    split = split or ("test" if "test" in data.splits else next(iter(data.splits)))
    reasons = []
    for read in (sudoku_from_published, maze_from_published):
        try:
            return read(data, split)
        except DataError as error:
            reasons.append(str(error))
    try:
        return arc_from_published(data)
    except DataError as error:
        reasons.append(str(error))
        raise DataError(f"{folder}: neither Sudoku, maze nor ARC ({'; '.join(reasons)})") from error


def sudoku_from_published(data: Published, split: str) -> BoardSet:
    """The original boards of a split, without their views; DataError where they are no Sudokus."""
    part = _split(data, split)
    if part.side not in BOX_SHAPES or not _fits(part, part.side + 2):
        raise _foreign(data, part, "Sudokus of side 4, 6 or 9 (digit + 1)")
    rows = _originals(part)
    questions, answers = part.inputs[rows], part.labels[rows]
    if not questions.all() or not (answers > 1).all():
        raise DataError(f"{data.label}: {split} has cells without a digit, expected full Sudokus")
    ratings = np.full(len(rows), UNKNOWN_RATING, np.int64)
    return BoardSet("sudoku", questions - np.uint8(1), answers - np.uint8(1), ratings)


def maze_from_published(data: Published, split: str) -> BoardSet:
    """The original mazes of a split, without their views; DataError where they are no mazes."""
    part = _split(data, split)
    if part.side < MIN_SIDE or part.side**2 != part.inputs.shape[1] or not _fits(part, len(CHARACTERS) + 1):
        raise _foreign(data, part, f'square mazes (place in "{CHARACTERS}" + 1)')
    rows = _originals(part)
    questions, answers = part.inputs[rows], part.labels[rows]
    if not questions.all() or not answers.all():
        raise DataError(f"{data.label}: {split} has cells without a character, expected full mazes")
    ratings = np.full(len(rows), UNKNOWN_RATING, np.int64)
    return BoardSet("maze", questions - np.uint8(1), answers - np.uint8(1), ratings)


def arc_from_published(data: Published) -> list[Task]:
    """The ARC tasks, from the puzzles whose name carries no transformation, in the order of "train".

    Pairs of the split "train" are demonstrations, those of "test" test pairs. Answers that the builder did
    not know stand there as a single black cell and are unknown. Tasks without demonstrations are left out.
    """
    demonstrations, tests = (_pairs_by_task(data, name) for name in ("train", "test"))
    return [Task(name, tuple(pairs), tuple(tests.get(name, ()))) for name, pairs in demonstrations.items()]


def _pairs_by_task(data: Published, split: str) -> dict[str, list[Pair]]:
    if split not in data.splits:
        return {}
    part = data.splits[split]
    if part.inputs.shape[1] != _ARC_LENGTH or not _fits(part, _ARC_VOCABULARY):
        raise _foreign(data, part, "ARC canvases of 900 cells (color + 2)")
    found: dict[str, list[Pair]] = {}
    for puzzle, identifier in enumerate(part.puzzle_identifiers.tolist()):
        name = data.identifiers[identifier].removesuffix(_IDENTITY)
        if name == _BLANK or _SEPARATOR in name:
            continue
        pairs = found.setdefault(name, [])
        for row in range(part.puzzle_indices[puzzle], part.puzzle_indices[puzzle + 1]):
            place = f"{data.label}: {split} example {row} of {quoted(name)}"
            label = _grid(part.labels[row], place)
            known = split == "train" or label.size > 1 or bool(label.any())
            pairs.append(Pair(_grid(part.inputs[row], place), label if known else None))
    return found


def _grid(tokens: Tokens, place: str) -> Grid:
    """The rectangle of colors on a canvas, wherever it was put."""
    canvas = tokens.reshape(math.isqrt(tokens.size), -1)
    colored = canvas >= _FIRST_COLOR
    rows, columns = np.flatnonzero(colored.any(1)), np.flatnonzero(colored.any(0))
    if not rows.size:
        raise DataError(f"{place}: no colors on the canvas, expected a grid")
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    if not colored[box].all():
        raise DataError(f"{place}: the colors on the canvas are no rectangle, expected a grid")
    return np.ascontiguousarray(canvas[box] - np.uint8(_FIRST_COLOR))


def _split(data: Published, name: str) -> PublishedSplit:
    if name not in data.splits:
        raise DataError(f"{data.label}: no split {quoted(name)}; there is {', '.join(data.splits)}")
    return data.splits[name]


def _originals(part: PublishedSplit) -> Places:
    """The examples of every group's first puzzle."""
    starts, ends = part.group_indices[:-1], part.group_indices[1:]
    firsts = starts[ends > starts]
    spans: list[npt.NDArray[np.int64]] = [
        np.arange(part.puzzle_indices[first], part.puzzle_indices[first + 1]) for first in firsts
    ]
    return np.concatenate(spans) if spans else np.zeros(0, np.int64)


def _fits(part: PublishedSplit, vocabulary: int) -> bool:
    return all(tokens.size == 0 or int(tokens.max()) < vocabulary for tokens in (part.inputs, part.labels))


def _foreign(data: Published, part: PublishedSplit, wanted: str) -> DataError:
    found = f"{part.inputs.shape[1]} cells and {part.vocabulary} tokens"
    return DataError(f"{data.label}: {found}, expected {wanted}")
