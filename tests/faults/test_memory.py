"""Too little memory makes batches smaller and changes no answer."""

from typing import Any

import pytest
import torch
from torch import Tensor

from arc_solver.config import PredictConfig
from arc_solver.domains.arc.examples import ArcQueries
from arc_solver.hardware.memory import is_out_of_memory
from arc_solver.inference.engine import answer_rows
from arc_solver.model.trm import Carry, Model, Output
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.tiny import MODEL, lively, tasks
from tests.faults.scene import COUNT
from tests.tally import trial

CONFIG = PredictConfig(ages=2, batch_size=8)
ERRORS = (
    torch.cuda.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 1 byte"),
    MemoryError(),
)


class Cramped(torch.nn.Module):
    """A model that fails where rows × tokens go beyond a limit, and on some calls whatever they ask."""

    def __init__(
        self, model: Model, limit: int, error: Exception, failing: frozenset[int] = frozenset()
    ) -> None:
        super().__init__()
        self.model, self.config, self.first_answer = model, model.config, model.first_answer
        self.limit, self.error, self.failing, self.calls = limit, error, failing, 0

    def first_carry(self, rows: int, positions: int) -> Carry:
        return self.model.first_carry(rows, positions)

    def forward(self, tokens: Tensor, *rest: Any) -> Output:
        self.calls += 1
        if tokens.numel() > self.limit or self.calls in self.failing:
            raise self.error
        return self.model(tokens, *rest)


def answers(model: Any, data: ArcQueries) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    found = {}
    for left in answer_rows(model, data, CONFIG):
        for i, row in enumerate(left.rows):
            assert (left.group, int(row)) not in found
            found[left.group, int(row)] = (left.tokens[i].tobytes(), left.confidence[i].tobytes())
    return found


@pytest.fixture(scope="module")
def scene() -> tuple[Model, ArcQueries]:
    listed = tasks(5, sides=(3, 8, 6, 5))
    puzzles = PuzzleMap.build(listed, "rows", 4, seed=0)
    model = lively(Model(MODEL, num_rows=puzzles.num_rows, seed=1)).requires_grad_(False)
    return model, ArcQueries(listed, range(len(listed)), puzzles, 4)


@pytest.mark.parametrize("rows", [0, 1, 3, 8] if COUNT == 1 else range(9))
def test_answers_are_the_same_at_every_limit(scene: tuple[Model, ArcQueries], rows: int) -> None:
    model, data = scene
    whole = answers(model, data)
    small, large = (height * width for height, width in data.canvases)
    for error in ERRORS[: 1 + (rows == 3 or COUNT > 1) * 2]:
        got = answers(Cramped(model, rows * large, error), data)
        # Where not even one row fits, the rows of that canvas stay without an answer, and only they.
        expected = {key: value for key, value in whole.items() if rows * large >= (small, large)[key[0]]}
        with trial(8, "limits of memory"):
            assert got == expected, error


def test_a_passing_lack_costs_nothing(scene: tuple[Model, ArcQueries]) -> None:
    model, data = scene
    whole = answers(model, data)
    for call in (1, 3, 4):
        assert answers(Cramped(model, 10**9, ERRORS[0], (call,)), data) == whole, call


def test_other_errors_pass_through(scene: tuple[Model, ArcQueries]) -> None:
    model, data = scene
    with pytest.raises(RuntimeError, match="shapes"):
        answers(Cramped(model, 0, RuntimeError("shapes do not fit")), data)


def test_what_counts_as_a_lack_of_memory() -> None:
    assert all(is_out_of_memory(error) for error in ERRORS)
    assert is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    assert not is_out_of_memory(ValueError("not enough memory"))
