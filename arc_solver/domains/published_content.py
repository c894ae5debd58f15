"""What the published token arrays mean: Sudoku digit + 1, index in "# SGo" + 1, ARC color + 2 on a canvas.

The first puzzle of a group is the original, the others are its views, which we draw ourselves.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.maze.rules import MIN_SIDE
from arc_solver.domains.published_npy import Places, Published, PublishedSplit, read_published
from arc_solver.storage.text import DataError, quoted
from arc_solver.tasks.task import Pair, Task
from arc_solver.tasks.view_names import NamedView, read_view_names
from augment.grid import Grid
from augment.maze import CHARACTERS
from augment.sudoku import BOX_SHAPES

_BLANK = "<blank>"
_FIRST_COLOR, _ARC_VOCABULARY = 2, 12
_ARC_LENGTH = 900
_ROWS_AT_ONCE = 1 << 14


def is_published(source: Path | str) -> bool:
    """Whether a folder has the published layout, sound or not: its reader says what is wrong."""
    return (Path(source) / "identifiers.json").exists()


def material_from_published(folder: Path | str, split: str | None = None) -> BoardSet | list[Task]:
    """The boards of a split (by default "test", or the only one), or all tasks, whichever the folder holds.

    DataError if it holds neither.
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
    """The original boards of a split, without their views; DataError if they are not Sudokus."""
    part = _split(data, split)
    if part.side not in BOX_SHAPES or part.highest > part.side + 1:
        raise _foreign(data, part, "Sudokus of side 4, 6 or 9 (digit + 1)")
    questions, answers = _cells(part, 1, 2, f"{data.label}: {split} has cells without a digit")
    return BoardSet.unrated("sudoku", questions, answers)


def maze_from_published(data: Published, split: str) -> BoardSet:
    """The original mazes of a split, without their views; DataError if they are not mazes."""
    part = _split(data, split)
    if part.side < MIN_SIDE or part.side**2 != part.inputs.shape[1] or part.highest > len(CHARACTERS):
        raise _foreign(data, part, f'square mazes (place in "{CHARACTERS}" + 1)')
    questions, answers = _cells(part, 1, 1, f"{data.label}: {split} has cells without a character")
    return BoardSet.unrated("maze", questions, answers)


def arc_from_published(data: Published) -> list[Task]:
    """The ARC tasks, from the puzzles whose name (in TRM's or HRM's form) names no view, in "train" order.

    Pairs of the split "train" are demonstrations, those of "test" test pairs. A test output of a single black
    cell stands for an answer that the builder did not know. Tasks without demonstrations are left out.
    """
    names = read_view_names(data.identifiers, f"{data.label}/identifiers.json")
    demonstrations, tests = (_pairs_by_task(data, names, split) for split in ("train", "test"))
    return [Task(name, tuple(pairs), tuple(tests.get(name, ()))) for name, pairs in demonstrations.items()]


def _pairs_by_task(data: Published, names: Sequence[NamedView], split: str) -> dict[str, list[Pair]]:
    if split not in data.splits:
        return {}
    part = data.splits[split]
    if part.inputs.shape[1] != _ARC_LENGTH or part.highest >= _ARC_VOCABULARY:
        raise _foreign(data, part, "ARC canvases of 900 cells (color + 2)")
    found: dict[str, list[Pair]] = {}
    for puzzle, identifier in enumerate(part.puzzle_identifiers.tolist()):
        name = names[identifier].task
        if name == _BLANK or not names[identifier].is_identity:
            continue
        pairs = found.setdefault(name, [])
        for row in range(part.puzzle_indices[puzzle], part.puzzle_indices[puzzle + 1]):
            place = f"{data.label}: {split} example {row} of {quoted(name)}"
            label = _grid(part.labels[row].astype(np.uint8), place)
            known = split == "train" or label.size > 1 or bool(label.any())
            pairs.append(Pair(_grid(part.inputs[row].astype(np.uint8), place), label if known else None))
    return found


def _grid(tokens: Cells, place: str) -> Grid:
    """The rectangle of colors on a canvas, wherever it is placed."""
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


def _cells(part: PublishedSplit, question: int, answer: int, complaint: str) -> tuple[Cells, Cells]:
    """Questions and answers of the original boards, token 1 as cell 0; DataError with the complaint if a
    token is below `question` or `answer`."""
    rows, found = _originals(part), []
    # Piece by piece, so that a bad file is refused before all of it is copied.
    for start in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
        chosen = rows[start : start + _ROWS_AT_ONCE]
        pair = part.inputs[chosen].astype(np.uint8), part.labels[chosen].astype(np.uint8)
        if (pair[0] < question).any() or (pair[1] < answer).any():
            raise DataError(f"{complaint}, expected full boards")
        found.append((pair[0] - np.uint8(1), pair[1] - np.uint8(1)))
    questions, answers = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return questions, answers


def _originals(part: PublishedSplit) -> Places:
    """The examples of every group's first puzzle."""
    starts, ends = part.group_indices[:-1], part.group_indices[1:]
    firsts = starts[ends > starts]
    begins = part.puzzle_indices[firsts]
    counts = part.puzzle_indices[firsts + 1] - begins
    before = np.cumsum(counts) - counts
    return np.repeat(begins - before, counts) + np.arange(int(counts.sum()))


def _foreign(data: Published, part: PublishedSplit, wanted: str) -> DataError:
    found = f"{part.inputs.shape[1]} cells and {part.vocabulary} tokens"
    return DataError(f"{data.label}: {found}, expected {wanted}")
