"""Answering a maze never searches for its solution: whatever could is poisoned here."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import arc_solver.domains.maze.rules
from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.boards.board_file import board_domain
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardQueries
from arc_solver.domains.maze import domain
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.maze.paths import FREE, PATH
from arc_solver.domains.maze.rules import connected_mazes, valid_mazes
from arc_solver.model.trm import Model
from tests.arc_solver.tiny import MODEL, answer_boards, lively

TINY: ModelConfig = dataclasses.replace(MODEL, vocabulary=6, num_layers=1, cycles=1, latent_steps=1)
SEARCHES = {
    arc_solver.domains.maze.rules: ("solve_range", "check_range", "solve_mazes", "valid_mazes"),
    domain: ("solve_mazes", "valid_mazes"),
}


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*arguments: Any) -> None:
        raise AssertionError("searched for the solution")

    for module, names in SEARCHES.items():
        for name in names:
            monkeypatch.setattr(module, name, search)


@pytest.fixture
def mazes() -> BoardSet:
    return generate_mazes(3, 5, np.random.default_rng(2), min_moves=4)


@pytest.mark.parametrize("choice", ["auto", "first", "valid", "vote"])
def test_no_choice_searches(mazes: BoardSet, poisoned: None, choice: str) -> None:
    model = lively(Model(TINY, num_rows=1, seed=1)).requires_grad_(False)
    config = PredictConfig(views=2, ages=2, rollouts=2, sigma=0.5, choice=choice)
    assert answer_boards(model, mazes, config).answered.all()


@pytest.mark.usefixtures("poisoned")
def test_the_poison_works(mazes: BoardSet) -> None:
    with pytest.raises(AssertionError, match="searched"):
        MAZE.scores(mazes, mazes.answers)


def cells(*texts: str) -> np.ndarray:
    return board_domain("maze").kind.cells(5, list(texts))


QUESTION = "S  ##   ##  G########### "
CONNECTED = {
    "the label": ("S  ##o  ##ooG########### ", True),
    "another as short": ("Soo##  o##  G########### ", True),
    "a dead end": ("So ##oo ##ooG########### ", False),
    "a loop": ("Soo##ooo##ooG########### ", False),
    "nothing marked": (QUESTION, False),
    "a gap": ("S  ##o  ##o G########### ", False),
    "a stray mark": ("S  ##o  ##ooG###########o", False),
    "a wall opened": ("S  ##o o##ooG##o######## ", False),
    "a mark upon the start": ("o  ##o  ##ooG########### ", False),
}


@pytest.mark.parametrize("name", CONNECTED)
def test_marks_are_followed_from_start_to_goal(name: str) -> None:
    answer, connected = CONNECTED[name]
    assert connected_mazes(cells(QUESTION), cells(answer)).tolist() == [connected]


def test_a_long_way_round_is_consistent_and_not_valid() -> None:
    question, longer = cells("S   G" + "     " * 4), cells("S   Go   oo   oo   oooooo")
    assert connected_mazes(question, longer).tolist() == [True]
    assert valid_mazes(question, longer).tolist() == [False]
    boards = BoardSet("maze", question, longer, np.array([4]))
    assert MAZE.keeps_the_rules(boards, np.array([0]), longer).tolist() == [True]


def test_marks_do_not_leave_the_board_at_its_edge() -> None:
    question = cells("    S" + "     " * 3 + "G    ")
    wrapped = question.copy()
    wrapped[0, [5, 10, 15]] = PATH
    assert connected_mazes(question, wrapped).tolist() == [False]


def test_every_valid_answer_is_consistent_and_a_spoiled_one_never() -> None:
    boards = generate_mazes(200, 9, np.random.default_rng(4), min_moves=3)
    assert connected_mazes(boards.questions, boards.answers).all()
    spoiled = boards.answers.copy()
    for answer in spoiled:
        answer[np.flatnonzero(answer == PATH)[0]] = FREE
    assert not connected_mazes(boards.questions, spoiled).any()


def test_an_answer_marks_free_cells_alone(mazes: BoardSet) -> None:
    queries = BoardQueries(MAZE.kind, mazes, num_views=8)
    rows = np.arange(24)
    tokens = np.full(
        (24, 25), PATH + 1, np.uint8
    )  # a network that marks everything, and one that says nothing
    found = queries.restore(0, rows, tokens)
    questions = mazes.questions[queries.queries(0)]
    assert (found.cells == np.where(questions == FREE, PATH, questions)).all()
    assert (found.shapes == 5).all()
    nothing = queries.restore(0, rows, np.zeros_like(tokens))
    assert (nothing.cells == questions).all()
