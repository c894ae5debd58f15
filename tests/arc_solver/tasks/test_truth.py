"""What a submission owes, and what may not cost the others their answers."""

import numpy as np
import pytest

from arc_solver.corpus.corpus import SEALED_SETS, read_corpus
from arc_solver.prediction.truth import owed_outputs
from arc_solver.tasks.task import Pair, Task, TaskFault


def test_an_id_that_no_submission_can_hold_costs_only_itself() -> None:
    grid = np.zeros((1, 1), np.uint8)
    good = Task("good", (Pair(grid, grid),), (Pair(grid, None), Pair(grid, None)))
    faults = {id: TaskFault(id, "bad", 1) for id in ("", "x" * 129, "a\x1bb", "named")}
    assert owed_outputs([good], faults) == {"good": 2, "named": 1}


@pytest.mark.parametrize("name", SEALED_SETS)
def test_the_answers_of_a_published_evaluation_set_are_not_trained_on(name: str) -> None:
    corpus = read_corpus([name])
    assert corpus.material
    assert all(pair.output is None for task in corpus.material for pair in task.test)
