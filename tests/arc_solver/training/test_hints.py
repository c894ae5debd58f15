"""Supervision asks for nothing before it can be known, and a run with dense labels goes on exactly."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from arc_solver.config import ConfigError, Preset
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardTraining
from arc_solver.domains.maze.domain import MAZE as DOMAIN
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.protocols import NEVER, NOT_ASKED
from arc_solver.model.trm import Model, Output
from arc_solver.presets import find_preset
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.training.hints import HintTensors, Reach, asked_targets, due_targets, give_up, hint_loss
from arc_solver.training.run_checkpoint import resume, save_state
from arc_solver.training.slots import Slots
from arc_solver.training.state import TrainState
from arc_solver.training.step import train_step
from tests.arc_solver.tiny import CPU

MAZE = find_preset("cpu-maze")
RECIPE: Preset = dataclasses.replace(
    MAZE, train=dataclasses.replace(MAZE.train, batch_size=4, max_age=4, compile="off", steps=6)
)
FREE, PATH, PAD = 2, 5, 0
HINTS = HintTensors(
    torch.tensor([[3, 1, 2, 0, 0]], dtype=torch.uint8),
    torch.tensor([[4, 9, 30, NEVER, NOT_ASKED]], dtype=torch.int32),
    torch.tensor([[0, 5, 30, 14, NOT_ASKED]], dtype=torch.int32),
)
TARGETS = torch.tensor([[FREE, PATH, PATH, PATH, 1]], dtype=torch.uint8)
TOKENS = torch.tensor([[FREE, FREE, FREE, FREE, 1]], dtype=torch.uint8)


def mazes() -> BoardSet:
    return generate_mazes(20, 6, np.random.default_rng(0), min_moves=4)


def started(recipe: Preset = RECIPE) -> TrainState:
    data = BoardTraining(DOMAIN.kind, mazes(), recipe.train)
    return TrainState(Model(recipe.model), data, recipe.train, CPU)


def test_news_travels_a_move_in_every_update() -> None:
    reach = Reach.of(MAZE.model, None, torch.tensor([1, 3]))
    assert reach.sure.flatten().tolist() == [2, 12]
    assert reach.most.flatten().tolist() == [4, 14]
    assert Reach.of(MAZE.model, (2, 3), torch.tensor([3])).most.item() == 23


def test_targets_are_due_once_they_can_be_known() -> None:
    reach = Reach.of(MAZE.model, None, torch.tensor([3]))
    assert due_targets(HINTS, TARGETS, TOKENS, reach).tolist() == [[FREE, PATH, FREE, PAD, PAD]]
    assert asked_targets(HINTS, TARGETS).tolist() == [[FREE, PATH, PATH, PATH, PAD]]


def test_hints_are_due_once_they_can_be_known() -> None:
    logits = torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(0))
    reach = Reach.of(MAZE.model, None, torch.tensor([3]))
    # Known, just known, not yet to be known, never to be known; the last is not asked.
    wanted = torch.tensor([3, 1, 0, 0])
    expected = F.cross_entropy(logits[0, :4], wanted)
    torch.testing.assert_close(hint_loss(logits, HINTS, reach), expected[None])
    early = Reach.of(MAZE.model, None, torch.tensor([1]))
    torch.testing.assert_close(
        hint_loss(logits, HINTS, early), F.cross_entropy(logits[0, 1:4], torch.tensor([0, 0, 0]))[None]
    )


def test_slots_take_the_hints_of_their_example() -> None:
    state = started()
    batch = state.batches.paint(0)[0]
    state.slots[0].refill(batch)
    assert state.slots[0].hints is not None
    assert batch.hints is not None
    assert torch.equal(state.slots[0].hints.label_moves, batch.hints.label_moves)
    assert int(batch.hints.labels.max()) == 4
    state.slots[0].halted[:] = torch.tensor([True, False, False, False])
    later = state.batches.paint(1)[0]
    state.slots[0].refill(later)
    assert later.hints is not None
    assert torch.equal(state.slots[0].hints.target_moves[0], later.hints.target_moves[0])
    assert torch.equal(state.slots[0].hints.target_moves[1], batch.hints.target_moves[1])


def test_first_examples_leave_one_after_the_other() -> None:
    model = Model(RECIPE.model)
    slots = Slots(model, 4, (6, 6), CPU, hinted_age=4)
    batch = started().batches.paint(0)[0]
    output = Output(torch.zeros(0), torch.full((4,), -1.0), slots.carry)
    ages = []
    for _ in range(4):
        slots.refill(batch)
        slots.advance(output, batch.least_age, 4, ages=2)
        ages.append(slots.halted.tolist())
    # max_age is 4 and a step has two ages: slots leave at 1, 2, 3 and 4, then every fourth age.
    assert ages == [
        [True, True, False, False],
        [False, False, True, True],
        [True, True, False, False],
        [False, False, True, True],
    ]


def test_what_is_wrong_though_long_due_is_give_up() -> None:
    """Cells 1 and 2 are of the path; the news of cell 2 has not come yet, cell 3 is never told."""
    reach = Reach.of(MAZE.model, None, torch.tensor([3]))
    right_hints, right = F.one_hot(HINTS.labels.long(), 5).float(), F.one_hot(TARGETS.long(), 6).float()

    def left(cell: int, label: int, token: int | None = None) -> tuple[list[int], bool]:
        hints, logits = right_hints.clone(), right.clone()
        hints[0, cell] = F.one_hot(torch.tensor(label), 5).float()
        if token is not None:
            logits[0, cell] = F.one_hot(torch.tensor(token), 6).float()
        found = HintTensors(*(t.clone() for t in HINTS))
        lost = give_up(logits, hints, found, TARGETS, reach)
        assert torch.equal(found.target_moves, HINTS.target_moves)
        return found.label_moves[0].tolist(), bool(lost)

    moves = HINTS.label_moves[0].tolist()
    assert left(0, 3) == (moves, False)
    assert left(0, 4) == ([NOT_ASKED, *moves[1:]], False)  # beside the path: the row goes on
    assert left(1, 2) == ([moves[0], NOT_ASKED, *moves[2:]], True)
    assert left(2, 1) == left(3, 1) == left(4, 1) == (moves, False)
    assert left(0, 3, PATH)[1]  # marked though free
    assert left(1, 1, FREE)[1]
    assert not left(2, 2, FREE)[1]


def test_a_lost_row_makes_room() -> None:
    slots = Slots(Model(RECIPE.model), 4, (6, 6), CPU)
    lost = torch.tensor([False, True, False, True])
    slots.advance(
        Output(torch.zeros(0), torch.full((4,), -1.0), slots.carry), torch.full((4,), 9), 9, lost=lost
    )
    assert torch.equal(slots.halted, lost)
    state = started()
    train_step(state, state.batches.paint(0), dataclasses.replace(RECIPE.train, max_age=99), 0.0)
    assert state.slots[0].halted.all()  # weights that know nothing lose their path at once


def steps(state: TrainState, until: int) -> TrainState:
    while state.step < until:
        train_step(state, state.batches.paint(state.step), RECIPE.train, 1.0)
    return state


def test_a_run_with_hints_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = steps(started(), 6).tensors()
    half = steps(started(), 3)
    puzzles = PuzzleMap("rows")
    save_state(tmp_path, half, RECIPE, puzzles, half.batches.data, {})
    later = started()
    assert resume(tmp_path, later, RECIPE, later.batches.data, lambda text: None) is not None
    assert later.step == 3
    found = steps(later, 6).tensors()
    assert found.keys() == whole.keys()
    assert "slots.0.label_moves" in found
    assert all(torch.equal(found[name], t) for name, t in whole.items())


def test_hints_reach_the_weights() -> None:
    plain = dataclasses.replace(RECIPE, train=dataclasses.replace(RECIPE.train, hint_weight=0.0))
    with_hints, without = started(), started(plain)
    before = with_hints.model.hint_head.weight.detach().clone()
    train_step(with_hints, with_hints.batches.paint(0), RECIPE.train, 1.0)
    assert not torch.equal(with_hints.model.hint_head.weight, before)
    train_step(without, without.batches.paint(0), plain.train, 1.0)
    assert without.slots[0].hints is None
    assert not torch.equal(without.model.head.weight, with_hints.model.head.weight)


def test_paths_by_another_rule_have_no_dense_labels() -> None:
    turned = mazes()
    upside_down = BoardSet(
        "maze", turned.questions[:, ::-1].copy(), turned.answers[:, ::-1].copy(), turned.ratings
    )
    with pytest.raises(DataError, match="answers by another rule than theirs"):
        BoardTraining(DOMAIN.kind, upside_down, RECIPE.train)


def test_hints_need_a_head() -> None:
    with pytest.raises(ConfigError, match="set hints to the number of dense labels"):
        dataclasses.replace(RECIPE, model=dataclasses.replace(RECIPE.model, hints=0))
