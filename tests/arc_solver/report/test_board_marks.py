"""Broken rules of boards are marked cell by cell, and agree with the judges of whole boards."""

import numpy as np
import pytest

from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.domains.sudoku.rules import valid_boards
from arc_solver.report.board_marks import FREE, GOAL, PATH, START, WALL, board_marks


@pytest.mark.parametrize("side", [4, 6, 9])
def test_a_sudoku_is_marked_where_and_only_where_it_is_wrong(side: int) -> None:
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    print("seed", seed)
    rng = np.random.default_rng(seed)
    boards = generate_sudoku(8, side, rng)
    for question, answer in zip(boards.questions, boards.answers, strict=True):
        for num_changes in (0, 1, 2, 5):
            changed = answer.copy()
            places = rng.choice(len(changed), num_changes, replace=False)
            changed[places] = rng.integers(0, side + 1, num_changes)
            marks = board_marks("sudoku", question.reshape(side, side), changed.reshape(side, side))
            valid = bool(valid_boards(question[None], changed[None])[0])
            assert (marks.verdict() == "keeps the rules") == valid
            assert bool(marks.faults) == (not valid)
            assert (marks.given.ravel() == (question > 0)).all()
            # What is broken: a given that changed, or a digit that stands twice in a row, column or box.
            blank = changed == 0
            assert not (marks.broken.ravel() & blank & (question == 0)).any()
            if not valid and not blank.any():
                assert marks.broken.any()


def test_the_cells_of_a_clash_are_marked_and_named() -> None:
    question = np.zeros((4, 4), np.uint8)
    question[0, 0] = 1
    answer = np.array([[1, 2, 3, 4], [3, 4, 1, 1], [2, 1, 4, 3], [4, 3, 1, 2]], np.uint8)
    marks = board_marks("sudoku", question, answer)
    assert np.argwhere(marks.broken).tolist() == [[1, 2], [1, 3], [3, 2]]
    assert marks.verdict() == "breaks 3 rules (for example, 1 appears twice in row 2)"
    answer[0, 0] = 0
    assert board_marks("sudoku", question, answer).faults[0] == "the given 1 at row 1, column 1 is gone"


def test_a_shortest_path_keeps_the_rules_of_a_maze() -> None:
    mazes = generate_mazes(20, 11, np.random.default_rng(3))
    for question, answer in zip(mazes.questions, mazes.answers, strict=True):
        question, answer = question.reshape(11, 11), answer.reshape(11, 11)
        marks = board_marks("maze", question, answer)
        assert (marks.faults, marks.broken.any()) == ((), False)
        cut = answer.copy()
        row, column = np.argwhere(cut == PATH)[len(np.argwhere(cut == PATH)) // 2]
        cut[row, column] = FREE
        assert "the path does not reach G" in board_marks("maze", question, cut).faults
        empty = np.where(answer == PATH, FREE, answer)
        assert board_marks("maze", question, empty).verdict() == "breaks 1 rule: the path does not reach G"


def test_a_path_may_be_longer_than_the_shortest_but_not_leave_the_free_cells() -> None:
    question = np.full((5, 5), FREE, np.uint8)
    question[0, 0], question[0, 2], question[1, 1] = START, GOAL, WALL
    long = question.copy()
    long[1:3, 0] = long[2, 1] = long[1:3, 2] = PATH
    assert board_marks("maze", question, long).faults == ()
    through = question.copy()
    through[1, 0] = through[1, 1] = through[1, 2] = PATH
    marks = board_marks("maze", question, through)
    assert marks.faults[0] == "1 cell of the question drawn over"
    assert marks.broken[1, 1]
    spur = long.copy()
    spur[3, 1] = spur[4, 4] = PATH
    spur[4, 0] = 255
    marks = board_marks("maze", question, spur)
    assert marks.broken[3, 1]
    assert marks.broken[4, 4]
    assert marks.broken[4, 0]
    assert marks.verdict().startswith("breaks 3 rules")
