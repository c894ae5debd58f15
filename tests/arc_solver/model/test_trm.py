"""The network against a plain float64 reference of the published description."""

import dataclasses
import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from arc_solver.config import ConfigError, Groups, ModelConfig
from arc_solver.domains.sudoku.domain import SUDOKU as DOMAIN
from arc_solver.domains.sudoku.rules import units
from arc_solver.model.layers import aligned_linear, truncated_normal
from arc_solver.model.layers import norm as model_norm
from arc_solver.model.trm import Carry, Model
from arc_solver.presets import find_preset
from tests.arc_solver.tiny import HRM, MODEL, lively

Array = npt.NDArray[np.float64]
HEIGHT, WIDTH = 3, 4
LENGTH = HEIGHT * WIDTH
ROWS = 3
CONFIGS = {
    "plain": MODEL,
    "one dimension": dataclasses.replace(MODEL, positions="rotary1d"),
    "no positions": dataclasses.replace(MODEL, positions="none"),
    "learned positions": dataclasses.replace(MODEL, positions="learned", length=LENGTH),
    "mlp": dataclasses.replace(MODEL, mixers=("position_mlp",), length=LENGTH),
    "long prefix": dataclasses.replace(MODEL, prefix_length=5, num_heads=4),
    "rows over several positions": dataclasses.replace(MODEL, prefix_length=4, row_width=3 * 16),
    "rows over parts of positions": dataclasses.replace(MODEL, prefix_length=4, row_width=23),
    "composed": dataclasses.replace(MODEL, embedding="composed", vocabulary=12),
    "no embedding": dataclasses.replace(MODEL, embedding="none"),
    "three cycles": dataclasses.replace(MODEL, cycles=3, latent_steps=1, num_layers=1),
    "two networks": dataclasses.replace(MODEL, networks=2),
    "no latent": dataclasses.replace(MODEL, num_latents=0, latent_steps=3),
    "three latents": dataclasses.replace(MODEL, num_latents=3, latent_steps=5),
    "convolution": dataclasses.replace(MODEL, mixers=("attention", "convolution"), prefix_length=2),
    "wide convolution in a mixer": dataclasses.replace(
        MODEL, mixers=("position_mlp", "convolution"), length=LENGTH, kernel_size=5
    ),
    "convolution alone": dataclasses.replace(MODEL, mixers=("convolution",), positions="none"),
    "hrm": HRM,
}
SUDOKU_SIDE = 6
GROUPS = DOMAIN.groups(SUDOKU_SIDE**2)
SUDOKU = dataclasses.replace(
    MODEL, vocabulary=8, mixers=("group_sums",), positions="none", length=SUDOKU_SIDE**2
)
BOARDS = {
    "peers alone": SUDOKU,
    "peers with attention": dataclasses.replace(SUDOKU, mixers=("attention", "group_sums"), prefix_length=3),
    "peers and convolution": dataclasses.replace(SUDOKU, mixers=("convolution", "group_sums")),
}
CONFIGS |= BOARDS


def shape(config: ModelConfig) -> tuple[int, int]:
    return (SUDOKU_SIDE, SUDOKU_SIDE) if "group_sums" in config.mixers else (HEIGHT, WIDTH)


class Reference:
    """The network in numpy, one row of the batch at a time, one head at a time, every sum written out."""

    def __init__(self, model: Model) -> None:
        self.config = model.config
        self.weights = {name: t.double().numpy() for name, t in model.state_dict().items()}
        self.height, self.across = shape(model.config)
        positions = model.config.prefix + self.height * self.across
        self.inner = {w: model.config.inner(w) for w in (model.config.width, positions)}

    def question(self, tokens: npt.NDArray[np.uint8], code: npt.NDArray[np.int32]) -> Array:
        c, w = self.config, self.weights
        prefix = np.zeros((c.prefix, c.width))
        if c.embedding == "rows":
            row = w["puzzle.rows"][code[0]]
            prefix.reshape(-1)[: len(row)] = row
        elif c.embedding == "composed":
            prefix[0] = w["puzzle.rows"][code[0]]
            prefix[1] = w["puzzle.dihedral"][code[1]]
            for old in range(10):
                new = code[2 + old]
                prefix[2 + old] = w["token_embedding"][2 + new] + w["puzzle.color_role"][old]
        x = np.concatenate([prefix, np.stack([w["token_embedding"][t] for t in tokens])])
        if c.positions == "learned":
            x = (x + w["position_embedding"]) / math.sqrt(2)
        return x * math.sqrt(c.width)

    def angle(self, position: int, pair: int) -> float:
        """How far pair number `pair` of a head's halves turns at a position."""
        c = self.config
        half = c.width // c.num_heads // 2
        if c.positions == "rotary1d":
            return position * 10_000 ** (-pair / half)
        cell = position - c.prefix
        if c.positions != "rotary2d" or cell < 0:
            return 0.0
        quarter = half // 2
        place = cell // self.across + 1 if pair < quarter else cell % self.across + 1
        return place * 10_000 ** (-(pair % quarter) / quarter)

    def turned(self, h: Array) -> Array:
        """One head (S, d): numbers i and i + d/2 are a pair that is rotated by its angle."""
        out, half = np.empty_like(h), h.shape[1] // 2
        for s in range(h.shape[0]):
            for i in range(half):
                angle = self.angle(s, i)
                a, b = h[s, i], h[s, i + half]
                out[s, i] = a * math.cos(angle) - b * math.sin(angle)
                out[s, i + half] = b * math.cos(angle) + a * math.sin(angle)
        return out

    def attention(self, h: Array, name: str) -> Array:
        d = self.config.width // self.config.num_heads
        qkv = h @ self.weights[f"{name}.qkv.weight"].T
        query, key, value = np.split(qkv, 3, axis=1)
        heads = []
        for start in range(0, self.config.width, d):
            q, k = self.turned(query[:, start : start + d]), self.turned(key[:, start : start + d])
            scores = np.exp(q @ k.T / math.sqrt(d))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, start : start + d])
        return np.concatenate(heads, axis=1) @ self.weights[f"{name}.out.weight"].T

    def swiglu(self, h: Array, name: str) -> Array:
        both = h @ self.weights[f"{name}.gate_up.weight"].T
        inner = self.inner[h.shape[1]]
        assert both.shape[1] == 2 * inner
        gate, up = both[:, :inner], both[:, inner:]
        hidden = gate / (1 + np.exp(-gate)) * up
        mean = hidden[self.config.prefix :].mean(axis=0)
        if f"{name}.convolution.weight" in self.weights:
            hidden = self.with_neighbors(hidden, self.weights[f"{name}.convolution.weight"])
        if f"{name}.group_sums.weight" in self.weights:
            hidden = self.with_peers(hidden, self.weights[f"{name}.group_sums.weight"])
        if {"attention", "position_mlp"}.isdisjoint(self.config.mixers):
            hidden[: self.config.prefix] += mean
        return hidden @ self.weights[f"{name}.down.weight"].T

    def with_neighbors(self, hidden: Array, kernels: Array) -> Array:
        """Each cell plus its weighted neighbors, one cell and one offset at a time; the prefix as it is."""
        out, reach = hidden.copy(), self.config.kernel_size // 2
        for row, column in itertools.product(range(self.height), range(self.across)):
            for down, right in itertools.product(range(-reach, reach + 1), repeat=2):
                near = (row + down, column + right)
                if 0 <= near[0] < self.height and 0 <= near[1] < self.across:
                    weights = kernels[:, down + reach, right + reach]
                    cell = self.config.prefix + near[0] * self.across + near[1]
                    out[self.config.prefix + row * self.across + column] += weights * hidden[cell]
        return out

    def with_peers(self, hidden: Array, weights: Array) -> Array:
        """Each cell of a Sudoku of side 6 plus the weighed sums over its row, its column and its box."""
        out, first = hidden.copy(), self.config.prefix
        places = list(itertools.product(range(SUDOKU_SIDE), repeat=2))
        units = (lambda r, c: r, lambda r, c: c, lambda r, c: (r // 2, c // 3))
        pairs = list(zip(units, weights[:, 0], strict=True))
        for (row, column), (unit, weight) in itertools.product(places, pairs):
            for other_row, other_column in places:
                if unit(row, column) == unit(other_row, other_column):
                    other = hidden[first + other_row * SUDOKU_SIDE + other_column]
                    out[first + row * SUDOKU_SIDE + column] += weight * other / math.sqrt(SUDOKU_SIDE)
        return out

    def network(self, h: Array, kind: str) -> Array:
        if kind == "answer" and self.config.networks == 1:
            kind = "latent"
        for layer in range(self.config.num_layers):
            name = f"{kind}_blocks.{layer}"
            if "attention" in self.config.mixers:
                h = norm(h + self.attention(h, f"{name}.attention"))
            elif "position_mlp" in self.config.mixers:
                h = norm(h.T + self.swiglu(h.T, f"{name}.position_mlp")).T
            h = norm(h + self.swiglu(h, f"{name}.feed_forward"))
        return h

    def forward(
        self, tokens: npt.NDArray[np.uint8], code: npt.NDArray[np.int32], y: Array, z: Array
    ) -> tuple[Array, Array, Array, Array]:
        c, x = self.config, self.question(tokens, code)
        for _ in range(c.cycles):
            if c.num_latents == 0:
                for _ in range(c.latent_steps + 1):
                    y = self.network(y + x, "latent")
            elif c.num_latents == 1:
                for _ in range(c.latent_steps):
                    z = self.network(z + y + x, "latent")
                y = self.network(y + z, "answer")
            else:
                z = z.copy()
                for i in range(c.latent_steps):
                    z[i % c.num_latents] = self.network(z.sum(axis=0) + y + x, "latent")
                y = self.network(y + z.sum(axis=0), "answer")
        logits = y[c.prefix :] @ self.weights["head.weight"].T
        halt = y[0] @ self.weights["halt_weight"].T + self.weights["halt_bias"]
        return logits, halt, y, z


def norm(h: Array) -> Array:
    return h / np.sqrt((h * h).mean(axis=-1, keepdims=True) + 1e-5)


def question(config: ModelConfig, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, config.vocabulary, (ROWS, math.prod(shape(config)))).astype(np.uint8)
    codes = np.zeros((ROWS, 12), np.int32)
    codes[:, 0] = rng.integers(0, 4, ROWS)
    codes[:, 1] = rng.integers(0, 8, ROWS)
    codes[:, 2:] = np.stack([rng.permutation(10) for _ in range(ROWS)])
    return torch.from_numpy(tokens), torch.from_numpy(codes)


@pytest.mark.parametrize("name", CONFIGS)
def test_two_forwards_equal_the_reference(name: str) -> None:
    config = CONFIGS[name]
    model = lively(Model(config, 4, 5, GROUPS))
    reference = Reference(model)
    tokens, codes = question(config, seed=8)
    carry = model.first_carry(ROWS, config.prefix + tokens.shape[1])
    states = [(c.double().numpy(), z.double().numpy()) for c, z in zip(*carry, strict=True)]
    for _ in range(2):
        output = model(tokens, codes, carry, shape(config))
        carry = output.carry
        for row in range(ROWS):
            logits, halt, y, z = reference.forward(tokens[row].numpy(), codes[row].numpy(), *states[row])
            states[row] = (y, z)
            # float32 drifts over the refinements; an error of kind shows in the first digit.
            close = {"rtol": 0, "atol": 3e-4}
            np.testing.assert_allclose(output.logits[row].detach(), logits, **close)
            np.testing.assert_allclose(np.atleast_1d(output.halt[row].detach()), halt, **close)
            np.testing.assert_allclose(carry.answer[row], y, **close)
            np.testing.assert_allclose(carry.latent[row], z, **close)


@pytest.mark.parametrize(("side", "height"), [(4, 2), (6, 2), (9, 3)])
def test_boxes_are_those_of_sudoku(side: int, height: int) -> None:
    found = DOMAIN.groups(side * side)
    assert found.shape == (side // height, height, height, side // height)
    cells = np.arange(side * side).reshape(found.shape)
    groups = [np.moveaxis(cells, axes, (-2, -1)).reshape(side, side) for axes in found.axes]
    for group, unit in zip(groups, np.split(units(side), 3), strict=True):
        assert {frozenset(cells.tolist()) for cells in group} == {frozenset(cells.tolist()) for cells in unit}


@pytest.mark.parametrize("length", [49, 80, 17])
def test_what_is_no_sudoku_has_no_groups(length: int) -> None:
    with pytest.raises(ConfigError, match=f"length={length}: .*16, 36 or 81"):
        DOMAIN.groups(length)
    for groups in (None, Groups((4, 4), ((0,), (1,)))):
        with pytest.raises(ConfigError, match=f"no groups of {length} cells"):
            Model(dataclasses.replace(SUDOKU, length=length), groups=groups)


def test_the_halting_head_hears_of_the_cells_without_a_mixer() -> None:
    for config in (CONFIGS["convolution alone"], SUDOKU):
        model = lively(Model(config, seed=3, groups=GROUPS))
        tokens, codes = question(config, seed=2)
        codes[:] = 0
        other = tokens.clone()
        other[:, -1] = (other[:, -1] + 1) % config.vocabulary
        carry = model.first_carry(ROWS, config.prefix + tokens.shape[1])
        halts = [model(cells, codes, carry, shape(config)).halt for cells in (tokens, other)]
        assert (halts[0] != halts[1]).all()


def test_the_norm_keeps_small_numbers_small_by_its_epsilon() -> None:
    h = np.random.default_rng(4).normal(size=(5, 16)) * np.array([1e-4, 1e-3, 1e-2, 1, 1e3])[:, None]
    np.testing.assert_allclose(model_norm(torch.from_numpy(h).float()), norm(h), rtol=1e-5)
    assert model_norm(torch.ones(1, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize(("width", "inner"), [(512, 1536), (97, 512), (96, 256)])
def test_published_inner_widths(width: int, inner: int) -> None:
    assert ModelConfig().inner(width) == inner


def test_inner_width_is_rounded_up_to_the_unit() -> None:
    assert dataclasses.replace(ModelConfig(), rounding=32).inner(96) == 256
    assert dataclasses.replace(ModelConfig(), rounding=8, expansion=1.0).inner(16) == 16


def test_published_sizes() -> None:
    def count(model: Model) -> int:
        return sum(p.numel() for p in model.parameters())

    blocks = 2 * (4 * 512 * 512 + 3 * 512 * 1536)
    attention = count(Model(find_preset("paper-arc").model))
    assert attention == blocks + 2 * 12 * 512 + 512 + 1 == 6_828_545
    sudoku = ModelConfig(vocabulary=11, mixers=("position_mlp",), length=81, positions="none", num_layers=1)
    assert count(Model(sudoku)) == 3 * 97 * 512 + 3 * 512 * 1536 + 2 * 11 * 512 + 512 + 1
    block = 4 * 16 * 16 + 3 * 16 * 48
    assert count(Model(HRM)) == 2 * 2 * block + 2 * 12 * 16 + 2 * 16 + 2


def test_weights_are_truncated_and_exactly_as_wide_as_wanted() -> None:
    drawn = truncated_normal((1000, 1000), 0.25, torch.Generator().manual_seed(1)).double()
    assert drawn.std().item() == pytest.approx(0.25, rel=3e-3)
    assert drawn.mean().item() == pytest.approx(0, abs=1e-3)
    # The cut is at two sigma of the normal before it: 2 / 0.8796 of the final width.
    assert drawn.abs().max().item() == pytest.approx(0.25 * 2 / 0.87962566, rel=1e-3)
    assert truncated_normal((3,), 0.0, torch.Generator()).tolist() == [0, 0, 0]


def test_initial_statistics() -> None:
    config = ModelConfig(positions="learned", length=81, embedding="composed")
    model = Model(config, num_rows=7, seed=2)
    wanted = {
        "head.weight": 512**-0.5,
        "token_embedding": 512**-0.5,
        "position_embedding": 512**-0.5,
        "puzzle.dihedral": 512**-0.5,
        "puzzle.color_role": 512**-0.5,
        "first_answer": 1.0,
        "first_latent": 1.0,
    }
    for layer in range(2):
        wanted |= {f"latent_blocks.{layer}.attention.{part}.weight": 512**-0.5 for part in ("qkv", "out")}
        wanted[f"latent_blocks.{layer}.feed_forward.gate_up.weight"] = 512**-0.5
        wanted[f"latent_blocks.{layer}.feed_forward.down.weight"] = 1536**-0.5
    state = model.state_dict()
    assert set(state) == {*wanted, "halt_weight", "halt_bias", "puzzle.rows"}
    for name, std in wanted.items():
        tolerance = 3.5 / math.sqrt(2 * state[name].numel())
        assert state[name].double().std().item() == pytest.approx(std, rel=tolerance), name
    assert not state["halt_weight"].any()
    assert state["halt_bias"].tolist() == [-5.0]
    assert state["puzzle.rows"].shape == (7, 512)
    assert not state["puzzle.rows"].any()
    assert not torch.equal(state["first_answer"], state["first_latent"])


def test_first_states_are_not_learned() -> None:
    model = Model(MODEL)
    assert {"first_answer", "first_latent"} <= set(dict(model.named_buffers()))
    assert not {"first_answer", "first_latent"} & set(dict(model.named_parameters()))


def test_first_carry_is_one_vector_everywhere() -> None:
    model = Model(dataclasses.replace(MODEL, num_latents=3))
    carry = model.first_carry(2, 5)
    assert carry.answer.shape == (2, 5, 16)
    assert carry.latent.shape == (2, 3, 5, 16)
    assert (carry.answer == model.first_answer).all()
    assert (carry.latent == model.first_latent).all()


def test_the_seed_decides_the_weights() -> None:
    a, b, c = Model(MODEL, seed=1), Model(MODEL, seed=1), Model(MODEL, seed=2)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.head.weight, c.head.weight)


@pytest.mark.parametrize(
    "name", ["plain", "mlp", "composed", "three latents", "convolution alone", "peers alone"]
)
def test_a_row_does_not_depend_on_its_company(name: str) -> None:
    """Bit for bit: whatever else is in the batch, and however large it is."""
    config = CONFIGS[name]
    model = lively(Model(config, 4, 5, GROUPS)).requires_grad_(False)
    rng = torch.Generator().manual_seed(0)
    canvas = shape(config)
    positions = config.prefix + math.prod(canvas)
    tokens = torch.randint(0, config.vocabulary, (64, math.prod(canvas)), generator=rng)
    codes = torch.zeros(64, 12, dtype=torch.int32)
    codes[:, 0] = torch.randint(0, 4, (64,), generator=rng)
    together = model(tokens, codes, model.first_carry(64, positions), canvas)
    for size in (1, 2, 3, 5, 8, 33):
        start = 64 - size
        alone = model(
            tokens[start:],
            codes[start:],
            model.first_carry(size, positions),
            canvas,
        )
        assert torch.equal(alone.logits, together.logits[start:]), size
        assert torch.equal(alone.halt, together.halt[start:]), size
        assert torch.equal(alone.carry.answer, together.carry.answer[start:]), size


def test_a_model_that_predicted_can_still_be_trained() -> None:
    """What a forward under inference mode keeps must not stop a later gradient."""
    model = Model(MODEL)
    tokens, codes = question(MODEL, seed=1)
    codes[:, 0] = 0
    carry = model.first_carry(ROWS, MODEL.prefix + LENGTH)
    with torch.inference_mode():
        model(tokens, codes, carry, (HEIGHT, WIDTH))
    model(tokens, codes, carry, (HEIGHT, WIDTH)).logits.sum().backward()
    assert model.head.weight.grad is not None


def test_carry_detach_cuts_both_states() -> None:
    carry = Carry(torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)).detach()
    assert not carry.answer.requires_grad
    assert not carry.latent.requires_grad


@pytest.mark.parametrize(("fan_out", "fan_in"), [(11, 97), (16, 97), (97, 16), (24, 16)])
def test_aligned_products_are_the_plain_ones(fan_out: int, fan_in: int) -> None:
    """With zeros behind, to rounding, and so are both gradients."""
    generator = torch.Generator().manual_seed(fan_out)
    h = torch.randn(3, fan_in, 5, generator=generator).transpose(1, 2)
    weight = torch.randn(fan_out, fan_in, generator=generator)
    found = []
    for product in (aligned_linear, torch.nn.functional.linear):
        each, matrix = h.clone().requires_grad_(), weight.clone().requires_grad_()
        result = product(each, matrix)
        found.append((result, *torch.autograd.grad(result.square().sum(), (each, matrix))))
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-4)
