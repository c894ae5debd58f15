"""Guesses that are taken back: every branch is visited once, and only the rules say what is an answer."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardQueries
from arc_solver.domains.protocols import Canvas
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.domains.sudoku.rules import broken_boards, units, valid_boards
from arc_solver.inference.backtracking import DEPTH, EMPTY, Trail, next_move
from arc_solver.inference.engine import answer_rows
from arc_solver.model.trm import Carry, Output
from tests.arc_solver.tiny import answer_boards

SIDE = 6
GUESSING = PredictConfig(views=1, ages=400, guess_after=1, batch_size=8)


def boards(num: int, seed: int = 3) -> BoardSet:
    """Puzzles with one solution that a simple network cannot settle without guesses."""
    return generate_sudoku(num, SIDE, np.random.default_rng(seed), min_rating=1)


class Simple:
    """A network that fills in what rows, columns and boxes leave one digit for, and is not sure of the rest.

    What they leave for a cell is likely by a taste that a seed decides: so it guesses, often wrongly, and has
    to go back.
    """

    def __init__(self, seed: int) -> None:
        self.config = ModelConfig(width=4, num_heads=1, prefix_length=1, vocabulary=SIDE + 2)
        self.first_answer = torch.zeros(4)
        everywhere = units(SIDE)
        self.peers = [
            np.unique(everywhere[(everywhere == place).any(axis=1)]) for place in range(SIDE * SIDE)
        ]
        self.taste = np.random.default_rng(seed).normal(size=(SIDE * SIDE, SIDE)) * 0.5

    def first_carry(self, rows: int, positions: int) -> Carry:
        return Carry(torch.zeros(rows, positions, 4), torch.zeros(rows, positions, 4))

    def __call__(self, tokens: Tensor, codes: Tensor, carry: Carry, canvas: Canvas) -> Output:
        logits = np.full((len(tokens), SIDE * SIDE, SIDE + 2), -50.0, np.float32)
        for row, cells in enumerate(tokens.numpy().astype(np.int64) - 1):
            for _ in range(cells.size):
                for place in np.flatnonzero(cells == 0):
                    if len(left := self.left(cells, place)) == 1:
                        cells[place] = left[0]
            for place, digit in enumerate(cells):
                if digit:
                    logits[row, place, digit + 1] = 50
                for other in [] if digit else self.left(cells, place):
                    logits[row, place, other + 1] = self.taste[place, other - 1]
        return Output(torch.from_numpy(logits), torch.full((len(tokens),), -9.0), carry)

    def left(self, cells: npt.NDArray[np.int64], place: int) -> list[int]:
        seen = set(cells[self.peers[place]].tolist())
        return [digit for digit in range(1, SIDE + 1) if digit not in seen]


def test_a_trail_visits_every_leaf_once_in_order() -> None:
    trail, seen = Trail(), []
    path = {}
    cell, symbol = trail.forward(0, [5, 6])
    path[cell] = symbol
    while True:
        if len(path) < 2:
            cell, symbol = trail.forward(len(path), [7, 8, 9])
            path[cell] = symbol
            continue
        seen.append(tuple(path[c] for c in sorted(path)))
        emptied, pinned = trail.back()
        for cell in emptied:
            del path[cell]
        if pinned is None:
            break
        path[pinned[0]] = pinned[1]
    assert seen == [(5, 7), (5, 8), (5, 9), (6, 7), (6, 8), (6, 9)]
    assert path == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_simple_network_solves_by_taking_guesses_back(seed: int) -> None:
    puzzles = boards(5, seed)
    found = answer_boards(Simple(seed), puzzles, GUESSING)  # type: ignore[arg-type]
    solved = found.cells.any(axis=1)
    assert solved.all()
    assert (found.ages > 2 * GUESSING.guess_after).any(), "some of them by guesses"
    assert (found.cells[solved] == puzzles.answers[solved]).all()
    assert (found.ages[solved] <= GUESSING.ages).all()
    assert found.answered.all()
    alone = answer_boards(
        Simple(seed),  # type: ignore[arg-type]
        puzzles,
        dataclasses.replace(GUESSING, batch_size=1),
    )
    assert (alone.cells == found.cells).all()
    assert (alone.ages == found.ages).all(), "neither the batch nor its company changes a guess"


def test_what_breaks_the_rules_is_no_answer() -> None:
    puzzles = boards(5)
    few = dataclasses.replace(GUESSING, ages=1)
    found = answer_boards(Simple(0), puzzles, few)  # type: ignore[arg-type]
    assert found.answered.all()
    assert (found.cells == 0).all(axis=1).any(), "abstained"
    given = found.cells.any(axis=1)
    assert valid_boards(puzzles.questions[given], found.cells[given]).all()
    plain = answer_boards(
        Simple(0),  # type: ignore[arg-type]
        puzzles,
        dataclasses.replace(few, guess_after=0),
    )
    assert plain.cells.all(), "without guesses every board is answered, right or wrong"


@pytest.mark.parametrize("guess_after", [0, 5])
def test_a_nearly_full_board_costs_one_pass(guess_after: int) -> None:
    puzzles = boards(4)
    questions = np.where(np.arange(SIDE * SIDE) % 12 == 5, 0, puzzles.answers).astype(np.uint8)
    nearly = dataclasses.replace(puzzles, questions=questions)
    config = PredictConfig(views=4, ages=16, guess_after=guess_after)
    found = answer_boards(Simple(0), nearly, config)  # type: ignore[arg-type]
    assert (found.cells == puzzles.answers).all()
    assert found.ages.tolist() == [1] * 4


@pytest.mark.parametrize("num_views", [1, 3])
def test_rows_that_leave_confident_keep_the_rules_under_every_view(num_views: int) -> None:
    puzzles = boards(6)
    data = BoardQueries(SUDOKU.kind, puzzles, num_views, seed=1)
    rows = 0
    for left in answer_rows(Simple(1), data, GUESSING, breaks=data.breaks):  # type: ignore[arg-type]
        rows += len(left.rows)
        restored = data.restore(0, left.rows, left.tokens).cells
        questions = puzzles.questions[data.queries(0)[left.rows]]
        assert (valid_boards(questions, restored) == left.confident).all()
    assert rows == 6 * num_views


def test_blanks_break_no_rule_and_equal_digits_of_a_unit_do() -> None:
    cells = np.zeros((4, 81), np.uint8)
    cells[1, [0, 8]] = 5  # a row
    cells[2, [0, 72]] = 5  # a column
    cells[3, [0, 10]] = 5  # a box
    assert broken_boards(cells).tolist() == [False, True, True, True]
    cells[:, 10] = 4
    assert broken_boards(cells[[0, 3]]).tolist() == [False, False]


def test_the_guess_goes_to_the_cell_with_two_likely_symbols() -> None:
    logits = np.zeros((3, 5), np.float32)
    logits[:, :2] = -9
    logits[0, 2:] = np.log([0.4, 0.3, 0.3])
    logits[1, 2:] = np.log([0.3, 0.69, 0.01])
    logits[2, 2:] = np.log([0.98, 0.01, 0.01])
    tokens: npt.NDArray[np.uint8] = np.full(3, EMPTY, np.uint8)
    trail = Trail()
    assert not next_move(trail, tokens, logits, lambda cells: np.zeros(len(cells), np.bool_))
    assert tokens.tolist() == [EMPTY, 3, EMPTY]
    assert trail.guesses[0].cell == 1
    assert next_move(trail, tokens, logits, lambda cells: np.ones(len(cells), np.bool_))
    assert tokens.tolist() == [EMPTY, 2, EMPTY], "the second value of the same guess"
    assert next_move(trail, tokens, logits, lambda cells: np.ones(len(cells), np.bool_))
    assert tokens.tolist() == [EMPTY, EMPTY, EMPTY], "no value is left"
    assert not next_move(trail, tokens, logits, lambda cells: np.ones(len(cells), np.bool_))
    assert tokens.tolist() == [2, EMPTY, EMPTY], "a cell that had no first guess yet"


def test_only_digits_are_guessed() -> None:
    scores = [[0.3, 0.3, 0.2, 0.1, 0.1], [0.6, 0.38, 0.01, 0.005, 0.005]]
    for row in scores:
        trail, tokens = Trail(), np.full(1, EMPTY, np.uint8)
        next_move(trail, tokens, np.log([row]).astype(np.float32), lambda cells: np.zeros(1, np.bool_))
        assert tokens[0] > EMPTY
        assert all(symbol > EMPTY for symbol in trail.guesses[0].symbols)


def test_a_guess_that_leads_nowhere_is_taken_back() -> None:
    logits = np.zeros((6, 4), np.float32)
    logits[:, :2] = -9
    tokens: npt.NDArray[np.uint8] = np.full(6, EMPTY, np.uint8)
    trail = Trail()
    moves = [next_move(trail, tokens, logits, lambda cells: np.zeros(len(cells), np.bool_)) for _ in range(4)]
    assert moves == [False] * DEPTH + [True]
    assert len(trail.guesses) == DEPTH
    assert sorted(tokens.tolist()) == [EMPTY] * 3 + [2, 2, 3]
