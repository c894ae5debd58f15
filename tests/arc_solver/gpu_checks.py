"""What must hold on a device that trains, as functions of the device: a CPU runs them too."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from arc_solver.config import ModelConfig, PredictConfig, TrainConfig
from arc_solver.domains.arc.examples import ArcQueries
from arc_solver.inference.engine import answer_rows
from arc_solver.model.compiling import Compiler
from arc_solver.model.trm import Carry, Model, Output
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.training.optim import orthogonalized
from arc_solver.training.state import TrainState
from arc_solver.training.step import train_step
from arc_solver.training.warm_up import warm_up
from tests.arc_solver.tiny import MODEL, TRAIN, lively, preset, run, tasks

# Halting by the numbers would let two precisions see other examples.
STILL = dataclasses.replace(TRAIN, exploration=0.0, optimizer="muon", clip=1.0, precision="float32")
# Of a canvas: refill, loss and ageing; the forward, or updates of latent and answer without and with gradient
# (of the latent once more where it has one itself).
GRAPHS = {"on": 3 + 1, "blocks": 3 + 5}
HUGE = 1 << 50  # numbers: no machine has room for them


def state_of(device: torch.device, model: ModelConfig = MODEL, **changes: Any) -> TrainState:
    """A fresh run on `device`; the same arguments give the same numbers."""
    recipe = preset(model, dataclasses.replace(STILL, **changes))
    found = run(recipe)
    fresh = Model(recipe.model, num_rows=found.puzzles.num_rows, seed=0)
    return TrainState(lively(fresh), found.data, recipe.train, device)


def steps(state: TrainState, first: int, last: int, config: TrainConfig = STILL) -> list[float]:
    """The loss of steps `first` up to `last`."""
    losses = []
    for number in range(first, last):
        batches = [batch.to(state.batches.device) for batch in state.batches.paint(number)]
        losses.append(train_step(state, batches, config, 1.0)[1].item())
    state.guard.check()
    return losses


def bfloat16_follows_float32(device: torch.device) -> None:
    """The loss is the same to the precision of bfloat16, and is not float32 in disguise."""
    exact = steps(state_of(device), 0, 3)
    rough = steps(state_of(device, precision="bfloat16"), 0, 3)
    assert rough != exact
    for ours, theirs in zip(rough, exact, strict=True):
        assert abs(ours - theirs) < 0.05 * abs(theirs), (rough, exact)


def compiling_changes_nothing(device: torch.device, wish: str = "on") -> None:
    """The loss is the same to rounding; all is compiled before the first step, without breaks."""
    plain = steps(state_of(device, compile="off"), 0, 4)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    state = state_of(device, compile=wish)
    warm_up(state, STILL)
    frames = dict(torch._dynamo.utils.counters["frames"])
    assert frames["ok"] == frames["total"] == GRAPHS.get(wish, GRAPHS["blocks"]) * len(state.slots)
    assert not torch._dynamo.utils.counters["graph_break"]
    compiled = steps(state, 0, 4)
    assert dict(torch._dynamo.utils.counters["frames"]) == frames
    for ours, theirs in zip(compiled, plain, strict=True):
        assert abs(ours - theirs) < 1e-3 * abs(theirs), (compiled, plain)


def answering_compiled_changes_nothing(device: torch.device) -> None:
    """The same answers, by two graphs a canvas whatever the number of rows, but for a single one."""
    listed = tasks(5, sides=(3, 4, 5, 6, 6))
    puzzles = PuzzleMap.build(listed, "rows", 4, seed=0)
    config = dataclasses.replace(MODEL, cycles=1, latent_steps=1)
    model = lively(Model(config, num_rows=puzzles.num_rows, seed=1)).requires_grad_(False).to(device)
    data = ArcQueries(listed, range(len(listed)), puzzles, 4)

    def answers(rows: int) -> dict[int, bytes]:
        found = answer_rows(model, data, PredictConfig(ages=4, batch_size=rows, halt_logit=0.0))
        return {int(row): left.tokens[i].tobytes() for left in found for i, row in enumerate(left.rows)}

    plain = answers(7)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    model.run = Compiler()
    for rows in (7, 3, 12):
        assert answers(rows) == plain
    assert not model.run.failed
    assert torch._dynamo.utils.counters["frames"]["ok"] in (2, 4)


def resuming_goes_on(device: torch.device, tolerance: float) -> None:
    """Two steps, all tensors moved to a fresh state, two more: four steps."""
    whole = state_of(device)
    steps(whole, 0, 4)
    before = state_of(device)
    steps(before, 0, 2)
    saved = {name: t.detach().cpu().clone() for name, t in before.tensors().items()}
    later = state_of(device)
    later.load_tensors(saved)
    later.step = before.step
    steps(later, 2, 4)
    wanted, got = whole.tensors(), later.tensors()
    assert wanted.keys() == got.keys()
    for name in wanted:
        assert got[name].device == wanted[name].device
        torch.testing.assert_close(got[name], wanted[name], atol=tolerance, rtol=tolerance, msg=name)


class Cramped(torch.nn.Module):
    """A model that asks the device for more memory than there is when more than `most` rows come at once."""

    def __init__(self, model: Model, most: int) -> None:
        super().__init__()
        self.model, self.config, self.most = model, model.config, most
        self.first_answer, self.refused = model.first_answer, 0

    def first_carry(self, rows: int, positions: int) -> Carry:
        return self.model.first_carry(rows, positions)

    def forward(self, tokens: Tensor, *rest: Any) -> Output:
        if tokens.shape[0] > self.most:
            self.refused += 1
            torch.empty(HUGE, device=tokens.device)
        return self.model(tokens, *rest)


def lack_of_memory_halves_the_rows(device: torch.device) -> None:
    """What the allocator of the device raises is understood, and the answers are those of enough memory."""
    listed = tasks(5, sides=(3, 8, 6))
    puzzles = PuzzleMap.build(listed, "rows", 4, seed=0)
    model = lively(Model(MODEL, num_rows=puzzles.num_rows, seed=1)).requires_grad_(False).to(device)
    data = ArcQueries(listed, range(len(listed)), puzzles, 4)

    def answers(asked: Any) -> dict[tuple[int, int], bytes]:
        return {
            (left.group, int(row)): left.tokens[i].tobytes()
            for left in answer_rows(asked, data, PredictConfig(ages=2, batch_size=8))
            for i, row in enumerate(left.rows)
        }

    cramped = Cramped(model, 2)
    assert answers(cramped) == answers(model)
    assert cramped.refused


def muon_survives_bfloat16(device: torch.device, dtype: torch.dtype) -> None:
    """Of a matrix in `dtype` the nearly orthogonal one points where the float32 one on a CPU does."""
    generator = torch.Generator().manual_seed(3)
    for shape in ((2, 48, 16), (3, 32, 32), (1, 16, 40)):
        matrices = torch.randn(shape, generator=generator)
        wanted = orthogonalized(matrices)
        got = orthogonalized(matrices.to(device, dtype)).float().cpu()
        values = torch.linalg.svdvals(got)
        assert values.min() > 0.3, shape
        assert values.max() < 1.5, shape
        alike = torch.nn.functional.cosine_similarity(got.flatten(), wanted.flatten(), dim=0)
        assert alike > 0.98, (shape, float(alike))
