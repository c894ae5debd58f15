"""Symbols as an axis: the network written out once more, and what it must not be able to tell apart."""

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from arc_solver.config import ConfigError, ModelConfig
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.model.symbols import IMPOSSIBLE
from arc_solver.model.trm import Carry, Model, Output
from arc_solver.settings import from_mapping
from augment.sudoku import BOX_SHAPES
from tests.arc_solver.tiny import lively

ROWS = 3
Array = npt.NDArray[np.float64]


def config(side: int) -> ModelConfig:
    return ModelConfig(
        vocabulary=side + 2,
        mixers=("group_sums",),
        positions="none",
        embedding="none",
        symbols=True,
        length=side * side,
        width=8,
        num_heads=2,
        rounding=4,
        num_layers=1,
        cycles=1,
        latent_steps=2,
    )


def lively_model(side: int) -> Model:
    """Large sums, so that what passes along a group is no rounding error in the answer."""
    model = lively(Model(config(side), seed=3, groups=SUDOKU.groups(side * side)))
    with torch.no_grad():
        model.latent_blocks[0].feed_forward.group_sums.weight.mul_(4)
    return model


def boards(side: int, seed: int) -> npt.NDArray[np.int64]:
    """Random cells (ROWS, side²), half of them blank; whether they keep the rules does not matter."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(1, side + 1, (ROWS, side * side))
    return np.where(rng.random(cells.shape) < 0.5, cells, 0)


def asked(model: Model, cells: npt.NDArray[np.int64], ages: int = 2) -> Output:
    side = int(cells.shape[1] ** 0.5)
    tokens = torch.from_numpy(cells + 1).to(torch.uint8)
    codes = torch.zeros(len(cells), 12, dtype=torch.int32)
    carry = model.first_carry(len(cells), model.config.num_positions(cells.shape[1]))
    with torch.no_grad():
        for _ in range(ages):
            output = model(tokens, codes, carry, (side, side))
            carry = output.carry
    return output


def norm(h: Array) -> Array:
    return h / np.sqrt((h * h).mean(axis=-1, keepdims=True) + 1e-5)


class Reference:
    """One board in numpy: positions are a dictionary by (row, column, symbol), every sum is written out."""

    def __init__(self, model: Model, side: int) -> None:
        self.weights = {name: t.double().numpy() for name, t in model.state_dict().items()}
        self.side, self.steps = side, model.config.latent_steps
        high, wide = BOX_SHAPES[side]
        self.places = list(itertools.product(range(side), range(side), range(side)))
        self.kinds = (
            lambda r, c, s: (r, s),
            lambda r, c, s: (c, s),
            lambda r, c, s: (r // high, c // wide, s),
            lambda r, c, s: (r, c),
        )

    def block(self, h: Array) -> Array:
        name = "latent_blocks.0.feed_forward"
        gate, up = np.split(h @ self.weights[f"{name}.gate_up.weight"].T, 2, axis=1)
        hidden = gate / (1 + np.exp(-gate)) * up
        mixed = hidden.copy()
        for kind, weight in zip(self.kinds, self.weights[f"{name}.group_sums.weight"][:, 0], strict=True):
            sums: dict[tuple[int, ...], Array] = {}
            for place, vector in zip(self.places, hidden, strict=True):
                sums[kind(*place)] = sums.get(kind(*place), 0) + vector
            mixed += np.stack([sums[kind(*place)] for place in self.places]) * weight / self.side**0.5
        return norm(h + mixed @ self.weights[f"{name}.down.weight"].T)

    def logits(self, cells: npt.NDArray[np.int64], ages: int) -> tuple[Array, Array]:
        """(cells, symbols) and the halting logit after so many ages."""
        given = cells.reshape(self.side, self.side)
        roles = self.weights["symbols.roles"]
        x = np.stack(
            [roles[0 if not given[r, c] else 1 if given[r, c] == s + 1 else 2] for r, c, s in self.places]
        )
        y = np.tile(self.weights["first_answer"], (len(x), 1))
        z = np.tile(self.weights["first_latent"], (len(x), 1))
        for _ in range(ages):
            for _ in range(self.steps):
                z = self.block(z + y + x)
            y = self.block(y + z)
        halt = y.mean(axis=0) @ self.weights["halt_weight"].T + self.weights["halt_bias"]
        return (y @ self.weights["head.weight"][0]).reshape(len(cells), self.side), halt


@pytest.mark.parametrize("side", [4, 6])
def test_the_network_is_the_one_written_out(side: int) -> None:
    model, cells = lively_model(side), boards(side, seed=side)
    output = asked(model, cells)
    reference = Reference(model, side)
    for row in range(ROWS):
        logits, halt = reference.logits(cells[row], ages=2)
        blank = cells[row] == 0
        np.testing.assert_allclose(output.logits[row][blank][:, 2:], logits[blank], atol=3e-4)
        np.testing.assert_allclose(output.halt[row], halt[0], atol=3e-4)


def test_givens_are_answered_as_given_and_no_cell_stays_empty() -> None:
    cells = boards(9, seed=1)
    output = asked(lively_model(9), cells)
    answer = output.logits.argmax(dim=-1).numpy() - 1
    assert (answer[cells > 0] == cells[cells > 0]).all()
    assert answer.min() >= 1
    assert (output.logits[..., :2] == IMPOSSIBLE).all()


@pytest.mark.parametrize("side", [4, 6, 9])
def test_renamed_symbols_give_the_answer_renamed(side: int) -> None:
    model, cells = lively_model(side), boards(side, seed=2)
    new = np.concatenate([[0], 1 + np.random.default_rng(side).permutation(side)])
    before, after = asked(model, cells), asked(model, new[cells])
    order = torch.from_numpy(np.concatenate([[0], new[1:]]) + 1)
    torch.testing.assert_close(after.logits[:, :, order], before.logits[:, :, 1:], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(after.halt, before.halt, atol=1e-4, rtol=1e-4)
    assert spread(before.logits) > 0.05


@pytest.mark.parametrize("side", [4, 6, 9])
@pytest.mark.parametrize("kind", ["rows within a band", "bands", "columns within a stack", "stacks"])
def test_exchanged_lines_give_the_answer_exchanged(side: int, kind: str) -> None:
    high, wide = BOX_SHAPES[side]
    lines = np.arange(side).reshape(-1, high if "band" in kind else wide)
    lines = (lines[::-1] if kind in ("bands", "stacks") else lines[:, ::-1]).reshape(-1)
    board = np.arange(side * side).reshape(side, side)
    order = (board[lines] if "band" in kind else board[:, lines]).reshape(-1)
    follow(side, order)


@pytest.mark.parametrize("side", [4, 6, 9])
def test_a_line_that_leaves_its_band_is_another_question(side: int) -> None:
    """So the tests above could fail: boxes are told apart."""
    order = np.arange(side * side).reshape(side, side)
    order[[0, side - 1]] = order[[side - 1, 0]]
    with pytest.raises(AssertionError):
        follow(side, order.reshape(-1))


def follow(side: int, order: npt.NDArray[np.int64]) -> None:
    """The answer to the cells taken in `order` is the answer to the cells, taken in that order."""
    model, cells = lively_model(side), boards(side, seed=4)
    before, after = asked(model, cells), asked(model, cells[:, order])
    moved = before.logits[:, torch.from_numpy(order)]
    torch.testing.assert_close(after.logits, moved, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(after.halt, before.halt, atol=1e-3, rtol=1e-4)


def spread(logits: Tensor) -> float:
    """How far apart the logits of blank cells are: tests on equal numbers would say nothing."""
    open_cells = logits[logits[..., 2:].amin(dim=-1) > IMPOSSIBLE]
    return float(open_cells[:, 2:].std())


def test_the_carry_is_one_position_for_each_cell_and_symbol() -> None:
    model = lively_model(6)
    assert model.config.num_positions(36) == 216
    assert isinstance(asked(model, boards(6, 1)).carry, Carry)
    assert asked(model, boards(6, 1)).carry.answer.shape == (ROWS, 216, 8)


@pytest.mark.parametrize(
    "bad",
    [
        {"peers": False, "convolution": 3},
        {"mixer": "attention"},
        {"embedding": "rows"},
        {"mixers": ("group_sums", "convolution")},
        {"positions": "learned"},
    ],
)
def test_what_symbols_cannot_be_joined_with_is_told(bad: dict[str, object]) -> None:

    values = {f.name: getattr(config(9), f.name) for f in dataclasses.fields(ModelConfig)} | bad
    with pytest.raises(ConfigError, match="symbols=true"):
        from_mapping(ModelConfig, values)


def test_the_forward_is_one_graph_to_the_compiler() -> None:
    """A graph that breaks in the block costs more than half of the speed."""
    model = lively_model(4)
    cells = torch.from_numpy(boards(4, seed=5) + 1).to(torch.uint8)
    codes = torch.zeros(ROWS, 12, dtype=torch.int32)
    carry = model.first_carry(ROWS, model.config.num_positions(16))
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    ours, theirs = compiled(cells, codes, carry, (4, 4)), model(cells, codes, carry, (4, 4))
    torch.testing.assert_close(ours.logits, theirs.logits, atol=1e-4, rtol=1e-4)
