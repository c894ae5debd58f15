"""The optimizers of the dense weights and their moving average; rows have their own (puzzle_embedding)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

from arc_solver.config import TrainConfig
from arc_solver.model.trm import Model

# Quintic iteration of Muon (Jordan et al. 2024): drives all singular values of a matrix toward 1.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
ADAMW_EPSILON = 1e-8


class Adam:
    """The moving averages of gradients and of their squares, which both kinds of Adam keep."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], config: TrainConfig) -> None:
        self.parameters = dict(parameters)
        self.betas, self.decay = (config.beta1, config.beta2), config.weight_decay
        self.mean = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.square = {name: torch.zeros_like(p) for name, p in self.parameters.items()}


class AdamATan2(Adam):
    """Adam whose step is atan2(m̂, sqrt(v̂)): no epsilon, never longer than pi/2 · lr (arXiv 2407.05872)."""

    @torch.no_grad()
    def step(self, learning_rate: float, count: int) -> None:
        """Update every parameter with its gradient; `count` is this step's number, from 1."""
        parameters = list(self.parameters.values())
        gradients = [p.grad for p in parameters]
        mean, square = list(self.mean.values()), list(self.square.values())
        torch._foreach_lerp_(mean, gradients, 1 - self.betas[0])
        torch._foreach_mul_(square, self.betas[1])
        torch._foreach_addcmul_(square, gradients, gradients, 1 - self.betas[1])
        scale = torch._foreach_div(square, 1 - self.betas[1] ** count)
        torch._foreach_sqrt_(scale)
        torch._foreach_mul_(scale, 1 - self.betas[0] ** count)  # atan2(m / c, s) == atan2(m, s · c) for c > 0
        torch._foreach_mul_(parameters, 1 - learning_rate * self.decay)
        torch._foreach_add_(parameters, _atan2(mean, scale), alpha=-learning_rate)

    def state(self) -> dict[str, Tensor]:
        """Every tensor that must survive a restart, by name."""
        return {f"{name}.mean": t for name, t in self.mean.items()} | {
            f"{name}.square": t for name, t in self.square.items()
        }


def _atan2(over: list[Tensor], under: list[Tensor]) -> list[Tensor]:
    """atan2 of every pair; on a GPU in one kernel, which on a CPU would round some ends differently."""
    if not over[0].is_cuda:
        return [m.atan2(s) for m, s in zip(over, under, strict=True)]
    joined = _flatten_dense_tensors(over).atan2(_flatten_dense_tensors(under))
    return list(_unflatten_dense_tensors(joined, over))


class AdamW(Adam):
    """Adam with decoupled decay (arXiv 1711.05101), bit for bit torch.optim.AdamW(foreach=True).

    Importing the latter loads all of torch's compiler: seconds at the start of every run.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], config: TrainConfig) -> None:
        super().__init__(parameters, config)
        # On the host, where bias correction needs them; one per parameter, as in torch.
        self.counts = {name: torch.zeros(()) for name in self.parameters}

    @torch.no_grad()
    def step(self, learning_rate: float, count: int) -> None:
        """Update every parameter with its gradient; counts its own updates."""
        del count
        torch._foreach_add_(list(self.counts.values()), 1.0)
        number = next(iter(self.counts.values())).item()
        parameters = list(self.parameters.values())
        gradients = [p.grad for p in parameters]
        mean, square = list(self.mean.values()), list(self.square.values())
        torch._foreach_mul_(parameters, 1 - learning_rate * self.decay)
        torch._foreach_lerp_(mean, gradients, 1 - self.betas[0])
        torch._foreach_mul_(square, self.betas[1])
        torch._foreach_addcmul_(square, gradients, gradients, 1 - self.betas[1])
        scale = torch._foreach_sqrt(square)
        torch._foreach_div_(scale, (1 - self.betas[1] ** number) ** 0.5)
        torch._foreach_add_(scale, ADAMW_EPSILON)
        torch._foreach_addcdiv_(parameters, mean, scale, -learning_rate / (1 - self.betas[0] ** number))

    def state(self) -> dict[str, Tensor]:
        """Every tensor that must survive a restart, by name."""
        return {
            f"{name}.{key}": t
            for name in self.parameters
            for key, t in (
                ("step", self.counts[name]),
                ("exp_avg", self.mean[name]),
                ("exp_avg_sq", self.square[name]),
            )
        }


class Muon:
    """Momentum whose matrices are orthogonalized before the step; equal shapes are done in one batch.

    torch.optim.Muon computes in bfloat16, one matrix at a time: on a CPU without bfloat16 units, 100 times
    slower than this float32 form. On a GPU the iteration runs in bfloat16 here too.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], config: TrainConfig) -> None:
        self.parameters = dict(parameters)
        self.momentum, self.decay = config.momentum, config.weight_decay
        self.buffer = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        shapes: dict[torch.Size, list[str]] = {}
        for name, p in self.parameters.items():
            shapes.setdefault(p.shape, []).append(name)
        self.groups = list(shapes.values())

    @torch.no_grad()
    def step(self, learning_rate: float, count: int) -> None:
        """Update every matrix with its gradient (Nesterov momentum, decoupled decay)."""
        del count
        for names in self.groups:
            matrices = [self.parameters[name] for name in names]
            gradients = [p.grad for p in matrices]
            buffers = [self.buffer[name] for name in names]
            torch._foreach_lerp_(buffers, gradients, 1 - self.momentum)
            stacked = torch.stack(torch._foreach_lerp(gradients, buffers, self.momentum))
            rows, columns = stacked.shape[-2:]
            updates = orthogonalized(stacked) * max(1.0, rows / columns) ** 0.5
            torch._foreach_mul_(matrices, 1 - learning_rate * self.decay)
            torch._foreach_add_(matrices, list(updates.to(matrices[0].dtype)), alpha=-learning_rate)

    def state(self) -> dict[str, Tensor]:
        """Every tensor that must survive a restart, by name."""
        return {f"{name}.momentum": t for name, t in self.buffer.items()}


def orthogonalized(matrices: Tensor) -> Tensor:
    """Nearly orthogonal matrices (K, R, C) with the same singular vectors (Newton–Schulz)."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.bfloat16() if matrices.is_cuda and torch.cuda.is_bf16_supported() else matrices
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Optimizers:
    """The optimizers of dense weights as one; Muon, if used, takes the matrices of blocks, Adam the rest."""

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.config = config
        self.parameters = list(named.values())
        self.keeps_gradients = False
        vector_rate = config.vector_learning_rate or config.learning_rate
        self.members: list[tuple[str, AdamATan2 | AdamW | Muon, float]]
        if config.optimizer == "muon":
            matrices = {n: p for n, p in named.items() if "_blocks." in n and p.dim() == 2}
            rest = {n: p for n, p in named.items() if n not in matrices}
            self.members = [
                ("muon", Muon(matrices, config), config.learning_rate),
                ("adamw", AdamW(rest, config), vector_rate),
            ]
        elif config.optimizer == "adamw":
            self.members = [("adamw", AdamW(named, config), config.learning_rate)]
        else:
            self.members = [("adam_atan2", AdamATan2(named, config), config.learning_rate)]

    def step(self, factor: float, count: int) -> None:
        """One update at `factor` times the configured rates; `count` is this step's number, from 1."""
        for _, member, rate in self.members:
            member.step(rate * factor, count)
        self.drop_gradients()

    def drop_gradients(self) -> None:
        """Forget the gradients of all parameters."""
        if self.keeps_gradients:
            torch._foreach_zero_([p.grad for p in self.parameters if p.grad is not None])
            return
        for p in self.parameters:
            p.grad = None

    def keep_gradients(self) -> None:
        """From now on gradients keep their tensors, which are set to zero instead of dropped."""
        for p in self.parameters:
            p.grad = torch.zeros_like(p)
        self.keeps_gradients = True

    def state(self) -> dict[str, Tensor]:
        """Live tensors of all members by name; copying into them restores a run."""
        return {f"{kind}.{name}": t for kind, member, _ in self.members for name, t in member.state().items()}


class MovingAverage:
    """Exponential moving average of the dense weights, and of the rows if asked."""

    def __init__(self, model: Model, averaged: Model, decay: float, rows: bool) -> None:
        self.source = list(model.parameters())
        self.target = list(averaged.parameters())
        self.rows = (averaged.puzzle.rows, model.puzzle.rows) if rows else None
        self.decay = decay

    @torch.no_grad()
    def update(self, sound: Tensor | None = None) -> None:
        """target <- decay · target + (1 − decay) · source; no row changes if the flag `sound` is false."""
        torch._foreach_lerp_(self.target, self.source, 1 - self.decay)
        if self.rows is not None:
            target, source = self.rows
            target.lerp_(source if sound is None else torch.where(sound, source, target), 1 - self.decay)
