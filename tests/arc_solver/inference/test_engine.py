"""Answers do not depend on how rows are batched; rows leave when they should."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.arc.examples import ArcQueries
from arc_solver.domains.protocols import Bytes, Canvas, Codes, Restored
from arc_solver.inference.engine import Answered, answer_rows
from arc_solver.model.trm import Carry, Model, Output
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from tests.arc_solver.tiny import HRM, MODEL, lively, tasks

NEVER = PredictConfig(ages=3, batch_size=64)
Rows = dict[tuple[int, int], tuple[bytes, bytes, int]]


def questions(listed: list[Task], kind: str = "rows", num_views: int = 4) -> tuple[ArcQueries, PuzzleMap]:
    puzzles = PuzzleMap.build(listed, kind, num_views, seed=0)
    return ArcQueries(listed, range(len(listed)), puzzles, num_views), puzzles


def model_for(config: ModelConfig, puzzles: PuzzleMap) -> Model:
    return lively(Model(config, num_rows=puzzles.num_rows, seed=1)).requires_grad_(False)


def collected(batches: Any) -> Rows:
    """Tokens, confidence (bit for bit) and age of every (group, row)."""
    found: Rows = {}
    for left in batches:
        for i, row in enumerate(left.rows):
            key = (left.group, int(row))
            assert key not in found, f"row {key} left twice"
            found[key] = (left.tokens[i].tobytes(), left.confidence[i].tobytes(), int(left.ages[i]))
    return found


@pytest.mark.parametrize(
    ("config", "halt_logit", "patience"),
    [
        (MODEL, math.inf, 0),
        (MODEL, 0.0, 0),
        (dataclasses.replace(MODEL, embedding="composed"), math.inf, 1),
        (dataclasses.replace(HRM, num_heads=4), 0.0, 2),
        (
            dataclasses.replace(
                MODEL, width=96, num_heads=4, rounding=32, mixers=("attention", "convolution")
            ),
            math.inf,
            0,
        ),
        (ModelConfig(width=96, num_heads=4, rounding=32, cycles=1, latent_steps=2, prefix_length=1), 0.0, 0),
    ],
)
def test_batch_size_and_company_change_no_bit(config: ModelConfig, halt_logit: float, patience: int) -> None:
    data, puzzles = questions(tasks(5, sides=(3, 8, 6, 5)), config.embedding)
    assert len(data.canvases) == 2
    model = model_for(config, puzzles)
    predict = PredictConfig(ages=3, halt_logit=halt_logit, patience=patience, batch_size=64)
    alone = collected(answer_rows(model, data, predict))
    assert len(alone) == sum(len(data.queries(group)) for group in range(2)) == 16
    assert len({confidence for _, confidence, _ in alone.values()}) == 16
    if halt_logit < math.inf and not patience:
        assert len({age for _, _, age in alone.values()}) > 1
    for size in (1, 3, 8):
        changed = dataclasses.replace(predict, batch_size=size)
        assert collected(answer_rows(model, data, changed)) == alone, size


def test_company_of_other_tasks_changes_no_bit() -> None:
    listed = tasks(5, sides=(3, 6, 5))
    together, puzzles = questions(listed)
    model = model_for(MODEL, puzzles)
    whole = collected(answer_rows(model, together, NEVER))
    queries = together.queries(0)
    for t in range(3):
        part = ArcQueries([listed[t]], [t], puzzles, 4)
        own = collected(answer_rows(model, part, NEVER))
        wanted = [whole[0, row] for row in np.flatnonzero(queries == t)]
        assert [own[0, row] for row in range(len(own))] == wanted


class Regrouped:
    """The rows of one group of `data` as several groups of the same canvas."""

    def __init__(self, data: ArcQueries, groups: list[list[int]]) -> None:
        self.data = data
        self.groups = [np.array(rows, np.int64) for rows in groups]

    @property
    def canvases(self) -> tuple[Canvas, ...]:
        return (self.data.canvases[0],) * len(self.groups)

    def queries(self, group: int) -> npt.NDArray[np.int64]:
        return self.data.queries(0)[self.groups[group]]

    def paint(self, group: int, rows: npt.NDArray[np.int64], tokens: Bytes, codes: Codes) -> None:
        self.data.paint(0, self.groups[group][rows], tokens, codes)

    def restore(self, group: int, rows: npt.NDArray[np.int64], answers: Bytes) -> Restored:
        return self.data.restore(0, self.groups[group][rows], answers)


@pytest.mark.parametrize("positions", ["none", "rotary2d"])
def test_one_group_or_many_give_the_same_answers(positions: str) -> None:
    data, puzzles = questions(tasks(5, sides=(3, 6, 5)))
    model = model_for(dataclasses.replace(MODEL, positions=positions), puzzles)
    whole = collected(answer_rows(model, data, NEVER))
    rng = np.random.default_rng(2)
    order = rng.permutation(12).tolist()
    groups = [order[:1], order[1:6], order[6:]]
    found = collected(answer_rows(model, Regrouped(data, groups), NEVER))
    assert {(0, groups[g][row]): answer for (g, row), answer in found.items()} == whole


class Scripted:
    """A model whose answer and halting logit are functions of the first token and the age."""

    def __init__(self, answer: Callable[[int, int], int], halt: Callable[[int, int], float]) -> None:
        self.answer, self.halt = answer, halt
        self.config = ModelConfig(width=4, num_heads=1, prefix_length=1)
        self.first_answer = torch.zeros(4)
        self.num_forwards = 0

    def first_carry(self, rows: int, positions: int) -> Carry:
        return Carry(torch.zeros(rows, positions, 4), torch.zeros(rows, positions, 4))

    def __call__(self, tokens: Tensor, codes: Tensor, carry: Carry, canvas: Canvas) -> Output:
        self.num_forwards += 1
        ages = carry.answer[:, 0, 0] + 1
        pairs = list(zip(tokens[:, 0].tolist(), ages.int().tolist(), strict=True))
        shown = torch.tensor([self.answer(*pair) for pair in pairs])
        logits = torch.nn.functional.one_hot(shown, 12)[:, None].expand(-1, tokens.shape[1], -1)
        halt = torch.tensor([self.halt(*pair) for pair in pairs])
        return Output(logits.float(), halt, Carry(carry.answer + 1, carry.latent))


class Numbered:
    """QueryData of n rows in one group, whose tokens are the row number + 1."""

    canvases: tuple[Canvas, ...] = ((1, 2),)

    def __init__(self, num: int) -> None:
        self.num = num

    def queries(self, group: int) -> npt.NDArray[np.int64]:
        return np.arange(self.num)

    def paint(self, group: int, rows: npt.NDArray[np.int64], tokens: Bytes, codes: Codes) -> None:
        tokens[:] = rows[:, None] + 1
        codes[:] = 0

    def restore(self, group: int, rows: npt.NDArray[np.int64], answers: Bytes) -> Restored:
        raise NotImplementedError


def left(model: Scripted, data: Numbered, config: PredictConfig, **options: Any) -> list[Answered]:
    return list(answer_rows(model, data, config, **options))  # type: ignore[arg-type]


def ages(answered: list[Answered]) -> dict[int, int]:
    return {int(row): int(age) for a in answered for row, age in zip(a.rows, a.ages, strict=True)}


def test_rows_leave_when_their_logit_passes_the_threshold() -> None:
    model = Scripted(lambda t, age: age % 12, lambda t, age: 1.0 if age >= t else -1.0)
    found = left(model, Numbered(5), PredictConfig(ages=4, halt_logit=0.0, batch_size=2))
    assert ages(found) == {0: 1, 1: 2, 2: 3, 3: 4, 4: 4}
    for answer in found:
        assert answer.tokens.tolist() == [[age, age] for age in answer.ages]
    confidence = {int(r): float(c) for a in found for r, c in zip(a.rows, a.confidence, strict=True)}
    assert confidence[0] == pytest.approx(1 / (1 + math.exp(-1)))
    assert confidence[4] == pytest.approx(1 / (1 + math.exp(1)))


def test_a_logit_at_the_threshold_does_not_halt() -> None:
    found = left(
        Scripted(lambda t, a: a, lambda t, a: 0.0), Numbered(1), PredictConfig(ages=3, halt_logit=0.0)
    )
    assert ages(found) == {0: 3}


def test_patience_counts_ages_without_change() -> None:
    # Row r answers something new until age r + 1 and the same from then on.
    model = Scripted(lambda t, age: min(age, t), lambda t, age: 9.0)
    found = left(model, Numbered(4), PredictConfig(ages=6, patience=2, batch_size=4))
    assert ages(found) == {0: 3, 1: 4, 2: 5, 3: 6}


def test_a_first_answer_of_pads_is_not_unchanged() -> None:
    """Before the first forward there is no answer, though the memory for it is zero."""
    found = left(
        Scripted(lambda t, a: 0, lambda t, a: 0.0),
        Numbered(3),
        PredictConfig(ages=9, patience=1, batch_size=1),
    )
    assert ages(found) == {0: 2, 1: 2, 2: 2}


def test_a_seat_is_taken_at_once() -> None:
    """Six rows of ages 1..6 on two seats need about half of their sum, not the sum of the slower ones."""
    model = Scripted(lambda t, age: 2, lambda t, age: 1.0 if age >= t else -1.0)
    found = left(model, Numbered(6), PredictConfig(ages=9, halt_logit=0.0, batch_size=2))
    assert ages(found) == {row: row + 1 for row in range(6)}
    assert model.num_forwards == 12


def test_stop_gives_up_what_is_in_flight() -> None:
    model = Scripted(lambda t, a: 2, lambda t, a: 1.0 if a >= t else -1.0)
    found = left(
        model,
        Numbered(6),
        PredictConfig(ages=9, halt_logit=0.0, batch_size=2),
        stop=lambda: model.num_forwards >= 3,
    )
    assert ages(found) == {0: 1, 1: 2}
    assert left(model, Numbered(6), NEVER, stop=lambda: True) == []


def test_rows_that_are_not_wanted_never_board() -> None:
    model = Scripted(lambda t, a: 2, lambda t, a: 0.0)
    odd = PredictConfig(ages=1, batch_size=2)
    found = left(model, Numbered(7), odd, wanted=lambda group, rows, ages: rows % 2 == 1)
    assert sorted(ages(found)) == [1, 3, 5]
    assert model.num_forwards == 2
    assert left(model, Numbered(3), NEVER, wanted=lambda group, rows, ages: rows < 0) == []


def test_rows_are_let_go_in_flight() -> None:
    """Row r is wanted until age r; the seat of one that goes is taken by the next."""
    model = Scripted(lambda t, a: 2, lambda t, a: 0.0)
    found = left(
        model, Numbered(6), PredictConfig(ages=4, batch_size=2), wanted=lambda group, rows, ages: ages <= rows
    )
    assert ages(found) == {3: 4, 4: 4, 5: 4}
    # Rows 0, 2, 4 take one seat for 1, 3, 4 ages, rows 1, 3, 5 the other for 2, 4, 4.
    assert model.num_forwards == 10


def test_the_last_rows_fly_alone() -> None:
    sizes = []

    class Counting(Scripted):
        def __call__(self, tokens: Tensor, codes: Tensor, carry: Carry, canvas: Canvas) -> Output:
            sizes.append(len(tokens))
            return super().__call__(tokens, codes, carry, canvas)

    model = Counting(lambda t, a: t + a, lambda t, a: 1.0 if a >= t else -1.0)
    found = left(model, Numbered(5), PredictConfig(ages=9, halt_logit=0.0, batch_size=4))
    assert ages(found) == {row: row + 1 for row in range(5)}
    assert all(
        (a.tokens == [[r + 1 + age] for r, age in zip(a.rows, a.ages, strict=True)]).all() for a in found
    )
    assert sizes == [4, 4, 4, 2, 1, 1]


def test_extreme_halting_logits_are_still_probabilities() -> None:
    for logit, wanted in ((-1e4, 0.0), (1e4, 1.0)):
        found = left(Scripted(lambda t, a: 2, lambda t, a, x=logit: x), Numbered(1), PredictConfig(ages=1))
        assert found[0].confidence.tolist() == [wanted]
