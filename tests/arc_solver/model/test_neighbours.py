"""Cells meet their four neighbors and nobody else; walls neither give nor receive."""

import dataclasses

import pytest
import torch
from torch import Tensor

from arc_solver.config import ConfigError
from arc_solver.model.mixers import Neighbours
from arc_solver.model.positions import Canvas
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.settings import with_values

INNER, MAXIMA, SIDE = 6, 2, 4
PRESET = find_preset("cpu-maze").model
WALL, FREE = 1, 2


def mixer() -> Neighbours:
    """Of INNER channels."""
    config = dataclasses.replace(
        PRESET, width=4, num_heads=1, rounding=1, expansion=2.25, maxima=MAXIMA / INNER
    )
    return Neighbours(config, None, torch.Generator().manual_seed(0)).requires_grad_(False)


def met(board: Tensor, free: Tensor) -> Tensor:
    return mixer()(board.flatten(1, 2), Canvas(0, SIDE, SIDE, None, free)).view_as(board)


def told(board: Tensor, free: Tensor) -> Tensor:
    return mixer().summary(board.flatten(1, 2), Canvas(0, SIDE, SIDE, None, free))[:, 0]


def random_board(seed: int = 1) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(2, SIDE, SIDE, INNER, generator=draw), torch.rand(
        2, SIDE, SIDE, 1, generator=draw
    ) < 0.7


def slowly(neighbours: Neighbours, board: Tensor, free: Tensor) -> Tensor:
    """The definition, a cell at a time."""
    out = torch.zeros_like(board)
    for row in range(board.shape[0]):
        for i in range(SIDE):
            for j in range(SIDE):
                if not free[row, i, j]:
                    continue
                cell = board[row, i, j]
                sums, maxima = cell[: INNER - MAXIMA].clone(), cell[INNER - MAXIMA :].clone()
                for direction, (di, dj) in enumerate(((1, 0), (0, -1), (0, 1), (-1, 0))):
                    y, x = i + di, j + dj
                    if 0 <= y < SIDE and 0 <= x < SIDE and free[row, y, x]:
                        near = board[row, y, x]
                        sums += near[: INNER - MAXIMA] * neighbours.weight[direction, 0]
                        maxima = torch.maximum(maxima, near[INNER - MAXIMA :])
                out[row, i, j] = torch.cat((sums, maxima))
    return out


def test_it_is_a_weighted_sum_and_a_maximum_over_free_neighbors() -> None:
    board, free = random_board()
    assert 0 < int(free.sum()) < free.numel()
    torch.testing.assert_close(met(board, free), slowly(mixer(), board, free))


def test_what_stands_in_walls_changes_nothing() -> None:
    board, free = random_board()
    other = torch.where(free, board, 1e3)
    assert torch.equal(met(board, free), met(other, free))
    assert torch.equal(told(board, free), told(other, free))


def test_the_prefix_is_told_the_mean_and_the_largest_of_free_cells() -> None:
    board, free = random_board()
    heard = told(board, free)
    cells = [b[f[..., 0]] for b, f in zip(board, free, strict=True)]
    torch.testing.assert_close(heard[:, :-MAXIMA], torch.stack([c[:, :-MAXIMA].mean(0) for c in cells]))
    assert torch.equal(heard[:, -MAXIMA:], torch.stack([c[:, -MAXIMA:].amax(0) for c in cells]))


def maze_logits(model: Model, tokens: Tensor, ages: int) -> Tensor:
    side = int(tokens.shape[1] ** 0.5)
    carry, codes = model.first_carry(len(tokens), 1 + tokens.shape[1]), torch.zeros(len(tokens), 12).int()
    for _ in range(ages):
        output = model(tokens, codes, carry, (side, side))
        carry = output.carry
    return output.logits


def test_news_goes_round_walls_and_one_cell_in_each_update() -> None:
    model = Model(PRESET).requires_grad_(False)
    side = 9
    tokens = torch.full((1, side * side), FREE, dtype=torch.uint8)
    tokens[0, side : 2 * side] = WALL  # the second row is a wall but for its last cell
    tokens[0, 2 * side - 1] = FREE
    changed = tokens.clone()
    changed[0, 0] = 4
    far = 2 * side  # below the changed cell: 18 moves round the wall, 2 through it
    per_age = PRESET.latent_steps + 1
    for ages, reaches in ((17 // per_age, False), (5, True)):
        same = torch.equal(
            maze_logits(model, tokens, ages)[0, far], maze_logits(model, changed, ages)[0, far]
        )
        assert same is not reaches, ages


def test_any_side_is_taken_and_hints_are_told_while_training_alone() -> None:
    model = Model(PRESET)
    for side in (5, 8):
        tokens = torch.full((2, side * side), FREE, dtype=torch.uint8)
        carry = model.first_carry(2, 1 + side * side)
        hinted = model(tokens, torch.zeros(2, 12).int(), carry, (side, side)).hints
        assert hinted is not None
        assert hinted.shape == (2, side * side, PRESET.hints)
        with torch.no_grad():
            assert model(tokens, torch.zeros(2, 12).int(), carry, (side, side)).hints is None


def test_a_head_for_hints_changes_no_other_weight() -> None:
    plain = Model(dataclasses.replace(PRESET, hints=0)).state_dict()
    hinted = Model(PRESET).state_dict()
    assert set(hinted) - set(plain) == {"hint_head.weight"}
    assert all(torch.equal(hinted[name], t) for name, t in plain.items())


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"neighbours": False}, "leave every cell alone"),
        ({"maxima": 1.5}, r"maxima=1\.5"),
        ({"wall_token": 6}, "wall_token=6"),
        ({"neighbours": False, "convolution": 3, "maxima": 0.0}, "are for neighbours among"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        with_values(PRESET, fields)
