"""Logits of a small checkpoint as the published formula gives them, kept as numbers.

They were computed in float64 by the functions of `published_model`, apart from the rotary table: float32 as
published, `1 / 10000 ** (arange(0, d, 2) / d)`. On ARC's 916 positions, with queries and keys three times as
large as drawn, a table by `exp` is off by 2.7e-4, rounding to float32 by 1.7e-5.
"""

import math

import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.convert.convert import Choices
from arc_solver.checkpoints.convert.layout import adopt
from arc_solver.checkpoints.convert.published_config import PublishedConfig
from arc_solver.model.positions import rotary_table
from arc_solver.model.trm import Model

WIDTH, INNER, HEADS, LAYERS, PREFIX, SIDE, ROWS = 128, 384, 2, 2, 16, 30, 3
TOLERANCE = 5e-5
HALTS = (-1.255031, -2.568096)
LOGITS = {
    0: (
        -1.190045,
        -0.393712,
        0.274568,
        0.362233,
        -0.542139,
        -0.890050,
        0.081682,
        0.745589,
        -0.127510,
        -0.261066,
        0.010328,
        0.277488,
    ),
    142: (
        -0.254992,
        -0.565942,
        -0.348836,
        -0.446683,
        -0.665642,
        -0.133109,
        0.764087,
        0.300788,
        -0.086057,
        -0.443162,
        -0.800408,
        0.599660,
    ),
    227: (
        -0.680114,
        -0.238068,
        0.476522,
        0.198306,
        -0.599882,
        -0.736401,
        0.304460,
        1.014601,
        -0.231856,
        -0.220847,
        -0.518466,
        0.275071,
    ),
    264: (
        -0.885562,
        0.108007,
        0.451277,
        -0.114658,
        -0.339926,
        -0.902879,
        0.334819,
        0.877797,
        -0.520606,
        0.076567,
        -0.390602,
        -0.091186,
    ),
    501: (
        -1.362935,
        -0.221771,
        0.643010,
        -0.296526,
        0.028733,
        -0.402022,
        -0.282837,
        0.903742,
        0.236574,
        0.306635,
        -0.208755,
        0.000490,
    ),
    613: (
        -0.017954,
        -0.692471,
        0.328914,
        -0.977098,
        -0.849837,
        -0.515526,
        -0.247118,
        0.448516,
        0.009552,
        -0.201549,
        -0.255587,
        0.225093,
    ),
    757: (
        -0.094720,
        -0.123254,
        0.217457,
        -0.504740,
        -0.826748,
        -0.854225,
        -0.502857,
        0.846959,
        0.031084,
        0.048342,
        -0.088952,
        0.010739,
    ),
    866: (
        0.122099,
        -0.433107,
        -0.086474,
        -0.607565,
        -1.055552,
        -0.925797,
        -0.429203,
        0.473246,
        -0.026233,
        0.281225,
        0.189321,
        0.024041,
    ),
    899: (
        -0.581064,
        -0.035081,
        0.606267,
        0.146909,
        -0.340660,
        -0.367941,
        0.283347,
        0.953853,
        -0.458168,
        -0.235595,
        -0.154329,
        0.302359,
    ),
}


def wave(*shape: int, seed: int) -> Tensor:
    """Numbers of standard deviation 1 that no generator has to give again."""
    k = torch.arange(1, math.prod(shape) + 1, dtype=torch.float64)
    turned = torch.sin(k * (1.6180339887 + seed * 0.7) + k * k * (0.0031 + seed * 1e-3))
    return (turned * math.sqrt(2)).reshape(shape)


def weights() -> dict[str, Tensor]:
    """A TRM of two layers under its published names."""
    root = math.sqrt(WIDTH)
    names = {
        "H_init": wave(WIDTH, seed=1),
        "L_init": wave(WIDTH, seed=2),
        "embed_tokens.embedding_weight": wave(12, WIDTH, seed=3) / root,
        "lm_head.weight": wave(12, WIDTH, seed=4) / root,
        "q_head.weight": wave(2, WIDTH, seed=5) / root,
        "q_head.bias": wave(2, seed=6),
        "puzzle_emb.weights": wave(ROWS, WIDTH, seed=7) / root,
    }
    for layer in range(LAYERS):
        place = f"L_level.layers.{layer}"
        qkv = wave(3 * WIDTH, WIDTH, seed=8 + layer) / root
        qkv[: 2 * WIDTH] *= 3
        names[f"{place}.self_attn.qkv_proj.weight"] = qkv
        names[f"{place}.self_attn.o_proj.weight"] = wave(WIDTH, WIDTH, seed=10 + layer) / root
        names[f"{place}.mlp.gate_up_proj.weight"] = wave(2 * INNER, WIDTH, seed=12 + layer) / root
        names[f"{place}.mlp.down_proj.weight"] = wave(WIDTH, INNER, seed=14 + layer) / math.sqrt(INNER)
    return {f"_orig_mod.model.inner.{name}": tensor.float() for name, tensor in names.items()}


def test_logits_are_the_published_ones_on_a_whole_canvas() -> None:
    choices = Choices(HEADS, PREFIX, cycles=1, latent_steps=1)
    adopted = adopt(weights(), choices, "golden", PublishedConfig())
    model = Model(adopted.config, num_rows=ROWS)
    model.load_state_dict(adopted.state)
    place = torch.arange(SIDE * SIDE)
    tokens = ((place * 7 + place**2 // 11) % 12).to(torch.uint8)[None]
    codes = torch.zeros(1, 12, dtype=torch.int32)
    codes[:, 0] = 2
    with torch.no_grad():
        output = model.eval()(tokens, codes, model.first_carry(1, PREFIX + SIDE * SIDE), (SIDE, SIDE))
    found = output.logits[0, list(LOGITS)]
    wanted = torch.tensor(list(LOGITS.values()))
    torch.testing.assert_close(found, wanted, rtol=0, atol=TOLERANCE)
    assert output.halt.item() == pytest.approx(HALTS[0], abs=TOLERANCE)


@pytest.mark.parametrize("head_width", [16, 32, 64, 128])
def test_the_rotary_table_is_the_published_one_to_the_bit(head_width: int) -> None:
    found = rotary_table("rotary1d", PREFIX, SIDE, SIDE, head_width)
    assert found is not None
    speeds = 1.0 / (10_000.0 ** (torch.arange(0, head_width, 2, dtype=torch.float32) / head_width))
    angles = torch.outer(torch.arange(PREFIX + SIDE * SIDE, dtype=torch.float32), speeds)
    both = torch.cat((angles, angles), dim=-1)
    assert torch.equal(found[0], both.cos())
    assert torch.equal(found[1], both.sin())
