"""What ballots are worth: views under which the demonstrations are answered right count for more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from arc_solver.config import PredictConfig
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.arc.examples import ArcQuestions
from arc_solver.domains.arc.practice import FLOOR, ArcPractice
from arc_solver.domains.protocols import QueryData, Restored
from arc_solver.inference import answer
from arc_solver.inference.answer import Answering
from arc_solver.inference.engine import Answered
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from augment.grid import Grid


def grid(*rows: str) -> Grid:
    return np.array([[int(cell) for cell in row] for row in rows], np.uint8)


TASK = Task(
    "copy", (Pair(grid("12"), grid("12")), Pair(grid("3"), grid("3"))), (Pair(grid("45"), grid("45")),)
)
LARGER = Task("larger", (Pair(grid("1"), grid("2")),), (Pair(grid("123456789"), None), Pair(grid("1"), None)))


def asked(*tasks: Task, views: int = 4, **settings: object) -> ArcQuestions:
    puzzles = PuzzleMap.build(tasks, "rows", views, 0, permute_colors=True)
    config = dataclasses.replace(PredictConfig(views=views, ages=1), weigh_views=True, **settings)
    return ArcQuestions(tasks, range(len(tasks)), puzzles, config, "fine")


def answers(*grids: Grid) -> Restored:
    cells = np.zeros((len(grids), 900), np.uint8)
    for place, each in enumerate(grids):
        cells[place, : each.size] = each.reshape(-1)
    shapes = np.array([each.shape for each in grids], np.uint8)
    return Restored(cells, shapes, np.zeros((len(grids), 2), np.uint64), np.zeros(len(grids), np.bool_))


def test_demonstrations_are_asked_on_the_canvas_of_their_task_and_test_inputs_are_not() -> None:
    practice = ArcPractice(asked(TASK, LARGER))
    data = practice.round(0, 2, np.array([0, 1, 2]))
    assert data.canvases == ((5, 5), (11, 11))
    # Queries are numbered with the test inputs: two demonstrations and a test input, then one demonstration.
    assert sorted(data.queries(0).tolist()) == [0, 0, 1, 1]
    assert data.queries(1).tolist() == [3, 3]


def test_only_tasks_with_an_open_query_practise() -> None:
    practice = ArcPractice(asked(TASK, LARGER))
    assert practice.round(0, 1, np.array([2])).queries(0).tolist() == [3]
    assert practice.round(0, 1, np.array([], np.int64)).canvases == ()


def test_a_ballot_is_worth_the_squared_share_of_right_demonstrations_and_a_floor() -> None:
    practice = ArcPractice(asked(TASK, LARGER))
    wrong, transposed = grid("13"), grid("1", "2")
    practice.take(
        np.array([0, 1, 0, 1, 0, 3]),
        np.array([0, 0, 1, 1, 2, 0]),
        answers(grid("12"), grid("3"), wrong, grid("3"), transposed, grid("2")),
    )
    found = practice.weights(np.array([0, 0, 0, 0, 1, 2]), np.array([0, 1, 2, 3, 0, 0]))
    expected = [(FLOOR + share**2) / (FLOOR + 1) for share in (1, 0.5, 0, 0, 1, 1)]
    assert found == pytest.approx(np.array(expected, np.float32))
    assert (found > 0).all()
    assert (found <= 1).all()


def test_chains_of_a_view_are_worth_the_same() -> None:
    questions = asked(TASK, rollouts=2)
    practice = ArcPractice(questions)
    practice.take(np.array([0, 1]), np.array([1, 1]), answers(grid("12"), grid("3")))
    views = questions.round(0, 8, np.array([0])).turns(0)[0]
    assert practice.weights(np.array([0, 0]), views[[1, 5]]).tolist() == [1, 1]


class Scripted:
    """Stands for the engine: under view 0 everything is right, under the others demonstrations are wrong."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []

    def __call__(
        self, model: object, data: QueryData, config: PredictConfig, **_: object
    ) -> Iterator[Answered]:
        for group, (height, width) in enumerate(data.canvases):
            queries, contenders = data.queries(group), data.contenders(group)
            self.rounds.append(queries.tolist())
            num = len(queries)
            tokens, codes = np.zeros((num, height * width), np.uint8), np.zeros((num, 12), np.int32)
            data.paint(group, np.arange(num), tokens, codes)  # the task is to copy
            wrong = contenders > 0
            colors = tokens[wrong] >= 2
            tokens[wrong] = np.where(colors, 2, tokens[wrong])
            ones = np.ones(num, np.float32)
            yield Answered(
                group,
                np.arange(num),
                tokens,
                np.zeros(tokens.shape, np.float32),
                ones,
                np.ones(num, np.int64),
                ones > 0,
            )


@pytest.mark.parametrize("weigh", [False, True])
def test_one_view_that_knows_the_demonstrations_outvotes_many_that_do_not(
    monkeypatch: pytest.MonkeyPatch, weigh: bool
) -> None:
    engine = Scripted()
    monkeypatch.setattr(answer, "answer_rows", engine)
    questions = asked(TASK, views=4)
    config = dataclasses.replace(questions.config, weigh_views=weigh, early="off", retry_overflow=False)
    questions = dataclasses.replace(questions, config=config)
    answering = Answering(ARC, (TASK,), questions, config)
    list(answering.run(object.__new__(Model)))
    (standing,) = answering.standings(np.array([0]))
    best = standing.candidates[0].grid
    assert np.array_equal(best, grid("45")) == weigh
    assert len(engine.rounds) == 1 + weigh
