"""The Tiny Recursive Model (arXiv 2510.04871), its ablations, and HRM as one setting of it.

Shapes: B rows, P prefix positions, L tokens, S = P + L positions, D width, V tokens of the vocabulary.
The paper's T is `cycles`, its n `latent_steps`; its x, y, z are `question`, `answer`, `latent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from arc_solver.config import Groups, ModelConfig
from arc_solver.model.block import Block
from arc_solver.model.compiling import plainly
from arc_solver.model.flat import Layout, Segment, join, split, turns_of
from arc_solver.model.fused_attention import keeps_weights
from arc_solver.model.fused_norm import fits
from arc_solver.model.layers import Linear, lookup, truncated_normal
from arc_solver.model.positions import Canvas, rotary_table
from arc_solver.model.puzzle_embedding import PuzzleEmbedding
from arc_solver.model.symbols import SymbolEmbedding

HALT_BIAS = -5.0


class Carry(NamedTuple):
    """The state of rows: answer (B, S, D) and latent (B, S, D), or (B, k, S, D) for k latents."""

    answer: Tensor
    latent: Tensor

    def detach(self) -> Carry:
        return Carry(self.answer.detach(), self.latent.detach())


class Asked(NamedTuple):
    """The input of a forward pass: rows on one canvas (height, width)."""

    tokens: Tensor  # (B, L)
    codes: Tensor  # (B, 12)
    carry: Carry
    canvas: tuple[int, int]
    vectors: Tensor | None = None  # (B, row width), gathered where None


class Output(NamedTuple):
    """Logits (B, L, V), halting logits (B,) or with the continue output (B, 2), and the carry.

    `hints` (B, L, K) are the logits of dense labels, in training only.
    """

    logits: Tensor
    halt: Tensor
    carry: Carry
    hints: Tensor | None = None


class Model(nn.Module):
    """Embeds a question and refines its answer; each forward pass gives the answer and a halting logit.

    `groups` are the groups of cells of the domain, see `mixers.GroupSums`.
    """

    def __init__(
        self, config: ModelConfig, num_rows: int = 1, seed: int = 0, groups: Groups | None = None
    ) -> None:
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        width = config.width
        if config.symbols:
            self.symbols = SymbolEmbedding(config, generator)
        else:
            self.token_embedding = nn.Parameter(
                truncated_normal((config.vocabulary, width), width**-0.5, generator)
            )
        self.puzzle = PuzzleEmbedding(config, num_rows, generator)
        layers = range(config.num_layers)
        self.latent_blocks = nn.ModuleList(Block(config, groups, generator) for _ in layers)
        self.answer_blocks = (
            nn.ModuleList(Block(config, groups, generator) for _ in layers) if config.networks == 2 else None
        )
        self.head = Linear(width, 1 if config.symbols else config.vocabulary, generator)
        num_halts = 2 if config.continue_output else 1
        self.halt_weight = nn.Parameter(torch.zeros(num_halts, width))
        self.halt_bias = nn.Parameter(torch.full((num_halts,), HALT_BIAS))
        self.first_answer: Tensor
        self.first_latent: Tensor
        self.register_buffer("first_answer", truncated_normal((width,), 1.0, generator))
        self.register_buffer("first_latent", truncated_normal((width,), 1.0, generator))
        if config.positions == "learned":
            self.position_embedding = nn.Parameter(
                truncated_normal((config.prefix + config.length, width), width**-0.5, generator)
            )
        self.hint_head = Linear(width, config.hints, generator) if config.hints else None
        self.compute_dtype = torch.float32
        self.run: Callable[..., Any] = plainly  # calls the updates; a `Compiler` if they are compiled
        self.rounded_factors = False  # of float32 products on a CPU, see `fused_norm.factors`
        self._places: dict[tuple[int, int, torch.device], Canvas] = {}
        self._turns: dict[tuple[int, int], Tensor | None] = {}

    def first_carry(self, rows: int, positions: int) -> Carry:
        """The state of `rows` rows before their first forward pass (views of y0 and z0, not copies)."""
        answer = self.first_answer.to(self.compute_dtype).expand(rows, positions, -1)
        latent = self.first_latent.to(self.compute_dtype)
        k = self.config.num_latents
        shape = (rows, k, positions, -1) if k > 1 else (rows, positions, -1)
        return Carry(answer, latent.expand(*shape))

    def embed(self, tokens: Tensor, codes: Tensor, vectors: Tensor | None) -> Tensor:
        """The question x (B, S, D) for tokens (B, L), puzzle codes (B, 12) and their gathered vectors."""
        if self.config.symbols:
            return self.symbols(tokens).to(self.compute_dtype)
        prefix = self.puzzle(vectors, codes, self.token_embedding)
        question = torch.cat((prefix, lookup(self.token_embedding, tokens)), dim=1)
        if self.config.positions == "learned":
            question = (question + self.position_embedding) * 0.5**0.5
        return (question * self.config.width**0.5).to(self.compute_dtype)

    def forward(
        self,
        tokens: Tensor,
        codes: Tensor,
        carry: Carry,
        canvas: tuple[int, int],
        vectors: Tensor | None = None,
        depth: tuple[int, int] | None = None,
        attached: bool = False,
    ) -> Output:
        """(cycles − 1) refinements without gradient, then one with it; `canvas` is (height, width).

        `depth` is (cycles, latent_steps), by default the configured ones. The carry is detached unless
        `attached`, for the gradient of a later age.
        """
        asked = Asked(tokens, codes, carry, canvas, vectors)
        layout = self.layout([asked])
        if layout is not None:
            return self._together([asked], layout, depth, attached)[0]
        question = self._question(asked)
        place = self.place(canvas, tokens.device)
        if self.config.wall_token:
            free = (tokens != self.config.wall_token).view(-1, *canvas, 1)
            place = place._replace(free=free)
        return self._output(tokens, self._refined(question, carry, place, depth), attached)

    def together(
        self, asked: Sequence[Asked], depth: tuple[int, int] | None = None, attached: bool = False
    ) -> list[Output]:
        """`forward` for several canvases, in one pass if they can be joined."""
        layout = self.layout(asked)
        if layout is None:
            return [self(*each, depth, attached) for each in asked]
        return self._together(asked, layout, depth, attached)

    def _together(
        self, asked: Sequence[Asked], layout: Layout, depth: tuple[int, int] | None, attached: bool
    ) -> list[Output]:
        questions = [self._question(each) for each in asked]
        states = zip(*(each.carry for each in asked), strict=True)
        question, answer, latent = (join(parts, layout.prefix) for parts in (questions, *states))
        carry = self._refined(question, Carry(answer, latent), layout, depth)
        carries = zip(split(carry.answer, layout), split(carry.latent, layout), strict=True)
        return [
            self._output(each.tokens, Carry(*parts), attached)
            for each, parts in zip(asked, carries, strict=True)
        ]

    @property
    def joins(self) -> bool:
        """Whether blocks take all canvases at once: attention, then a SwiGLU, maybe with a convolution."""
        mixers, few = {*self.config.mixers}, self.config.num_latents == 1
        return few and {"attention"} <= mixers <= {"attention", "convolution"}

    def layout(self, asked: Sequence[Asked]) -> Layout | None:
        """How the rows are joined in one matrix; None if they should not be."""
        if self.run is not plainly or not (self.joins and fits(asked[0].carry.answer)):
            return None
        for each in asked:
            if each.canvas not in self._turns:
                self._turns[each.canvas] = turns_of(self.place(each.canvas, each.tokens.device).rotary)
        segments = [Segment(each.tokens.shape[0], *each.canvas, self._turns[each.canvas]) for each in asked]
        layout = Layout(self.config.prefix, tuple(segments), self.rounded_factors)
        return layout if keeps_weights(layout, self.config.num_heads) else None

    def _question(self, asked: Asked) -> Tensor:
        vectors = self.puzzle.gather(asked.codes) if asked.vectors is None else asked.vectors
        return self.embed(asked.tokens, asked.codes, vectors)

    def _refined(
        self, question: Tensor, carry: Carry, place: Canvas | Layout, depth: tuple[int, int] | None
    ) -> Carry:
        cycles, latent_steps = depth or (self.config.cycles, self.config.latent_steps)
        with torch.no_grad():
            still = question.detach()
            for _ in range(cycles - 1):
                carry = self.refine(still, carry, place, latent_steps)
        return self.refine(question, carry, place, latent_steps)

    def _output(self, tokens: Tensor, carry: Carry, attached: bool) -> Output:
        if self.config.symbols:
            cells, logits = None, self.symbols.logits(tokens, carry.answer, self.head.weight)
            seen = carry.answer.float().mean(dim=1, keepdim=True)
        else:
            cells = carry.answer[:, self.config.prefix :]
            logits = self.head(cells).float()
            seen = carry.answer[:, :1].float()
        hints = None
        if self.hint_head is not None and cells is not None and torch.is_grad_enabled():
            hints = self.hint_head(cells).float()
        # A sum per row: the rounding of a matrix-vector product depends on the number of rows.
        halt = (seen * self.halt_weight).sum(dim=-1) + self.halt_bias
        halts = halt if self.config.continue_output else halt[:, 0]
        return Output(logits, halts, carry if attached else carry.detach(), hints)

    def refine(self, question: Tensor, carry: Carry, place: Canvas | Layout, steps: int) -> Carry:
        """Think `steps` times, then revise the answer once."""
        if self.config.num_latents != 1:
            return self._refine_ablated(question, carry, place, steps)
        answer, latent = carry
        if self.config.gradient == "last" and torch.is_grad_enabled():
            with torch.no_grad():
                for _ in range(steps - 1):
                    latent = self.think(place, latent, answer, question)
            steps = 1
        for _ in range(steps):
            latent = self.think(place, latent, answer, question)
        return Carry(self.revise(place, answer, latent), latent)

    def _refine_ablated(self, question: Tensor, carry: Carry, place: Canvas | Layout, steps: int) -> Carry:
        """Without a latent, the answer is updated n + 1 times; of k latents, update i rewrites i mod k.

        The sum of the k latents is added to an input.
        """
        answer, latent = carry
        last = self.config.gradient == "last" and torch.is_grad_enabled()
        if self.config.num_latents == 0:
            for i in range(steps + 1):
                with torch.set_grad_enabled(torch.is_grad_enabled() and (not last or i == steps)):
                    answer = self.think(place, answer, question)
            return Carry(answer, latent)
        latents = list(latent.unbind(1))
        for i in range(steps):
            with torch.set_grad_enabled(torch.is_grad_enabled() and (not last or i == steps - 1)):
                total = cast(Tensor, sum(latents))
                latents[i % len(latents)] = self.think(place, total, answer, question)
        return Carry(self.revise(place, answer, cast(Tensor, sum(latents))), torch.stack(latents, 1))

    def think(self, place: Canvas | Layout, *parts: Tensor) -> Tensor:
        """f of the latent."""
        return cast(Tensor, self.run(updated, self.latent_blocks, place, *parts))

    def revise(self, place: Canvas | Layout, *parts: Tensor) -> Tensor:
        """f of the answer: the same network unless `networks` is 2."""
        blocks = self.answer_blocks if self.answer_blocks is not None else self.latent_blocks
        return cast(Tensor, self.run(updated, blocks, place, *parts))

    def place(self, canvas: tuple[int, int], device: torch.device) -> Canvas:
        """A canvas (height, width) with its rotary table, made once per canvas and device."""
        key = (*canvas, device)
        if key not in self._places:
            head_width = self.config.width // self.config.num_heads
            # Training may later use a table that a prediction makes.
            with torch.inference_mode(False):
                table = rotary_table(self.config.positions, self.config.prefix, *canvas, head_width)
                rotary = None if table is None else (table[0].to(device), table[1].to(device))
            self._places[key] = Canvas(self.config.prefix, *canvas, rotary)
        return self._places[key]._replace(rounded=self.rounded_factors)


def updated(blocks: Iterable[Block], place: Canvas | Layout, first: Tensor, *others: Tensor) -> Tensor:
    """f of a sum: this is compiled, since it is the same at every depth."""
    h = first
    for other in others:
        h = h + other
    for block in blocks:
        h = block(h, place)
    return h


def halting_logit(halt: Tensor) -> Tensor:
    """The logit (B,) that is positive when a row is done: halt, or halt − continue where both exist."""
    return halt if halt.dim() == 1 else halt[:, 0] - halt[:, 1]
