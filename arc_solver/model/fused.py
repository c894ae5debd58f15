"""Parts of a block in few passes over memory, with their backward passes written out: float32 on a CPU.

There, element-wise operations and copies cost as much as the products. Each function states what it equals; what
it computes differs from that by rounding alone. Shapes: B rows, S positions, D width, H heads, I inner width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Rows of a matrix that are worked on while they are in the cache of a core.
CACHED_ROWS = 256
CACHED_NUMBERS = 2**18
# Of attention: numbers (B·H·S·S) that are kept for the backward pass; beyond them the library's kernel, which
# keeps none, is the faster one too.
MOST_WEIGHTS = 2**24


def fits(h: Tensor) -> bool:
    """Whether these functions are meant for such numbers here; compilers fuse better what is written plainly."""
    return h.device.type == "cpu" and h.dtype == torch.float32 and not torch.compiler.is_compiling()


def gated(gate_up: Tensor) -> Tensor:
    """silu(gate) · up (..., I) of both side by side (..., 2 I)."""
    return _Gated.apply(gate_up)


def norm_of_sum(h: Tensor, update: Tensor, epsilon: float) -> Tensor:
    """RMS norm over the last axis of h + update, (..., D) each."""
    return _NormOfSum.apply(h, update, epsilon)


def attend(h: Tensor, weight: Tensor, rotary: tuple[Tensor, Tensor] | None, num_heads: int) -> Tensor:
    """What the heads read (B, S, D) of h (B, S, D): projected by `weight` (3 D, D), rotated where a table is.

    The values of rotary are those of `positions.rotary_table`.
    """
    turns = None
    if rotary is not None:
        half = rotary[0].shape[1] // 2
        turns = torch.complex(rotary[0][:, :half], rotary[1][:, :half])
    return _Attend.apply(h, weight, turns, num_heads)


def apart(h: Tensor, prefix: int) -> tuple[Tensor, Tensor]:
    """The first positions of h (B, S, D) and the others, as tensors of their own."""
    return _Apart.apply(h, prefix)


def together(prefix: Tensor, cells: Tensor) -> Tensor:
    """What `apart` took apart."""
    return _Together.apply(prefix, cells)


def lookup(table: Tensor, indices: Tensor) -> Tensor:
    """table[indices] of a small table; its gradient is a product with one-hot rows, not a sort."""
    return _Lookup.apply(table, indices)


class _Gated(Function):
    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:
        inner = gate_up.shape[-1] // 2
        hidden, opened = (gate_up.new_empty(*gate_up.shape[:-1], inner) for _ in range(2))
        for read, share, write in zip(_cached(gate_up), _cached(opened), _cached(hidden), strict=True):
            gate, up = read.chunk(2, dim=1)
            torch.sigmoid(gate, out=share)
            torch.mul(gate, share, out=write).mul_(up)
        ctx.save_for_backward(gate_up, opened)
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gate_up, opened = ctx.saved_tensors
        result = torch.empty_like(gate_up)
        parts = zip(*map(_cached, (gate_up, opened, gradient, result)), strict=True)
        for read, share, given, write in parts:
            (gate, up), (to_gate, to_up) = read.chunk(2, dim=1), write.chunk(2, dim=1)
            silu = gate * share
            torch.mul(given, silu, out=to_up)
            # Its derivative is share + silu · (1 − share).
            slope = silu.addcmul_(silu, share, value=-1).add_(share)
            torch.mul(given, up, out=to_gate).mul_(slope)
        return result


class _NormOfSum(Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, update: Tensor, epsilon: float) -> Tensor:
        normed = h + update
        scale = torch.linalg.vector_norm(normed, dim=-1, keepdim=True)
        scale.square_().div_(h.shape[-1]).add_(epsilon).rsqrt_()
        normed.mul_(scale)
        ctx.save_for_backward(normed, scale)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        normed, scale = ctx.saved_tensors
        along = torch.linalg.vecdot(gradient, normed)[..., None].div_(-normed.shape[-1])
        result = torch.addcmul(gradient, normed, along).mul_(scale)
        return result, result, None


class _Attend(Function):
    """Heads are held as (B, H, S, d) so that all products are of whole batches.

    Rotation is one complex product, for which the two halves of a head are interleaved: the rows of the
    weights are permuted, and so are those of their gradient. Products of queries and keys do not notice.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, turns: Tensor | None, num_heads: int) -> Tensor:
        rows, length, width = h.shape
        each = width // num_heads
        used = weight if turns is None else _interleaved(weight, each)
        heads = (h.reshape(-1, width) @ used.T).view(rows, length, 3, num_heads, each).permute(2, 0, 3, 1, 4)
        held = heads.new_empty(heads.shape)
        _turn(heads[:2], turns, held[:2])
        held[2] = heads[2]
        held[0] *= each**-0.5
        query, key, value = held.flatten(1, 2)
        weights = query.new_empty(rows * num_heads, length, length)
        mixed = torch.empty_like(value)
        for of, read, write in _parts(weights, mixed):
            torch.softmax(torch.bmm(query[of], key[of].mT), dim=-1, out=read)
            torch.bmm(read, value[of], out=write)
        ctx.save_for_backward(h, used, turns, held, weights)
        return mixed.view(rows, num_heads, length, each).transpose(1, 2).reshape(rows, length, width)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        h, used, turns, held, weights = ctx.saved_tensors
        _, rows, num_heads, length, each = held.shape
        width = num_heads * each
        query, key, value = held.flatten(1, 2)
        given = gradient.view(rows, length, num_heads, each).transpose(1, 2).flatten(0, 1)
        to_held = torch.empty_like(held)
        to_query, to_key, to_value = to_held.flatten(1, 2)
        for of, share, write in _parts(weights, to_value):
            torch.bmm(share.mT, given[of], out=write)
            scores = torch.bmm(given[of], value[of].mT)
            scores = torch._softmax_backward_data(scores, share, -1, torch.float32)
            torch.bmm(scores, key[of], out=to_query[of])
            torch.bmm(scores.mT, query[of], out=to_key[of])
        to_held[0] *= each**-0.5
        to_heads = h.new_empty(rows, length, 3, num_heads, each).permute(2, 0, 3, 1, 4)
        _turn(to_held[:2], None if turns is None else turns.conj().resolve_conj(), to_heads[:2])
        to_heads[2] = to_held[2]
        flat = to_heads.permute(1, 3, 0, 2, 4).reshape(-1, 3 * width)
        to_weight = flat.T @ h.reshape(-1, width)
        return (
            (flat @ used).view(h.shape),
            to_weight if turns is None else _parted(to_weight, each),
            None,
            None,
        )


class _Apart(Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, prefix: int) -> tuple[Tensor, Tensor]:
        return h[:, :prefix].contiguous(), h[:, prefix:].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, prefix: Tensor, cells: Tensor) -> tuple[Tensor, None]:
        return torch.cat((prefix, cells), dim=1), None


class _Together(Function):
    @staticmethod
    def forward(ctx: Any, prefix: Tensor, cells: Tensor) -> Tensor:
        ctx.prefix = prefix.shape[1]
        return torch.cat((prefix, cells), dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        return gradient[:, : ctx.prefix].contiguous(), gradient[:, ctx.prefix :].contiguous()


class _Lookup(Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, indices: Tensor) -> Tensor:
        ctx.save_for_backward(indices)
        ctx.num = table.shape[0]
        return torch.nn.functional.embedding(indices, table)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (indices,) = ctx.saved_tensors
        chosen = torch.arange(ctx.num, device=indices.device)[:, None] == indices.reshape(1, -1)
        return chosen.to(gradient.dtype) @ gradient.reshape(-1, gradient.shape[-1]), None


def _cached(matrix: Tensor) -> tuple[Tensor, ...]:
    return matrix.reshape(-1, matrix.shape[-1]).split(CACHED_ROWS)


def _parts(weights: Tensor, mixed: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """A few heads after the other, as many as the cache of a core holds the weights of."""
    num = max(1, CACHED_NUMBERS // (weights.shape[1] * weights.shape[2]))
    for start in range(0, weights.shape[0], num):
        of = slice(start, start + num)
        yield of, weights[of], mixed[of]


def _turn(heads: Tensor, turns: Tensor | None, out: Tensor) -> None:
    """Write `heads` (2, B, H, S, d), rotated by the complex numbers `turns` (S, d / 2), to `out`."""
    if turns is None:
        out.copy_(heads)
    else:
        torch.mul(_complex(heads), turns, out=_complex(out))


def _complex(heads: Tensor) -> Tensor:
    return torch.view_as_complex(heads.unflatten(-1, (-1, 2)))


def _interleaved(weight: Tensor, each: int) -> Tensor:
    """Rows of the queries' and keys' heads reordered: 0, d/2, 1, d/2 + 1, ... of every head."""
    return _reordered(weight, (2, each // 2))


def _parted(weight: Tensor, each: int) -> Tensor:
    """The inverse of `_interleaved`."""
    return _reordered(weight, (each // 2, 2))


def _reordered(weight: Tensor, shape: tuple[int, int]) -> Tensor:
    width = weight.shape[1]
    both = weight[: 2 * width].view(-1, *shape, width).transpose(1, 2)
    result = torch.empty_like(weight)
    result[: 2 * width].view(both.shape).copy_(both)
    result[2 * width :] = weight[2 * width :]
    return result
