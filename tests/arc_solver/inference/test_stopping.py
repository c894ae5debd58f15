"""Early decisions change no attempt, and how rows are batched changes no early decision."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from arc_solver.config import PredictConfig
from arc_solver.inference.election import TopTwoVote
from arc_solver.inference.stopping import EarlyDecision
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from submission.vote import BallotBox
from tests.arc_solver.inference.test_guesses import Copying
from tests.arc_solver.tiny import answering_of, tasks

CONFIG = PredictConfig(views=16, ages=3, batch_size=4, retry_overflow=False)


class Swaying(Copying):
    """Answers with the question, but for some views with one that has its first cell changed."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.share, self.rng = share, np.random.default_rng(seed)
        self.drawn: dict[bytes, int] = {}

    def __call__(self, tokens, codes, carry, canvas):  # type: ignore[no-untyped-def]
        changed = tokens.clone()
        for i, row in enumerate(tokens):
            key = row.numpy().tobytes() + codes[i].numpy().tobytes()
            if key not in self.drawn:
                draw = self.rng.random()
                self.drawn[key] = 0 if draw > self.share else 1 + int(draw > self.share * 0.15)
            changed[i, 0] = 2 + (int(row[0]) - 2 + self.drawn[key]) % 10
        return super().__call__(changed, codes, carry, canvas)


def voted(
    model: object, listed: Sequence[Task], config: PredictConfig
) -> tuple[BallotBox, EarlyDecision, int]:
    """The box after a prediction with early decisions, what decided them, and the views that were cast."""
    puzzles = PuzzleMap.build(listed, "rows", config.views, seed=0)
    answering = answering_of(puzzles, listed, range(len(listed)), config)
    for _ in answering.run(model):  # type: ignore[arg-type]
        pass
    election = answering.election
    assert isinstance(election, TopTwoVote)
    box = election.box
    return box, election.early, sum(box.ballots(query) for query in box.queries)


def attempts(box: BallotBox) -> list[list[object]]:
    return [[grid.tolist() for grid in box.attempts(query)] for query in box.queries]


def saved_by(early: EarlyDecision) -> int:
    """Views that were not needed."""
    return int((early._owed - early._asked)[early.settled].sum())


@pytest.mark.parametrize("share", [0.3, 0.4])
def test_a_sure_decision_changes_no_attempt(share: float) -> None:
    listed = tasks(3, sides=(3, 4, 8, 9), num_tests=2)
    model = Swaying(share, seed=4)
    every, _, total = voted(model, listed, dataclasses.replace(CONFIG, early="off"))
    assert total == 16 * 8
    saved = 0
    for size in (1, 3, 64):
        box, early, cast = voted(model, listed, dataclasses.replace(CONFIG, batch_size=size))
        assert attempts(box) == attempts(every), size
        # A view under way when its query is decided is neither cast nor saved time for, but not needed.
        assert cast + saved_by(early) == total
        saved += saved_by(early)
    assert saved > 0


def test_the_test_stops_alike_for_every_batch_size_and_saves_more() -> None:
    listed = tasks(3, sides=(3, 4, 8, 9), num_tests=2)
    model = Swaying(0.2, seed=4)
    likely = dataclasses.replace(CONFIG, early="likely", early_error=0.3)
    results = [voted(model, listed, dataclasses.replace(likely, batch_size=size)) for size in (1, 5, 64)]
    stopped = [early.settled.tolist() for _, early, _ in results]
    assert any(stopped[0])
    firsts = [[box.attempts(query)[0].tolist() for query in box.queries] for box, _, _ in results]
    assert firsts[0] == firsts[1] == firsts[2]
    exact = saved_by(voted(model, listed, CONFIG)[1])
    assert min(saved_by(early) for _, early, _ in results) > exact


def test_what_may_be_asked_again_is_not_decided() -> None:
    """Every answer fills the canvas, so the full canvas will be asked too."""
    listed = tasks(3, sides=(3, 4))
    config = dataclasses.replace(CONFIG, early="likely", early_error=0.9, retry_overflow=True, views=8)
    box, early, _ = voted(Copying(spills=tuple(range(10))), listed, config)
    assert not early.settled.any()
    assert all(box.ballots(query) == 16 for query in box.queries)
