"""Parts of a block in few passes over memory, with their backward passes written out: float32 on a CPU.

There, element-wise operations and copies cost as much as the products. Each function states what it equals; what
it computes differs from that by rounding alone. Shapes: B rows, S positions, D width, H heads, I inner width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Rows of a matrix that are worked on while they are in the cache of a core.
CACHED_ROWS = 512
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


def attend(
    h: Tensor,
    weight: Tensor,
    out: Tensor,
    rotary: tuple[Tensor, Tensor] | None,
    num_heads: int,
    epsilon: float,
) -> Tensor:
    """What the heads read (B, S, D) of h (B, S, D): projected by `weight` (3 D, D), rotated where a table is.

    The values of rotary are those of `positions.rotary_table`.
    """
    turns = None
    if rotary is not None:
        half = rotary[0].shape[1] // 2
        turns = torch.complex(rotary[0][:, :half], rotary[1][:, :half])
    return _Attend.apply(h, weight, out, turns, num_heads, epsilon)


class Shape(NamedTuple):
    """Positions of a row: `prefix` of them, then height × width cells."""

    prefix: int
    height: int
    width: int


def feed_forward(h: Tensor, gate_up: Tensor, down: Tensor, kernel: Tensor, shape: Shape, epsilon: float) -> Tensor:
    return _FeedForward.apply(h, gate_up, down, kernel, shape, epsilon)


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
        hidden, opened = _gate(gate_up)
        ctx.save_for_backward(gate_up, opened)
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _gate_gradient(gradient, *ctx.saved_tensors)


class _NormOfSum(Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, update: Tensor, epsilon: float) -> Tensor:
        normed = h + update
        scale = _normalise(normed, epsilon)
        ctx.save_for_backward(normed, scale)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        result = _norm_gradient(gradient, *ctx.saved_tensors)
        return result, result, None


class _FeedForward(Function):
    @staticmethod
    def forward(
        ctx: Any, h: Tensor, gate_up: Tensor, down: Tensor, kernel: Tensor, shape: Shape, epsilon: float
    ) -> Tensor:
        normed = torch.empty_like(h)
        kept = []
        for part, write in zip(_apart(h, shape), _apart(normed, shape), strict=True):
            flat = part.reshape(-1, h.shape[2])
            wide = flat @ gate_up.T
            hidden, opened = _gate(wide)
            met = hidden if part.shape[1] == shape.prefix else _near(hidden, kernel, shape)
            torch.add(part, (met @ down.T).view(part.shape), out=write)
            kept += [flat, wide, opened, hidden, met]
        scale = _normalise(normed, epsilon)
        ctx.save_for_backward(gate_up, down, kernel, normed, scale, *kept)
        ctx.shape = shape
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gate_up, down, kernel, normed, scale, *kept = ctx.saved_tensors
        to_h = _norm_gradient(gradient, normed, scale)
        to_gate_up, to_down, to_kernel = torch.zeros_like(gate_up), torch.zeros_like(down), None
        for number, part in enumerate(_apart(to_h, ctx.shape)):
            flat, wide, opened, hidden, met = kept[5 * number : 5 * number + 5]
            given = part.reshape(flat.shape)
            to_down.addmm_(given.T, met)
            to_hidden = torch.mm(given, down, out=met)
            if number:
                to_hidden, to_kernel = _near_gradient(to_hidden, hidden, kernel, ctx.shape)
            to_wide = _gate_gradient(to_hidden, wide, opened)
            to_gate_up.addmm_(to_wide.T, flat)
            part += (to_wide @ gate_up).view(part.shape)
        return to_h, to_gate_up, to_down, to_kernel, None, None


def _apart(h: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    return h[:, : shape.prefix], h[:, shape.prefix :]


def _image(cells: Tensor, shape: Shape) -> Tensor:
    return cells.view(-1, shape.height, shape.width, cells.shape[-1]).permute(0, 3, 1, 2)


def _near(cells: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    half = kernel.shape[-1] // 2
    near = F.conv2d(_image(cells, shape), kernel, padding=half, groups=kernel.shape[0])
    return near.permute(0, 2, 3, 1).reshape(cells.shape)


def _near_gradient(
    gradient: Tensor, cells: Tensor, kernel: Tensor, shape: Shape
) -> tuple[Tensor, Tensor]:
    half, none = [kernel.shape[-1] // 2] * 2, [0, 0]
    to_cells, to_kernel, _ = torch.ops.aten.convolution_backward(
        *(_image(gradient, shape), _image(cells, shape), kernel, None),
        *([1, 1], half, [1, 1], False, none, kernel.shape[0], [True, True, False]),
    )
    return to_cells.permute(0, 2, 3, 1).reshape(cells.shape), to_kernel


class _Attend(Function):
    """Heads are held as (B, H, S, d) so that all products are of whole batches.

    Rotation is one complex product, for which the two halves of a head are interleaved: the rows of the
    weights are permuted, and so are those of their gradient. Products of queries and keys do not notice.
    """

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, weight: Tensor, out: Tensor, turns: Tensor | None, num_heads: int, epsilon: float
    ) -> Tensor:
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
        for of, read in _parts(weights):
            torch.softmax(torch.bmm(query[of], key[of].mT), dim=-1, out=read)
            torch.bmm(read, value[of], out=mixed[of])
        read = mixed.view(rows, num_heads, length, each).transpose(1, 2).reshape(-1, width)
        normed = torch.addmm(h.reshape(-1, width), read, out.T).view(h.shape)
        scale = _normalise(normed, epsilon)
        ctx.save_for_backward(h, used, out, turns, held, weights, read, normed, scale)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        h, used, out, turns, held, weights, read, normed, scale = ctx.saved_tensors
        _, rows, num_heads, length, each = held.shape
        width = num_heads * each
        query, key, value = held.flatten(1, 2)
        to_h = _norm_gradient(gradient, normed, scale).view(-1, width)
        to_out = to_h.T @ read
        given = torch.mm(to_h, out, out=read).view(rows, length, num_heads, each).transpose(1, 2).flatten(0, 1)
        # Gradients take the places of what they belong to.
        for of, share in _parts(weights):
            scores = torch.bmm(given[of], value[of].mT)
            torch.bmm(share.mT, given[of], out=value[of])
            scores = torch._softmax_backward_data(scores, share, -1, torch.float32)
            to_query = torch.bmm(scores, key[of])
            torch.bmm(scores.mT, query[of], out=key[of])
            torch.mul(to_query, each**-0.5, out=query[of])
        to_heads = h.new_empty(rows, length, 3, num_heads, each).permute(2, 0, 3, 1, 4)
        _turn(held[:2], None if turns is None else turns.conj().resolve_conj(), to_heads[:2])
        to_heads[2] = held[2]
        flat = to_heads.permute(1, 3, 0, 2, 4).reshape(-1, 3 * width)
        to_weight = flat.T @ h.reshape(-1, width)
        to_weight = to_weight if turns is None else _parted(to_weight, each)
        return to_h.addmm_(flat, used).view(h.shape), to_weight, to_out, None, None, None


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


def _gate(gate_up: Tensor) -> tuple[Tensor, Tensor]:
    """silu(gate) · up, and sigmoid(gate); of `gate_up` the gate becomes its silu."""
    inner = gate_up.shape[-1] // 2
    hidden, opened = (gate_up.new_empty(*gate_up.shape[:-1], inner) for _ in range(2))
    for both, share, write in zip(_cached(gate_up), _cached(opened), _cached(hidden), strict=True):
        gate, up = both.chunk(2, dim=1)
        torch.sigmoid(gate, out=share)
        torch.mul(gate.mul_(share), up, out=write)
    return hidden, opened


def _gate_gradient(gradient: Tensor, silu_up: Tensor, opened: Tensor) -> Tensor:
    """The gradient (..., 2 I) in the place of `silu_up`; `opened` is used up."""
    for both, share, given in zip(_cached(silu_up), _cached(opened), _cached(gradient), strict=True):
        silu, up = both.chunk(2, dim=1)
        # The derivative of silu is share + silu − share · silu.
        slope = share.addcmul_(silu, share, value=-1).add_(silu).mul_(up)
        torch.mul(given, silu, out=up)
        torch.mul(given, slope, out=silu)
    return silu_up


def _normalise(h: Tensor, epsilon: float) -> Tensor:
    """Scale h in place to RMS 1 over the last axis; returns the factors (..., 1)."""
    scale = torch.linalg.vector_norm(h, dim=-1, keepdim=True)
    scale.square_().div_(h.shape[-1]).add_(epsilon).rsqrt_()
    h.mul_(scale)
    return scale


def _norm_gradient(gradient: Tensor, normed: Tensor, scale: Tensor) -> Tensor:
    along = torch.linalg.vecdot(gradient, normed)[..., None].div_(-normed.shape[-1])
    return torch.addcmul(gradient, normed, along).mul_(scale)


def _cached(matrix: Tensor) -> tuple[Tensor, ...]:
    return matrix.reshape(-1, matrix.shape[-1]).split(CACHED_ROWS)


def _parts(weights: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """A few heads after the other, as many as the cache of a core holds the weights of."""
    num = max(1, CACHED_NUMBERS // (weights.shape[1] * weights.shape[2]))
    for start in range(0, weights.shape[0], num):
        of = slice(start, start + num)
        yield of, weights[of]


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
