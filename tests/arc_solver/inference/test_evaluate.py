"""Scores in training: the shares of several processes add up, and right answers count as right."""

import dataclasses

import numpy as np
import pytest

from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.evaluate import PuzzleEvaluator
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair
from submission.vote import BallotBox, Query
from tests.arc_solver.tiny import MODEL, answer_boards, guesses, lively, tasks

PREDICT = PredictConfig(views=1, ages=2, batch_size=4, retry_overflow=False)
NUM_BOARDS = 7


def added(parts: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(part[name] for part in parts) for name in parts[0]}


@pytest.mark.parametrize("world", [2, 3, 9])
def test_shares_of_boards_add_up(world: int) -> None:
    boards = generate_sudoku(NUM_BOARDS, 4, np.random.default_rng(0))
    model = lively(Model(dataclasses.replace(MODEL, vocabulary=6)))
    puzzles = PuzzleMap("none")
    said = answer_boards(model.eval(), boards, PREDICT).cells
    boards.answers[:3] = said[:3]
    evaluator = PuzzleEvaluator(SUDOKU, boards, PREDICT)
    whole = evaluator.count(model, puzzles, 0, 1)
    assert (whole["boards"], whole["exact"]) == (NUM_BOARDS, pytest.approx(3))
    assert whole["ages"] == 2 * NUM_BOARDS
    shares = added([evaluator.count(model, puzzles, rank, world) for rank in range(world)])
    assert shares == pytest.approx(whole)
    assert evaluator.metrics(shares)["eval_exact"] == pytest.approx(3 / NUM_BOARDS, abs=1e-5)
    assert evaluator.metrics(whole)["eval_ages"] == 2


@pytest.mark.parametrize("world", [2, 5])
def test_shares_of_tasks_add_up(world: int) -> None:
    listed = tasks(0, sides=(3, 4, 3), num_tests=2)
    puzzles = PuzzleMap.build(listed, "rows", 2, seed=0)
    model = lively(Model(ModelConfig(**vars(MODEL)), num_rows=puzzles.num_rows)).eval()
    config = dataclasses.replace(PREDICT, views=2)
    numbers = [puzzles.find(task) for task in listed]
    box = BallotBox([Query(task.id, i) for task in listed for i in range(2)])
    for found in guesses(model, puzzles, listed, numbers, config):
        a = found.answers
        box.cast_batch(found.queries, a.keys, a.cells, a.shapes[:, 0], a.shapes[:, 1], found.confidence)
    first = [box.attempts(Query(listed[0].id, i))[0] for i in range(2)]
    answered = dataclasses.replace(
        listed[0],
        test=tuple(Pair(pair.input, grid) for pair, grid in zip(listed[0].test, first, strict=True)),
    )
    assert puzzles.find(answered) == puzzles.find(listed[0])
    evaluator = PuzzleEvaluator(ARC, (answered, *listed[1:]), config)
    whole = evaluator.count(model, puzzles, 0, 1)
    assert whole == {"outputs": 6, "exact": 2, "pass_1": 2, "ages": 24}
    assert added([evaluator.count(model, puzzles, rank, world) for rank in range(world)]) == whole
    assert evaluator.metrics(whole) == {"eval_exact": 0.33333, "eval_pass_1": 0.33333, "eval_ages": 4}
