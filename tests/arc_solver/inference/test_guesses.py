"""Guesses come back in the frame of their task; what runs over its canvas is asked again."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.arc.examples import ArcQueries
from arc_solver.domains.protocols import Canvas
from arc_solver.inference.election import Found
from arc_solver.model.trm import Carry, Output
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from augment.canvas import PAD, place
from tests.arc_solver.tiny import MODEL, PREDICT, answering_of, grid, guesses, lively, tasks


class Copying:
    """Answers with the question; a question whose first color is in `spills` fills any canvas below 30."""

    def __init__(self, spills: tuple[int, ...] = ()) -> None:
        self.config = ModelConfig(width=4, num_heads=1, prefix_length=1)
        self.first_answer = torch.zeros(4)
        self.spills = torch.tensor([color + 2 for color in spills])
        self.sides: list[int] = []

    def first_carry(self, rows: int, positions: int) -> Carry:
        return Carry(torch.zeros(rows, positions, 4), torch.zeros(rows, positions, 4))

    def __call__(self, tokens: Tensor, codes: Tensor, carry: Carry, canvas: Canvas) -> Output:
        self.sides.append(canvas[0])
        spilled = torch.isin(tokens[:, :1], self.spills) & (canvas[0] < 30)
        answer = torch.where(spilled, 5, tokens.long())
        return Output(torch.nn.functional.one_hot(answer, 12).float(), torch.zeros(len(tokens)), carry)


def asked(model: object, listed: list[Task], config: PredictConfig) -> tuple[list[Found], PuzzleMap]:
    puzzles = PuzzleMap.build(listed, "rows", config.views, seed=0)
    numbers = range(len(listed))
    found = list(guesses(model, puzzles, listed, numbers, config))  # type: ignore[arg-type]
    return found, puzzles


def shown(found: list[Found]) -> dict[int, list[list[list[int]]]]:
    """All grids guessed for every query."""
    grids: dict[int, list[list[list[int]]]] = {}
    for batch in found:
        for i, query in enumerate(batch.queries):
            height, width = batch.answers.shapes[i].tolist()
            cells = batch.answers.cells[i, : height * width].reshape(height, width)
            grids.setdefault(int(query), []).append(cells.tolist())
    return grids


def test_a_copied_question_is_its_own_answer_under_every_view() -> None:
    listed = tasks(3, sides=(3, 8, 9), num_tests=2)
    found, puzzles = asked(Copying(), listed, dataclasses.replace(PREDICT, views=8))
    questions = [pair.input.tolist() for task in listed for pair in task.test]
    grids = shown(found)
    assert sorted(grids) == list(range(6))
    for query, question in enumerate(questions):
        assert grids[query] == [question] * 8
    for views, num in ((8, 48), (3, 18)):
        config = dataclasses.replace(PREDICT, views=views)
        assert answering_of(puzzles, listed, range(3), config).questions.owed.sum() == num


def spilling_tasks() -> list[Task]:
    """Three tasks of two questions; the second question of the middle one starts with color 7."""
    rng = np.random.default_rng(1)
    listed = tasks(4, sides=(3, 4, 5), num_tests=2)
    question = grid(rng, 3, 3)
    question[0, 0] = 7
    middle = listed[1]
    listed[1] = dataclasses.replace(middle, test=(middle.test[0], Pair(question, None)))
    for task in listed:
        for pair in task.test:
            if pair.input is not question and pair.input[0, 0] == 7:
                fixed = pair.input.copy()
                fixed[0, 0] = 1
                object.__setattr__(pair, "input", fixed)
    listed[1] = dataclasses.replace(middle, test=(listed[1].test[0], Pair(question, None)))
    return listed


def test_only_a_question_that_ran_over_is_asked_again_on_the_full_canvas() -> None:
    listed = spilling_tasks()
    model = Copying(spills=(7,))
    found, _ = asked(model, listed, dataclasses.replace(PREDICT, views=1, retry_overflow=True))
    grids = shown(found)
    questions = [pair.input.tolist() for task in listed for pair in task.test]
    assert set(model.sides) == {7, 30}
    for query in (0, 1, 2, 4, 5):
        assert grids[query] == [questions[query]], query
    assert len(grids[3]) == 2
    assert grids[3][0] == [[3] * 7] * 7
    assert grids[3][1] == questions[3]


def test_no_second_question_unless_wanted() -> None:
    model = Copying(spills=(7,))
    asked(model, spilling_tasks(), dataclasses.replace(PREDICT, views=1))
    assert set(model.sides) == {7}


def test_a_network_of_one_length_is_never_asked_on_another_canvas() -> None:
    for config in (
        dataclasses.replace(MODEL, mixers=("position_mlp",), length=49),
        dataclasses.replace(MODEL, positions="learned", length=49),
    ):
        model = Copying(spills=(7,))
        model.config = config
        asked(model, spilling_tasks(), dataclasses.replace(PREDICT, views=1, retry_overflow=True))
        assert set(model.sides) == {7}


def test_a_minority_that_runs_over_is_not_asked_again() -> None:
    listed = spilling_tasks()
    model = Copying(spills=(7,))
    config = dataclasses.replace(PREDICT, views=8, retry_overflow=True)
    puzzles = PuzzleMap.build(listed, "rows", 8, seed=0)
    spilled = {
        q: sum(int(view.apply(question)[0, 0]) == 7 for view in (puzzles.views[v] for v in range(start, end)))
        for q, (question, start, end) in enumerate(
            (pair.input, int(puzzles.starts[t]), int(puzzles.starts[t + 1]))
            for t, task in enumerate(listed)
            for pair in task.test
        )
    }
    found, _ = asked(model, listed, config)
    grids = shown(found)
    assert any(0 < count <= 4 for count in spilled.values())
    assert {q: len(g) for q, g in grids.items()} == {q: 16 if n > 4 else 8 for q, n in spilled.items()}


def test_stop_ends_at_once() -> None:
    listed = tasks(3)
    puzzles = PuzzleMap.build(listed, "rows", 4, seed=0)
    model = Copying()
    assert list(guesses(model, puzzles, listed, range(3), PREDICT, stop=lambda: True)) == []  # type: ignore[arg-type]
    assert model.sides == []


def test_outputs_of_the_tests_are_not_looked_at() -> None:
    from arc_solver.model.trm import Model

    listed = tasks(6, sides=(3, 6))
    rng = np.random.default_rng(9)
    blind = [
        dataclasses.replace(t, test=tuple(Pair(p.input, out) for p in t.test))
        for t, out in zip(listed, (None, grid(rng, 29, 30)), strict=True)
    ]
    puzzles = PuzzleMap.build(listed, "rows", 4, seed=0)
    model = lively(Model(MODEL, num_rows=puzzles.num_rows)).requires_grad_(False)
    results = [list(guesses(model, puzzles, part, range(2), PREDICT)) for part in (listed, blind)]
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a.answers.keys, b.answers.keys)
        assert np.array_equal(a.confidence, b.confidence)


def test_confidence_is_the_mean_probability_of_the_cells_and_the_edge() -> None:
    seed = 4
    rng = np.random.default_rng(seed)
    listed = [dataclasses.replace(t, test=(Pair(grid(rng, 5, 3), None),)) for t in tasks(3, sides=(6, 6))]
    puzzles = PuzzleMap.build(listed, "rows", 8, seed=0)
    data = ArcQueries(listed, range(2), puzzles, 8)
    side = data.canvases[0][0]
    rows = np.arange(len(data.queries(0)))
    # The corner of the edge and what lies outside say nothing, whatever is there.
    probabilities = rng.random((len(rows), side * side)).astype(np.float32)
    shapes = rng.integers(0, side, (len(rows), 2)).astype(np.uint8)
    shapes[shapes.min(axis=1) == 0] = 0
    found = data.confidence(0, rows, shapes, np.log(probabilities))
    for row, view in enumerate(data.view_numbers(0)):
        height, width = shapes[row].tolist()
        if not height:
            assert found[row] == 0
            continue
        turned = data.views[int(view)].apply(np.zeros((height, width), np.uint8))
        inside = np.flatnonzero(place(turned, side).reshape(-1) != PAD)
        wanted = np.exp(np.log(probabilities[row, inside].astype(np.float64)).mean())
        assert found[row] == pytest.approx(wanted, rel=1e-5), f"seed {seed}, row {row}"
