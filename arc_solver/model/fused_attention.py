"""norm(h + attention(h)) as one function; see `fused_norm`.

Shapes: B rows, S positions, D width, H heads of d numbers each, N positions of all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from arc_solver.model.flat import Layout, Segment, join, split, turns_of
from arc_solver.model.fused_feed_forward import Shape
from arc_solver.model.fused_norm import factors, fits, norm, norm_gradient, normalize

# Of the weights of attention: worked on together, while the cache of a core holds them.
CACHED_WEIGHTS = 2**18
# Weights (B · H · S · S) that are kept for the backward pass; torch's own kernel keeps none.
MAX_WEIGHTS = 2**24


class Projections(NamedTuple):
    """qkv (3 D, D) and out (D, D)."""

    qkv: Tensor
    out: Tensor


def keeps_weights(layout: Layout, num_heads: int) -> bool:
    """Whether the weights of attention of every segment can be kept."""
    positions = ((each, layout.prefix + each.height * each.width) for each in layout.segments)
    return all(each.rows * num_heads * num**2 <= MAX_WEIGHTS for each, num in positions)


def attend(
    h: Tensor,
    projections: Projections,
    rotary: tuple[Tensor, Tensor] | None,
    num_heads: int,
    shape: Shape,
    epsilon: float,
    rounded: bool,
) -> Tensor:
    """The next h (B, S, D), rotated by the cosines and sines (S, d) where a table is given.

    The projections round their factors to bfloat16 where `rounded`.
    """
    if fits(h):
        segment = Segment(h.shape[0], shape.height, shape.width, turns_of(rotary))
        layout = Layout(shape.prefix, (segment,), rounded)
        if keeps_weights(layout, num_heads):
            flat = attend_flat(join([h], shape.prefix), projections, layout, num_heads, epsilon)
            return split(flat, layout)[0]
    return norm(h + attention(h, projections, rotary, num_heads), epsilon)


def attend_flat(
    h: Tensor, projections: Projections, layout: Layout, num_heads: int, epsilon: float
) -> Tensor:
    """The next h (N, D) of all canvases together."""
    return cast(Tensor, _Attend.apply(h, *projections, layout, num_heads, epsilon))


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
        ctx: Any, h: Tensor, qkv: Tensor, out: Tensor, layout: Layout, num_heads: int, epsilon: float
    ) -> Tensor:
        each = h.shape[1] // num_heads
        turned = any(segment.turns is not None for segment in layout.segments)
        used = _reordered(qkv, (2, each // 2)) if turned else qkv
        with factors(layout.rounded):
            heads = h @ used.T
        read, kept = torch.empty_like(h), []
        for segment, *places in layout.spans():
            length = layout.prefix + segment.height * segment.width
            held = h.new_empty(3, segment.rows, num_heads, length, each)
            for place, at in zip(places, _positions(layout), strict=True):
                some = heads[place].view(segment.rows, -1, 3, num_heads, each)
                _turn(some.permute(2, 0, 3, 1, 4), _at(segment.turns, at), held[:, :, :, at])
            weights, mixed = _mixed(held)
            for place, at in zip(places, _positions(layout), strict=True):
                written = read[place].view(segment.rows, -1, num_heads, each)
                written.copy_(mixed[:, :, at].transpose(1, 2))
            kept += [held, weights]
        with factors(layout.rounded):
            normed = torch.addmm(h, read, out.T)
        scale = normalize(normed, epsilon)
        ctx.save_for_backward(h, used, out, read, normed, scale, *kept)
        ctx.layout, ctx.turned = layout, turned
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        h, used, out, read, normed, scale, *kept = ctx.saved_tensors
        layout: Layout = ctx.layout
        to_h = norm_gradient(gradient, normed, scale)
        with factors(layout.rounded):
            to_out = to_h.T @ read
            given = torch.mm(to_h, out, out=read)
        heads = h.new_empty(len(h), used.shape[0])
        for number, (segment, *places) in enumerate(layout.spans()):
            held, weights = kept[2 * number : 2 * number + 2]
            _, rows, num_heads, length, each = held.shape
            to_mixed = h.new_empty(rows, num_heads, length, each)
            for place, at in zip(places, _positions(layout), strict=True):
                to_mixed[:, :, at] = given[place].view(rows, -1, num_heads, each).transpose(1, 2)
            _mixed_gradient(to_mixed, held, weights)
            back = None if segment.turns is None else segment.turns.conj().resolve_conj()
            for place, at in zip(places, _positions(layout), strict=True):
                some = heads[place].view(rows, -1, 3, num_heads, each)
                _turn(held[:, :, :, at], _at(back, at), some.permute(2, 0, 3, 1, 4))
        with factors(layout.rounded):
            to_qkv = heads.T @ h
            torch.addmm(to_h, heads, used, out=to_h)
        if ctx.turned:
            to_qkv = _reordered(to_qkv, (each // 2, 2))
        return to_h, to_qkv, to_out, None, None, None


def _positions(layout: Layout) -> tuple[slice, slice]:
    """Those of cells and of the prefix within a row."""
    return slice(layout.prefix, None), slice(0, layout.prefix)


def _at(turns: Tensor | None, at: slice) -> Tensor | None:
    return None if turns is None else turns[at]


def _mixed(held: Tensor) -> tuple[Tensor, Tensor]:
    """The weights (B · H, S, S) and what is read with them (B, H, S, d); queries are scaled in place."""
    _, rows, num_heads, length, each = held.shape
    held[0] *= each**-0.5
    query, key, value = held.flatten(1, 2)
    weights, mixed = query.new_empty(rows * num_heads, length, length), torch.empty_like(value)
    for of in _parts(weights):
        torch.softmax(torch.bmm(query[of], key[of].mT), dim=-1, out=weights[of])
        torch.bmm(weights[of], value[of], out=mixed[of])
    return weights, mixed.view(rows, num_heads, length, each)


def _mixed_gradient(gradient: Tensor, held: Tensor, weights: Tensor) -> None:
    """Write the gradients of queries, keys and values over them."""
    given = gradient.flatten(0, 1)
    query, key, value = held.flatten(1, 2)
    for of in _parts(weights):
        scores = torch.bmm(given[of], value[of].mT)
        torch.bmm(weights[of].mT, given[of], out=value[of])
        scores = torch._softmax_backward_data(scores, weights[of], -1, torch.float32)
        to_query = torch.bmm(scores, key[of])
        torch.bmm(scores.mT, query[of], out=key[of])
        torch.mul(to_query, held.shape[-1] ** -0.5, out=query[of])


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
