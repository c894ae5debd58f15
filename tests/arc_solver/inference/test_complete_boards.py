"""A board without blanks is its own answer, whatever it is answered together with."""

import dataclasses

import numpy as np
import pytest

from arc_solver.config import PredictConfig
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.model.trm import Model
from tests.arc_solver.tiny import MODEL, answer_boards, lively


@pytest.mark.parametrize("ages", [1, 2])
@pytest.mark.parametrize("complete", [(0,), (1,), (0, 1), (0, 1, 2)])
def test_a_complete_board_answers_itself_beside_others(complete: tuple[int, ...], ages: int) -> None:
    boards = generate_sudoku(3, 4, np.random.default_rng(4))
    questions = boards.questions.copy()
    questions[list(complete)] = boards.answers[list(complete)]
    asked = dataclasses.replace(boards, questions=questions)
    model = lively(Model(dataclasses.replace(MODEL, vocabulary=6), num_rows=1, seed=1)).requires_grad_(False)
    found = answer_boards(model, asked, PredictConfig(views=1, ages=ages, batch_size=3))
    assert found.answered.all()
    for place in complete:
        assert np.array_equal(found.cells[place], boards.answers[place])
