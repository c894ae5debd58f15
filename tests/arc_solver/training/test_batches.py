"""Batches are a pure function of seed and step, however many processes share them."""

import dataclasses
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from arc_solver.config import TrainConfig
from arc_solver.domains.protocols import Bytes, Canvas, Codes, TrainingData
from arc_solver.training.batches import Batches, slots_of, slots_per_canvas
from arc_solver.training.slots import Batch
from tests.arc_solver.tiny import CPU, TRAIN, preset, run

CONFIG = TrainConfig(batch_size=11, exploration=0.4, max_age=16, seed=7)


class Counting:
    """TrainingData whose examples are their own numbers."""

    canvases: tuple[Canvas, ...] = ((2, 2), (3, 3))
    sizes = (5, 2)
    fingerprint = "counting"

    def paint(self, group: int, first: int, tokens: Bytes, targets: Bytes, codes: Codes) -> None:
        codes[:] = 1000 * group + np.arange(first, first + len(codes))[:, None]
        tokens[:] = codes[:, :1] % 251
        targets[:] = 1


def painted(config: TrainConfig, step: int, world: int = 1) -> list[list[Batch]]:
    """The batches of every process."""
    return [Batches(Counting(), config, CPU, rank=rank, world=world).paint(step) for rank in range(world)]


def equal(a: list[Batch], b: list[Batch]) -> bool:
    # The last field, dense labels, is None here.
    return all(
        torch.equal(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p[:-1], q[:-1], strict=True)
    )


@given(
    sizes=st.lists(st.integers(1, 500), min_size=1, max_size=7),
    batch_size=st.integers(1, 300),
)
@settings(max_examples=200)
def test_slots_per_canvas_laws(sizes: list[int], batch_size: int) -> None:
    given_slots = slots_per_canvas(tuple(sizes), batch_size)
    total = max(batch_size, len(sizes))
    assert sum(given_slots) == total
    assert min(given_slots) >= 1
    order = np.argsort(sizes, kind="stable")
    assert (np.diff(np.array(given_slots)[order]) >= -1).all()
    shares = [size / sum(sizes) * total for size in sizes]
    if min(shares) >= 1:
        assert all(abs(n - share) < 1 for n, share in zip(given_slots, shares, strict=True))


def test_canvases_share_a_batch_by_the_number_of_puzzles_or_by_their_time() -> None:
    by_number = dataclasses.replace(CONFIG, batch_size=14)
    by_time = dataclasses.replace(by_number, equal_time=True)  # 5 / 4 and 2 / 9 of a cell
    assert slots_of(Counting(), by_number) == (10, 4)
    assert slots_of(Counting(), by_time) == (12, 2)
    assert Batches(Counting(), by_time, CPU).global_slots == (12, 2)


def test_slots_per_canvas_by_hand() -> None:
    assert slots_per_canvas((1,), 5) == (5,)
    assert slots_per_canvas((3, 1), 8) == (6, 2)
    assert slots_per_canvas((1000, 1, 1), 10) == (8, 1, 1)
    assert slots_per_canvas((1, 1, 1), 2) == (1, 1, 1)


def test_steps_follow_each_other_without_a_gap() -> None:
    numbers: list[list[int]] = [[], []]
    for step in range(4):
        for group, batch in enumerate(painted(CONFIG, step)[0]):
            numbers[group] += batch.codes[:, 0].tolist()
    for group, seen in enumerate(numbers):
        assert seen == list(range(1000 * group, 1000 * group + len(seen)))


@pytest.mark.parametrize("world", [2, 3, 5])
def test_slices_of_the_processes_are_the_batch_of_one(world: int) -> None:
    for step in (0, 1, 17):
        whole = painted(CONFIG, step)[0]
        shares = painted(CONFIG, step, world)
        together = [
            Batch(*(torch.cat(parts) for parts in zip(*(share[group][:-1] for share in shares), strict=True)))
            for group in range(2)
        ]
        assert equal(whole, together), (world, step)


def test_painting_ahead_changes_nothing() -> None:
    batches = Batches(Counting(), CONFIG, CPU)
    ahead = list(islice(batches.from_step(3), 3))
    assert all(equal(found, batches.paint(3 + i)) for i, found in enumerate(ahead))


def test_real_examples_are_a_function_of_seed_and_step() -> None:
    a, b = run(preset()), run(preset())
    for step in (5, 0):
        assert equal(a.state.batches.paint(step), b.state.batches.paint(step))
    other = run(preset(train=dataclasses.replace(TRAIN, seed=1)))
    assert not equal(a.state.batches.paint(0), other.state.batches.paint(0))
    assert not equal(a.state.batches.paint(0), a.state.batches.paint(1))


def test_exploration_gives_the_chosen_share_an_age_from_two_on() -> None:
    config = dataclasses.replace(CONFIG, batch_size=4000, exploration=0.1)
    least = torch.cat([batch.least_age for batch in painted(config, 2)[0]])
    chosen = least[least > 0]
    assert 0.08 < len(chosen) / len(least) < 0.12
    assert set(chosen.tolist()) == set(range(2, 17))
    other = torch.cat([batch.least_age for batch in painted(config, 3)[0]])
    assert not torch.equal(least, other)


def test_no_exploration_and_a_single_age() -> None:
    none = dataclasses.replace(CONFIG, exploration=0.0)
    assert not any(batch.least_age.any() for batch in painted(none, 0)[0])
    single = dataclasses.replace(CONFIG, max_age=1, exploration=1.0)
    assert all((batch.least_age == 2).all() for batch in painted(single, 0)[0])


def test_a_task_brings_all_its_pairs_under_one_view() -> None:
    train = dataclasses.replace(TRAIN, all_pairs=True, batch_size=27, num_views=50)
    data = run(preset(train=train)).data  # three tasks of three pairs, two of them on the first canvas
    assert data.sizes == (6, 3)
    one, two = (painted_of(data, train, world) for world in (1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    for codes in one:
        visits = codes.view(-1, 3, 12)
        assert torch.equal(visits, visits[:, :1].expand_as(visits))
        assert len(codes[:, 0].unique()) > len(visits) // 2


def painted_of(data: TrainingData, train: TrainConfig, world: int) -> list[Tensor]:
    """The codes of a step on every canvas, those of all processes joined."""
    parts = [Batches(data, train, CPU, rank=rank, world=world).paint(3) for rank in range(world)]
    return [torch.cat([part[group].codes for part in parts]) for group in range(len(data.sizes))]
