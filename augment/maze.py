"""Views of square mazes: the eight symmetries, painted into token batches and undone."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from augment.counter_rng import bounded, hash64, item_of_epoch
from augment.dihedral import DIHEDRALS, INVERSE
from augment.kernel import inner, kernel
from augment.strides import Walk, walk_dihedral
from augment.threads import spread

Mazes = npt.NDArray[np.uint8]
"""Mazes in reading order, (n, side * side): indices into CHARACTERS."""

CHARACTERS = "# SGo"
"""Wall, free, start, goal, path; the token of a cell is its index + 1."""

UNKNOWN = 255
"""The cell of a restored maze whose token was none of the five."""

_NUM_DIHEDRALS = len(DIHEDRALS)
_TOKEN_OF_CELL = np.arange(1, 257).astype(np.uint8)
_CELL_OF_TOKEN = np.full(256, UNKNOWN, dtype=np.uint8)
_CELL_OF_TOKEN[1 : len(CHARACTERS) + 1] = np.arange(len(CHARACTERS))
_ZERO = np.uint64(0)
_ONE = np.uint64(1)


class MazePairs(NamedTuple):
    """Mazes without and with their path."""

    questions: Mazes
    answers: Mazes


def paint_mazes(
    pairs: MazePairs, seed: int, counter: int, inputs: Mazes, targets: Mazes, *, symmetries: bool = True
) -> None:
    """Fill inputs and targets (B, side * side) with the tokens of examples counter, counter + 1, ...

    Each maze comes once in every n examples, under a uniform symmetry, or unchanged without `symmetries`;
    example i is a function of (seed, i).
    """
    length = _side(pairs.questions) ** 2
    if pairs.answers.shape != pairs.questions.shape or not inputs.shape == targets.shape == (
        len(inputs),
        length,
    ):
        shapes = f"{pairs.questions.shape}, {pairs.answers.shape} into {inputs.shape}, {targets.shape}"
        raise ValueError(f"mazes of shape {shapes}; expected questions like answers, inputs like targets")

    num_turns = _NUM_DIHEDRALS if symmetries else 1

    def paint(part: slice) -> None:
        first = counter + part.start
        _paint_mazes(pairs, np.uint64(seed), first, num_turns, inputs[part], targets[part])

    spread(paint, len(inputs))


def paint_maze_views(questions: Mazes, dihedrals: npt.NDArray[np.uint8], inputs: Mazes) -> None:
    """Fill inputs (B, side * side) with the tokens of maze b under symmetry dihedrals[b]."""
    _side(questions)
    if inputs.shape != questions.shape or len(dihedrals) != len(questions):
        counts = f"{questions.shape} mazes, {len(dihedrals)} symmetries, {inputs.shape} inputs"
        raise ValueError(f"{counts}; expected as many of each, of one side")

    def paint(part: slice) -> None:
        _paint_maze_views(questions[part], dihedrals[part], inputs[part])

    spread(paint, len(inputs))


def restore_mazes(tokens: Mazes, dihedrals: npt.NDArray[np.uint8]) -> Mazes:
    """The mazes whose tokens under symmetry dihedrals[b] are tokens[b]; UNKNOWN for any other token."""
    _side(tokens)
    if len(dihedrals) != len(tokens):
        raise ValueError(f"{len(dihedrals)} symmetries for {len(tokens)} mazes; expected as many")
    mazes = np.empty_like(tokens)

    def restore(part: slice) -> None:
        _restore_mazes(tokens[part], dihedrals[part], mazes[part])

    spread(restore, len(tokens))
    return mazes


def _side(mazes: Mazes) -> int:
    side = math.isqrt(mazes.shape[1]) if mazes.ndim == 2 else 0
    if side == 0 or side * side != mazes.shape[1] or mazes.dtype != np.uint8:
        raise ValueError(f"mazes {mazes.dtype} {mazes.shape}; expected uint8 (n, side * side)")
    return side


@kernel
def _paint_mazes(
    pairs: MazePairs, seed: np.uint64, counter: int, num_turns: int, inputs: Mazes, targets: Mazes
) -> None:
    for number in range(len(inputs)):
        example = counter + number
        maze = item_of_epoch(example, len(pairs.questions), seed)
        walk = _walk_maze(bounded(hash64(seed, example, 1), num_turns), inputs.shape[1])
        _translate(pairs.questions[maze], walk, _TOKEN_OF_CELL, inputs[number])
        _translate(pairs.answers[maze], walk, _TOKEN_OF_CELL, targets[number])


@kernel
def _paint_maze_views(questions: Mazes, dihedrals: npt.NDArray[np.uint8], inputs: Mazes) -> None:
    for number in range(len(inputs)):
        walk = _walk_maze(dihedrals[number], inputs.shape[1])
        _translate(questions[number], walk, _TOKEN_OF_CELL, inputs[number])


@kernel
def _restore_mazes(tokens: Mazes, dihedrals: npt.NDArray[np.uint8], mazes: Mazes) -> None:
    for number in range(len(tokens)):
        walk = _walk_maze(INVERSE[dihedrals[number]], tokens.shape[1])
        _translate(tokens[number], walk, _CELL_OF_TOKEN, mazes[number])


@inner
def _walk_maze(dihedral: int | np.integer[Any], num_cells: int) -> Walk:
    side = np.uint64(np.sqrt(num_cells))
    return walk_dihedral(dihedral, _ZERO, side, side, side)


@inner
def _translate(cells: Mazes, walk: Walk, table: npt.NDArray[np.uint8], out: Mazes) -> None:
    """Write table[cell] for the cells of the walk."""
    end = _ZERO
    for row in range(walk.height):
        source = walk.start + row * walk.row_step
        for column in range(walk.width):
            out[end] = table[np.uint64(cells[source + column * walk.column_step])]
            end += _ONE
