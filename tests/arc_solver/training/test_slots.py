"""Rows in flight: who leaves, who stays, and what is left untouched."""

import torch
from torch import Tensor

from arc_solver.model.trm import Carry, Model, Output
from arc_solver.training.slots import Batch, Slots
from tests.arc_solver.tiny import CPU, HRM, MODEL

B, CANVAS, LENGTH = 4, (2, 3), 6
NEVER = torch.zeros(B, dtype=torch.int32)


def batch(first: int, least_age: Tensor = NEVER) -> Batch:
    """Examples that carry their own number everywhere."""
    number = torch.arange(first, first + B)
    tokens = number[:, None].expand(B, LENGTH).to(torch.uint8)
    return Batch(tokens, tokens + 100, number[:, None].expand(B, 12).to(torch.int32), least_age)


def output(slots: Slots, halt: list[float] | list[list[float]], fill: float = 7.0) -> Output:
    carry = Carry(*(torch.full_like(t, fill) for t in slots.carry))
    return Output(torch.zeros(B, LENGTH, 12), torch.tensor(halt), carry)


def fresh() -> Slots:
    return Slots(Model(MODEL), B, CANVAS, CPU)


def test_the_first_refill_fills_every_slot() -> None:
    slots = fresh()
    slots.refill(batch(10))
    assert slots.tokens[:, 0].tolist() == [10, 11, 12, 13]
    assert slots.targets[:, 0].tolist() == [110, 111, 112, 113]
    assert slots.codes[:, 0].tolist() == [10, 11, 12, 13]
    assert slots.age.tolist() == [0] * B
    model = slots.model
    assert (slots.carry.answer == model.first_answer).all()
    assert (slots.carry.latent == model.first_latent).all()


def test_only_halted_rows_are_replaced() -> None:
    slots = fresh()
    slots.refill(batch(10))
    slots.advance(output(slots, [1.0, -1.0, 0.0, 0.5]), NEVER, max_age=9)
    assert slots.halted.tolist() == [True, False, False, True]  # a logit of 0 is not above 0
    kept = slots.carry
    slots.refill(batch(20))
    assert slots.tokens[:, 0].tolist() == [20, 11, 12, 23]
    assert slots.targets[:, 0].tolist() == [120, 111, 112, 123]
    assert slots.codes[:, 11].tolist() == [20, 11, 12, 23]
    assert slots.age.tolist() == [0, 1, 1, 0]
    for state, before, first in zip(
        slots.carry, kept, (slots.model.first_answer, slots.model.first_latent), strict=True
    ):
        assert torch.equal(state[1:3], before[1:3])
        assert (state[[0, 3]] == first).all()


def test_a_row_leaves_at_the_last_age() -> None:
    slots = fresh()
    slots.refill(batch(0))
    for age in range(1, 4):
        assert not slots.halted.any() or age == 1
        slots.advance(output(slots, [-1.0] * B), NEVER, max_age=3)
        assert slots.age.tolist() == [age] * B
    assert slots.halted.all()


def test_exploration_keeps_a_row_to_its_least_age_but_not_beyond_the_last() -> None:
    slots = fresh()
    least = torch.tensor([0, 2, 3, 9], dtype=torch.int32)
    slots.refill(batch(0))
    found = []
    for _ in range(4):
        slots.advance(output(slots, [1.0] * B), least, max_age=4)
        found.append(slots.halted.tolist())
    assert found == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]


def test_with_the_continue_output_halting_must_win() -> None:
    slots = Slots(Model(HRM), B, CANVAS, CPU)
    slots.refill(batch(0))
    slots.advance(output(slots, [[1.0, 2.0], [-2.0, -3.0], [0.5, 0.5], [3.0, 1.0]]), NEVER, max_age=9)
    assert slots.halted.tolist() == [False, True, False, True]


def test_the_batch_is_not_changed_by_the_slots() -> None:
    slots, given = fresh(), batch(5)
    slots.refill(given)
    slots.tokens.zero_()
    assert given.tokens[:, 0].tolist() == [5, 6, 7, 8]


def test_state_round_trip() -> None:
    slots, other = fresh(), fresh()
    slots.refill(batch(3))
    slots.advance(output(slots, [1.0, -1.0, -1.0, 1.0], fill=2.5), NEVER, max_age=9)
    other.load_state({name: t.clone() for name, t in slots.state().items()})
    assert slots.state().keys() == other.state().keys()
    for name, t in slots.state().items():
        assert torch.equal(t, other.state()[name]), name
        assert t.dtype == other.state()[name].dtype
