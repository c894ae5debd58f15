"""Operations are those that torch counts in what really runs."""

import dataclasses

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from arc_solver.config import ModelConfig
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.model.flops import evaluations, layer_flops, step_flops
from arc_solver.model.mixers import GroupSums
from arc_solver.model.trm import Model
from arc_solver.training.loss import supervision_loss

TINY = ModelConfig(width=32, num_heads=2, rounding=16, cycles=2, latent_steps=2, prefix_length=2)
CONFIGS = {
    "attention": dataclasses.replace(TINY, num_layers=3),
    "mixer": dataclasses.replace(TINY, mixers=("position_mlp",), length=16, positions="none"),
    "convolution": dataclasses.replace(
        TINY, mixers=("position_mlp", "convolution"), length=16, positions="none"
    ),
    "convolution alone": dataclasses.replace(TINY, mixers=("convolution",), positions="none"),
    "peers alone": dataclasses.replace(TINY, mixers=("group_sums",), positions="none", length=16),
    "last": dataclasses.replace(TINY, gradient="last", networks=2, latent_steps=3),
}
ROWS, SIDE = 3, 4


@pytest.mark.parametrize("name", CONFIGS)
def test_counts_are_those_of_torch(name: str) -> None:
    config = CONFIGS[name]
    model = Model(config, groups=SUDOKU.groups(SIDE * SIDE))
    each = ROWS * evaluations(config)[0] * config.num_layers
    tokens = torch.ones(ROWS, SIDE * SIDE, dtype=torch.uint8)
    codes = torch.zeros(ROWS, 12, dtype=torch.int32)
    carry = model.first_carry(ROWS, config.prefix + SIDE * SIDE)
    with FlopCounterMode(display=False) as forward:
        output = model(tokens, codes, carry, (SIDE, SIDE))
    with FlopCounterMode(display=False) as backward:
        supervision_loss(output, tokens).total.backward()
    head = 2.0 * ROWS * SIDE * SIDE * config.width * config.vocabulary
    counted = forward.get_total_flops() - head - each * sums_as_products(model)
    assert counted == pytest.approx(
        each * layer_flops(config, config.prefix + SIDE * SIDE), rel=unseen(config)
    )
    if "convolution" in config.mixers:
        return  # torch counts the gradient of depthwise kernels as if every channel met every other
    trained = ROWS * evaluations(config)[1] * config.num_layers
    both = counted + backward.get_total_flops() - 2 * head - trained * sums_as_products(model)
    assert both == pytest.approx(step_flops(config, {SIDE * SIDE: ROWS}), rel=unseen(config))


def sums_as_products(model: Model) -> float:
    """What torch counts for the sums of groups, which are products with zeros and ones, per row and layer."""
    found = 0.0
    for module in model.modules():
        if isinstance(module, GroupSums):
            groups, cells = module.members.shape
            inner = module.weight.shape[-1]
            found = 4.0 * groups * cells * inner + 2.0 * module.scales.numel() * inner / ROWS
    return found


def unseen(config: ModelConfig) -> float:
    """The share that torch does not see: on a CPU the products within attention."""
    positions = config.prefix + SIDE * SIDE
    return 1e-9 if "attention" not in config.mixers else 1.5 * positions / (4 * config.width)


def test_rows_and_canvases_add_up() -> None:
    both = step_flops(TINY, {49: 2, 121: 3})
    assert step_flops(TINY, {49: 2, 121: 3}, ages=4) == 4 * both
    assert both == 2 * step_flops(TINY, {49: 1}) + 3 * step_flops(TINY, {121: 1})
    assert step_flops(TINY, {49: 1}, depth=(1, 1)) == pytest.approx(step_flops(TINY, {49: 1}) * 6 / 12)
