"""norm(h + attention(h)) as one function; see `fused_norm`.

Shapes: B rows, S positions, D width, H heads of d numbers each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from arc_solver.model.fused_norm import factors, fits, norm_gradient, norm_of_sum, normalise

# Of the weights of attention: worked on together, while the cache of a core holds them.
CACHED_WEIGHTS = 2**18
# Weights (B · H · S · S) that are kept for the backward pass; torch's own kernel keeps none.
MOST_WEIGHTS = 2**24


class Projections(NamedTuple):
    """qkv (3 D, D) and out (D, D)."""

    qkv: Tensor
    out: Tensor


def attend(
    h: Tensor,
    projections: Projections,
    rotary: tuple[Tensor, Tensor] | None,
    num_heads: int,
    epsilon: float,
    rounded: bool,
) -> Tensor:
    """The next h (B, S, D), rotated by the cosines and sines (S, d) where a table is given.

    The projections round their factors to bfloat16 where `rounded`.
    """
    if not fits(h) or h.shape[0] * num_heads * h.shape[1] ** 2 > MOST_WEIGHTS:
        return norm_of_sum(h, attention(h, projections, rotary, num_heads), epsilon)
    turns = None
    if rotary is not None:
        cosine, sine = (table[:, : table.shape[1] // 2] for table in rotary)
        turns = torch.complex(cosine, sine)
    return cast(Tensor, _Attend.apply(h, *projections, turns, num_heads, epsilon, rounded))


def attention(
    h: Tensor, projections: Projections, rotary: tuple[Tensor, Tensor] | None, num_heads: int
) -> Tensor:
    """Multi-head self-attention over all positions, (B, S, D) to (B, S, D)."""
    rows, length, width = h.shape
    qkv = F.linear(h, projections.qkv.to(h.dtype)).view(rows, length, 3, num_heads, width // num_heads)
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    if rotary is not None:
        query, key = rotate(query, rotary), rotate(key, rotary)
    mixed = F.scaled_dot_product_attention(query, key, value)
    return F.linear(mixed.transpose(1, 2).reshape(rows, length, width), projections.out.to(h.dtype))


def rotate(h: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the two halves of every head by the angles of its position; h is (B, H, S, d)."""
    cosine, sine = rotary
    first, second = h.chunk(2, dim=-1)
    return h * cosine.to(h.dtype) + torch.cat((-second, first), dim=-1) * sine.to(h.dtype)


class _Attend(Function):
    """Heads are held as (B, H, S, d), so that all products of them are of whole batches.

    A rotation is one complex product, for which the halves of every head of queries and keys are interleaved:
    by the order of the rows of the projection. The products of queries and keys do not notice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        h: Tensor,
        qkv: Tensor,
        out: Tensor,
        turns: Tensor | None,
        num_heads: int,
        epsilon: float,
        rounded: bool,
    ) -> Tensor:
        rows, length, width = h.shape
        each = width // num_heads
        used = qkv if turns is None else _reordered(qkv, (2, each // 2))
        with factors(rounded):
            heads = h.reshape(-1, width) @ used.T
        heads = heads.view(rows, length, 3, num_heads, each).permute(2, 0, 3, 1, 4)
        held = heads.new_empty(heads.shape)
        _turn(heads, turns, held)
        held[0] *= each**-0.5
        query, key, value = held.flatten(1, 2)
        weights = query.new_empty(rows * num_heads, length, length)
        mixed = torch.empty_like(value)
        for of in _parts(weights):
            torch.softmax(torch.bmm(query[of], key[of].mT), dim=-1, out=weights[of])
            torch.bmm(weights[of], value[of], out=mixed[of])
        read = mixed.view(rows, num_heads, length, each).transpose(1, 2).reshape(-1, width)
        with factors(rounded):
            normed = torch.addmm(h.reshape(-1, width), read, out.T).view(h.shape)
        scale = normalise(normed, epsilon)
        ctx.save_for_backward(h, used, out, turns, held, weights, read, normed, scale)
        ctx.rounded = rounded
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        h, used, out, turns, held, weights, read, normed, scale = ctx.saved_tensors
        _, rows, num_heads, length, each = held.shape
        width = num_heads * each
        to_h = norm_gradient(gradient, normed, scale).view(-1, width)
        with factors(ctx.rounded):
            to_out = to_h.T @ read
            given = torch.mm(to_h, out, out=read)
        given = given.view(rows, length, num_heads, each).transpose(1, 2).flatten(0, 1)
        query, key, value = held.flatten(1, 2)
        for of in _parts(weights):
            scores = torch.bmm(given[of], value[of].mT)
            torch.bmm(weights[of].mT, given[of], out=value[of])
            scores = torch._softmax_backward_data(scores, weights[of], -1, torch.float32)
            to_query = torch.bmm(scores, key[of])
            torch.bmm(scores.mT, query[of], out=key[of])
            torch.mul(to_query, each**-0.5, out=query[of])
        heads = h.new_empty(rows, length, 3, num_heads, each)
        back = None if turns is None else turns.conj().resolve_conj()
        _turn(held, back, heads.permute(2, 0, 3, 1, 4))
        flat = heads.view(-1, 3 * width)
        with factors(ctx.rounded):
            to_qkv = flat.T @ h.reshape(-1, width)
            to_h.addmm_(flat, used)
        if turns is not None:
            to_qkv = _reordered(to_qkv, (each // 2, 2))
        return to_h.view(h.shape), to_qkv, to_out, None, None, None, None


def _parts(weights: Tensor) -> Iterator[slice]:
    """Some heads after the others."""
    num = max(1, CACHED_WEIGHTS // weights[0].numel())
    return (slice(start, start + num) for start in range(0, len(weights), num))


def _turn(heads: Tensor, turns: Tensor | None, out: Tensor) -> None:
    """Write `heads` (3, B, H, S, d) to `out`, queries and keys rotated by the numbers `turns` (S, d / 2)."""
    if turns is None:
        out.copy_(heads)
    else:
        torch.mul(_complex(heads[:2]), turns, out=_complex(out[:2]))
        out[2] = heads[2]


def _complex(heads: Tensor) -> Tensor:
    return torch.view_as_complex(heads.unflatten(-1, (-1, 2)))


def _reordered(weight: Tensor, shape: tuple[int, int]) -> Tensor:
    """`weight` (3 D, D) with the rows of every head of queries and keys turned from `shape` to its transpose.

    (2, d / 2) interleaves the halves, (d / 2, 2) parts them again.
    """
    width = weight.shape[1]
    result = torch.empty_like(weight)
    both = weight[: 2 * width].view(-1, *shape, width).transpose(1, 2)
    result[: 2 * width].view(both.shape).copy_(both)
    result[2 * width :] = weight[2 * width :]
    return result
