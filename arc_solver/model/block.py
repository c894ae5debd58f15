"""One post-norm block: mix positions, then SwiGLU, within which cells may be mixed as well.

Shapes: B rows, L positions, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from arc_solver.config import ModelConfig
from arc_solver.model.flat import Layout
from arc_solver.model.fused_attention import attend_flat
from arc_solver.model.fused_feed_forward import feed_forward_flat
from arc_solver.model.layers import NORM_EPS, norm
from arc_solver.model.mixers import Attention, MixingSwiGLU, NeighbourSwiGLU, SwiGLU
from arc_solver.model.positions import Canvas


class Block(nn.Module):
    """h <- norm(h + mix(h)), left out without a mixer; h <- norm(h + swiglu(h)), (B, L, D) to (B, L, D)."""

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.attention: Attention | None = None
        self.mixer: SwiGLU | None = None
        if config.mixer == "attention":
            self.attention = Attention(config, generator)
        elif config.mixer == "mlp":
            positions = config.prefix + config.length
            self.mixer = SwiGLU(positions, config.inner(positions), generator)
        if config.neighbours:
            self.feed_forward: SwiGLU = NeighbourSwiGLU(config, generator)
        elif config.convolution or config.peers:
            self.feed_forward = MixingSwiGLU(config, generator)
        else:
            self.feed_forward = SwiGLU(config.width, config.inner(config.width), generator)

    def forward(self, h: Tensor, canvas: Canvas | Layout) -> Tensor:
        if isinstance(canvas, Layout):
            return self._flat(h, canvas)
        if self.attention is not None:
            h = self.attention.added(h, canvas)
        elif self.mixer is not None:
            # The norm of the mixer runs over positions, as in the published code.
            turned = h.transpose(1, 2)
            h = norm(turned + self.mixer(turned)).transpose(1, 2)
        return self.feed_forward.added(h, canvas)

    def _flat(self, h: Tensor, layout: Layout) -> Tensor:
        """The same for several canvases at once, (N, D) to (N, D), for blocks with attention; see `flat`."""
        assert self.attention is not None
        h = attend_flat(h, self.attention.projections(), layout, self.attention.num_heads, NORM_EPS)
        return feed_forward_flat(h, self.feed_forward.weights(), layout, NORM_EPS)
