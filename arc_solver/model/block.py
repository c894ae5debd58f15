"""One post-norm block: a mixer over positions, then a SwiGLU, within which cells may be mixed as well.

Shapes: B rows, P prefix positions, S = P + cells positions, D width, I inner width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from arc_solver.config import Groups, ModelConfig
from arc_solver.model.flat import Layout
from arc_solver.model.fused_attention import attend_flat
from arc_solver.model.fused_feed_forward import Weights, feed_forward, feed_forward_flat
from arc_solver.model.layers import NORM_EPS, SwiGLU, norm
from arc_solver.model.mixers import Attention, CellMixer, Convolution, PositionMixer, mixers_of
from arc_solver.model.positions import Canvas, shape_of


class FeedForward(SwiGLU):
    """A SwiGLU within which the CellMixers of the recipe mix the cells, in order; the prefix takes no part.

    If nothing else informs the prefix about the cells, the first mixer does, for the halting head; the cells
    never learn of the prefix then.
    """

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__(config.width, config.inner(config.width), generator)
        kinds = mixers_of(config)
        self.names = [name for name, kind in kinds.items() if issubclass(kind, CellMixer)]
        for name in self.names:
            self.add_module(name, kinds[name](config, groups, generator))
        alone = len(self.names) == len(kinds) or any(mixer.informs_prefix for mixer in self.mixers)
        self.informs_prefix = alone and config.prefix > 0

    @property
    def mixers(self) -> list[CellMixer]:
        """The cell mixers in the order in which they are applied."""
        return [getattr(self, name) for name in self.names]

    def mixed(self, hidden: Tensor, canvas: Canvas) -> Tensor:
        """The inner activations (B, S, I) with their cells mixed."""
        prefix, cells = hidden[:, : canvas.prefix], hidden[:, canvas.prefix :]
        if self.informs_prefix:
            prefix = prefix + self.mixers[0].summary(cells, canvas)
        for mixer in self.mixers:
            cells = mixer(cells, canvas)
        return torch.cat((prefix, cells), dim=1) if canvas.prefix else cells

    def added(self, h: Tensor, canvas: Canvas) -> Tensor:
        """norm(h + self(h)) with mixed cells, (B, S, D) to (B, S, D)."""
        if self.informs_prefix or self.names not in ([], ["convolution"]):
            return norm(h + self.down(self.mixed(self.hidden(h), canvas)))
        return feed_forward(h, self.weights(), shape_of(canvas), NORM_EPS, canvas.rounded)

    def weights(self) -> Weights:
        """The weights for the fused form, which knows no mixer but a convolution."""
        kernel = next((mixer.kernel() for mixer in self.mixers if isinstance(mixer, Convolution)), None)
        return Weights(self.gate_up.weight, self.down.weight, kernel)


class Block(nn.Module):
    """h <- norm(h + mix(h)) for every PositionMixer; h <- norm(h + swiglu(h)); (B, S, D) to (B, S, D)."""

    def __init__(self, config: ModelConfig, groups: Groups | None, generator: torch.Generator) -> None:
        super().__init__()
        kinds = mixers_of(config)
        self.names = [name for name, kind in kinds.items() if issubclass(kind, PositionMixer)]
        for name in self.names:
            self.add_module(name, kinds[name](config, groups, generator))
        self.feed_forward = FeedForward(config, groups, generator)

    def forward(self, h: Tensor, canvas: Canvas | Layout) -> Tensor:
        if isinstance(canvas, Layout):
            return self._flat(h, canvas)
        for name in self.names:
            h = getattr(self, name).added(h, canvas)
        return self.feed_forward.added(h, canvas)

    def _flat(self, h: Tensor, layout: Layout) -> Tensor:
        """The same for several canvases at once, (N, D) to (N, D), if the block has attention; see `flat`."""
        attention = self.attention
        assert isinstance(attention, Attention)
        h = attend_flat(h, attention.projections(), layout, attention.num_heads, NORM_EPS)
        return feed_forward_flat(h, self.feed_forward.weights(), layout, NORM_EPS)
