"""Several solvers on the same answers: who solved what alone, and what the best rule makes of it."""

import numpy as np

from submission.candidates import Candidate
from submission.trial import try_out
from submission.vote import Query

GRID = np.full((1, 1), 1, np.uint8)
TRUTH = {str(number): [GRID] for number in range(6)}


def candidates(source: str, solved: set[int]) -> list[Candidate]:
    """One candidate a task, right on the given ones."""
    return [Candidate(Query(str(n), 0), GRID if n in solved else GRID + 1, 1.0, source) for n in range(6)]


def test_who_solved_what() -> None:
    trial = try_out([*candidates("mine", {0, 1, 2}), *candidates("theirs", {2, 3})], TRUTH, "")
    solved = {name: len(score.solved_outputs()) for name, score in trial.alone.items()}
    assert solved == {"mine": 3, "theirs": 2}
    # Two attempts hold both opinions, so merging by votes loses nothing here.
    assert "mine alone 2, theirs alone 1, both 1" in trial.overlap
    assert trial.merging_wins
