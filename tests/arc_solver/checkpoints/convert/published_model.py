"""The published networks written down once more, in plain torch functions over their own state dicts."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]
ROWS, WIDTH, HEADS, LAYERS, VOCABULARY = 5, 32, 2, 2, 12
INNER = 96  # of a width of 32 with expansion 4 and multiples of 32


def state_dict(
    kind: str,
    rng: torch.Generator,
    *,
    num_rows: int = ROWS,
    length: int = 9,
    prefix: int = 4,
    vocabulary: int = VOCABULARY,
) -> State:
    """Random weights under the published names; `kind` is trm, mlp, learned or hrm."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng) / math.sqrt(shape[-1])

    names = {
        "H_init": draw(WIDTH) * math.sqrt(WIDTH),
        "L_init": draw(WIDTH) * math.sqrt(WIDTH),
        "embed_tokens.embedding_weight": draw(vocabulary, WIDTH),
        "lm_head.weight": draw(vocabulary, WIDTH),
        "q_head.weight": draw(2, WIDTH),
        "q_head.bias": draw(2),
        "puzzle_emb.weights": draw(num_rows, WIDTH),
    }
    if kind == "learned":
        names["embed_pos.embedding_weight"] = draw(prefix + length, WIDTH)
    for level in ("L_level", "H_level") if kind == "hrm" else ("L_level",):
        for layer in range(LAYERS):
            place = f"{level}.layers.{layer}"
            if kind == "mlp":
                positions = prefix + length
                inner = math.ceil(round(positions * 8 / 3) / 32) * 32
                names[f"{place}.mlp_t.gate_up_proj.weight"] = draw(2 * inner, positions)
                names[f"{place}.mlp_t.down_proj.weight"] = draw(positions, inner)
            else:
                names[f"{place}.self_attn.qkv_proj.weight"] = draw(3 * WIDTH, WIDTH)
                names[f"{place}.self_attn.o_proj.weight"] = draw(WIDTH, WIDTH)
            names[f"{place}.mlp.gate_up_proj.weight"] = draw(2 * INNER, WIDTH)
            names[f"{place}.mlp.down_proj.weight"] = draw(WIDTH, INNER)
    return {f"_orig_mod.model.inner.{name}": tensor for name, tensor in names.items()}


class Published:
    """One forward of a published model on one sequence at a time."""

    def __init__(self, state: State, prefix: int, cycles: int, latent_steps: int) -> None:
        self.w = {name.removeprefix("_orig_mod.model.inner."): t for name, t in state.items()}
        self.prefix, self.cycles, self.latent_steps = prefix, cycles, latent_steps

    def forward(self, tokens: Tensor, row: int, z_h: Tensor | None, z_l: Tensor | None) -> tuple[Tensor, ...]:
        """Logits (L, V), both halting outputs (2,) and the new states of tokens (L,) as puzzle `row`."""
        x = torch.zeros(self.prefix, WIDTH)
        x[0] = self.w["puzzle_emb.weights"][row]
        x = torch.cat([x, self.w["embed_tokens.embedding_weight"][tokens]])
        if "embed_pos.embedding_weight" in self.w:
            x = 0.707106781 * (x + self.w["embed_pos.embedding_weight"])
        x = x * math.sqrt(WIDTH)
        high = self.w["H_init"].expand(len(x), -1) if z_h is None else z_h
        low = self.w["L_init"].expand(len(x), -1) if z_l is None else z_l
        upper = "H_level" if any(name.startswith("H_level") for name in self.w) else "L_level"
        for _ in range(self.cycles):
            for _ in range(self.latent_steps):
                low = self.level("L_level", low, high + x)
            high = self.level(upper, high, low)
        logits = high[self.prefix :] @ self.w["lm_head.weight"].T
        halts = self.w["q_head.weight"] @ high[0] + self.w["q_head.bias"]
        return logits, halts, high, low

    def level(self, name: str, state: Tensor, injected: Tensor) -> Tensor:
        h = state + injected
        for layer in range(LAYERS):
            place = f"{name}.layers.{layer}"
            if f"{place}.mlp_t.down_proj.weight" in self.w:
                turned = h.T
                h = rms_norm(turned + self.swiglu(f"{place}.mlp_t", turned)).T
            else:
                h = rms_norm(h + self.attention(f"{place}.self_attn", h))
            h = rms_norm(h + self.swiglu(f"{place}.mlp", h))
        return h

    def swiglu(self, place: str, h: Tensor) -> Tensor:
        gate, up = (h @ self.w[f"{place}.gate_up_proj.weight"].T).chunk(2, dim=-1)
        return (F.silu(gate) * up) @ self.w[f"{place}.down_proj.weight"].T

    def attention(self, place: str, h: Tensor) -> Tensor:
        head = WIDTH // HEADS
        qkv = (h @ self.w[f"{place}.qkv_proj.weight"].T).view(len(h), 3 * HEADS, head)
        query, key, value = qkv[:, :HEADS], qkv[:, HEADS : 2 * HEADS], qkv[:, 2 * HEADS :]
        if "embed_pos.embedding_weight" not in self.w:
            query, key = rotary(query), rotary(key)
        scores = torch.einsum("ihd,jhd->hij", query, key) / math.sqrt(head)
        mixed = torch.einsum("hij,jhd->ihd", scores.softmax(dim=-1), value)
        return mixed.reshape(len(h), WIDTH) @ self.w[f"{place}.o_proj.weight"].T


def rms_norm(h: Tensor) -> Tensor:
    return h * torch.rsqrt(h.square().mean(dim=-1, keepdim=True) + 1e-5)


def rotary(h: Tensor) -> Tensor:
    """(S, heads, d): the two halves of a head turned by the angles of its position."""
    half = h.shape[-1] // 2
    speeds = 1 / 10_000 ** (torch.arange(0, half) / half)
    angles = torch.outer(torch.arange(len(h)).float(), speeds)[:, None]
    a, b = h[..., :half], h[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], dim=-1)
