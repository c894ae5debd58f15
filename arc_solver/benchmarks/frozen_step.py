"""The training step of commit a2f442c for the recipe `cpu-arc`, frozen as a baseline.

It shares no code with the step that it is compared to. Shapes: B rows, S positions (one of the prefix, then
the cells), D width, H heads, I inner width, V tokens of the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

HEADS, LATENT_STEPS, NORM_EPS, ROTARY_THETA = 4, 2, 1e-5, 1e4
LEARNING_RATE, VECTOR_RATE, ROW_RATE, DECAY, ROW_DECAY = 5e-3, 1e-3, 3e-2, 5e-3, 0.1
MOMENTUM, BETA1, BETA2, EPSILON, EMA, CLIP, HALT_WEIGHT = 0.95, 0.9, 0.95, 1e-8, 0.99, 1.0, 0.5
NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS = (3.4445, -4.7750, 2.0315), 5
BLOCK = "latent_blocks.0."
MATRICES = tuple(
    f"{BLOCK}{name}.weight"
    for name in ("attention.qkv", "attention.out", "feed_forward.gate_up", "feed_forward.down")
)


class Examples(NamedTuple):
    """The examples of a step on one square canvas: uint8 tokens and targets (B, L), rows (B,) int64."""

    side: int
    tokens: Tensor
    targets: Tensor
    rows: Tensor


class FrozenStep:
    """Weights by their names in a checkpoint, the table of rows, and the state of the optimizers."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        buffers = ("puzzle.rows", "first_answer", "first_latent")
        self.buffers = {name: weights[name].clone() for name in buffers}
        self.weights = {
            name: t.clone().requires_grad_() for name, t in weights.items() if name not in buffers
        }
        self.averaged = [t.detach().clone() for t in self.weights.values()]
        self.buffer = {name: torch.zeros_like(self.weights[name]) for name in MATRICES}
        self.rest = [t for name, t in self.weights.items() if name not in MATRICES]
        self.mean, self.square = ([torch.zeros_like(t) for t in self.rest] for _ in range(2))
        self.tables: dict[int, tuple[Tensor, Tensor]] = {}
        self.count = 0

    def step(self, examples: Sequence[Examples]) -> float:
        """One step at the full rate; returns the sum of the losses of all rows before it."""
        num = sum(len(each.rows) for each in examples)
        total, touched = torch.zeros(()), []
        for each in examples:
            vectors = self.buffers["puzzle.rows"][each.rows].detach().requires_grad_()
            loss = self._loss(each, vectors)
            (loss / num).backward()
            total += loss.detach()
            touched.append((each.rows, vectors.grad))
        self._update(touched)
        return float(total)

    def _loss(self, examples: Examples, vectors: Tensor) -> Tensor:
        logits, halt = self._forward(examples, vectors)
        wanted = examples.targets.long()
        counted = wanted != 0
        per_cell = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
        per_row = (per_cell * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
        with torch.no_grad():
            right = ((logits.argmax(dim=-1) == wanted) | ~counted).all(dim=1)
        halting = F.binary_cross_entropy_with_logits(halt, right.float(), reduction="none")
        return per_row.sum() + HALT_WEIGHT * halting.sum()

    def _forward(self, examples: Examples, vectors: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.weights["token_embedding"]
        question = torch.cat((vectors[:, None], embedding[examples.tokens.long()]), dim=1)
        question = question * embedding.shape[1] ** 0.5
        halted = torch.ones(len(vectors), 1, 1, dtype=torch.bool)
        answer, latent = (
            torch.where(halted, first.expand(question.shape), torch.zeros_like(question))
            for first in (self.buffers["first_answer"], self.buffers["first_latent"])
        )
        for _ in range(LATENT_STEPS):
            latent = self._block(latent + answer + question, examples.side)
        answer = self._block(answer + latent, examples.side)
        halt = (answer[:, :1] * self.weights["halt_weight"]).sum(dim=-1) + self.weights["halt_bias"]
        return F.linear(answer[:, 1:], self.weights["head.weight"]), halt[:, 0]

    def _block(self, h: Tensor, side: int) -> Tensor:
        h = norm(h + self._attention(h, side))
        gate, up = F.linear(h, self.weights[MATRICES[2]]).chunk(2, dim=-1)
        hidden = F.silu(gate) * up
        prefix, cells = hidden[:, :1], hidden[:, 1:]
        image = cells.reshape(len(h), side, side, -1).permute(0, 3, 1, 2)
        kernel = self.weights[f"{BLOCK}feed_forward.convolution.weight"][:, None]
        near = F.conv2d(image, kernel, padding=kernel.shape[-1] // 2, groups=len(kernel))
        cells = cells + near.permute(0, 2, 3, 1).reshape(cells.shape)
        return norm(h + F.linear(torch.cat((prefix, cells), dim=1), self.weights[MATRICES[3]]))

    def _attention(self, h: Tensor, side: int) -> Tensor:
        rows, length, width = h.shape
        qkv = F.linear(h, self.weights[MATRICES[0]]).view(rows, length, 3, HEADS, width // HEADS)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        if side not in self.tables:
            self.tables[side] = rotary_table(side, width // HEADS)
        query, key = rotate(query, self.tables[side]), rotate(key, self.tables[side])
        mixed = F.scaled_dot_product_attention(query, key, value)
        return F.linear(mixed.transpose(1, 2).reshape(rows, length, width), self.weights[MATRICES[1]])

    @torch.no_grad()
    def _update(self, touched: Sequence[tuple[Tensor, Tensor | None]]) -> None:
        self.count += 1
        weights = list(self.weights.values())
        norms = torch._foreach_norm([*(t.grad for t in weights), *weights])
        if not bool(torch.stack(norms).isfinite().all()):
            raise FloatingPointError("the frozen step met a non-finite number")
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        for rows, gradient in touched:
            assert gradient is not None
            first = (rows[:, None] == rows[None, :]).to(torch.int8).argmax(dim=1)
            summed = torch.zeros_like(gradient).index_add_(0, first, gradient)[first]
            table = self.buffers["puzzle.rows"]
            table[rows] = table[rows] * (1 - ROW_RATE * ROW_DECAY) - ROW_RATE * summed.sign()
        self._muon()
        self._adamw()
        torch._foreach_lerp_(self.averaged, weights, 1 - EMA)
        for t in weights:
            t.grad = None

    def _muon(self) -> None:
        for name, buffer in self.buffer.items():
            matrix = self.weights[name]
            assert matrix.grad is not None
            buffer.lerp_(matrix.grad, 1 - MOMENTUM)
            update = orthogonalized(matrix.grad.lerp(buffer, MOMENTUM)[None])[0]
            rows, columns = matrix.shape
            matrix.mul_(1 - LEARNING_RATE * DECAY)
            matrix.add_(update * max(1.0, rows / columns) ** 0.5, alpha=-LEARNING_RATE)

    def _adamw(self) -> None:
        gradients = [t.grad for t in self.rest]
        torch._foreach_mul_(self.rest, 1 - VECTOR_RATE * DECAY)
        torch._foreach_lerp_(self.mean, gradients, 1 - BETA1)
        torch._foreach_mul_(self.square, BETA2)
        torch._foreach_addcmul_(self.square, gradients, gradients, 1 - BETA2)
        scale = torch._foreach_sqrt(self.square)
        torch._foreach_div_(scale, (1 - BETA2**self.count) ** 0.5)
        torch._foreach_add_(scale, EPSILON)
        torch._foreach_addcdiv_(self.rest, self.mean, scale, -VECTOR_RATE / (1 - BETA1**self.count))


def norm(h: Tensor) -> Tensor:
    """RMS norm over the last axis."""
    return F.rms_norm(h, (h.shape[-1],), eps=NORM_EPS)


def rotate(h: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the halves of every head (B, H, S, head width)."""
    cosine, sine = rotary
    first, second = h.chunk(2, dim=-1)
    return h * cosine + torch.cat((-second, first), dim=-1) * sine


def rotary_table(side: int, head_width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (1 + side², head width), half of the frequencies for the row, half for the column."""
    place, num = torch.arange(side * side), head_width // 4
    share = torch.exp(torch.arange(num) * (-math.log(ROTARY_THETA) / num))
    places = ((place // side + 1).float(), (place % side + 1).float())
    cells = torch.cat([torch.outer(each, share) for each in places], dim=1)
    angles = torch.cat((torch.zeros(1, head_width // 2), cells))
    angles = torch.cat((angles, angles), dim=1)
    return angles.cos(), angles.sin()


def orthogonalized(matrices: Tensor) -> Tensor:
    """Nearly orthogonal matrices (K, R, C) with the singular vectors of the given ones."""
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
