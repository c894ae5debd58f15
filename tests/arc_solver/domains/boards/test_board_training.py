"""The examples that boards give to training: every maze is labeled by one rule, however it is turned."""

import numpy as np
import pytest

from arc_solver.config import TrainConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardTraining
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.maze.rules import solve_mazes, valid_mazes
from augment.dihedral import DIHEDRALS

NUM, SIDE = 12, 9


def painted(boards: BoardSet) -> tuple[np.ndarray, np.ndarray]:
    """Questions and answers (8 * NUM, L) of eight epochs."""
    data = BoardTraining(MAZE.kind, boards, TrainConfig(domain="maze", seed=3))
    tokens, targets = (np.zeros((8 * NUM, SIDE * SIDE), np.uint8) for _ in range(2))
    data.paint(0, 0, tokens, targets, np.zeros((8 * NUM, 12), np.int32))
    return tokens - 1, targets - 1


@pytest.fixture
def mazes() -> BoardSet:
    return generate_mazes(NUM, SIDE, np.random.default_rng(5))


def test_a_turned_maze_has_the_label_that_the_rule_gives_it(mazes: BoardSet) -> None:
    questions, answers = painted(mazes)
    assert (answers == solve_mazes(questions)[0]).all()
    originals = {question.tobytes() for question in mazes.questions}
    turned = sum(question.tobytes() not in originals for question in questions)
    assert turned > len(questions) / 2
    # The label of a turned maze is not always the turned label: that is why the rule is asked again.
    square = (-1, SIDE, SIDE)
    labels = {
        turn(answer).tobytes() for answer in mazes.answers.reshape(square) for turn in eight_symmetries()
    }
    assert any(answer.tobytes() not in labels for answer in answers)


def test_mazes_labeled_by_another_rule_are_not_turned(mazes: BoardSet) -> None:
    upside_down = mazes.questions.reshape(-1, SIDE, SIDE)[:, ::-1].reshape(NUM, -1)
    labels = solve_mazes(upside_down)[0].reshape(-1, SIDE, SIDE)[:, ::-1].reshape(NUM, -1).copy()
    assert (labels != mazes.answers).any()
    assert valid_mazes(mazes.questions, labels).all()
    other = BoardSet("maze", mazes.questions, labels, mazes.ratings)
    given = {
        question.tobytes(): label.tobytes() for question, label in zip(mazes.questions, labels, strict=True)
    }
    for question, answer in zip(*painted(other), strict=True):
        assert given[question.tobytes()] == answer.tobytes()


def eight_symmetries() -> list:
    assert len(DIHEDRALS) == 8
    return [
        lambda grid, turns=turns, flip=flip: np.rot90(grid.T if flip else grid, turns)
        for turns in range(4)
        for flip in (False, True)
    ]
