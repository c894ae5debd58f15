"""The loss of one age against its definition in float64."""

import math

import pytest
import torch
from torch import Tensor

from arc_solver.model.trm import Carry, Output
from arc_solver.training.loss import cell_loss, stablemax_log, supervision_loss

NO_CARRY = Carry(torch.empty(0), torch.empty(0))
SCALES = (0.1, 1.0, 10.0, 100.0, 1e4)


def defined_stablemax(logits: Tensor) -> Tensor:
    """log p of the paper's stablemax in float64."""
    wide = logits.double()
    s = torch.where(wide >= 0, wide + 1, 1 / (1 - wide))
    return (s / s.sum(dim=-1, keepdim=True)).log()


def wide_logits(seed: int) -> Tensor:
    """Random logits of every scale, and rows of nothing but extremes."""
    rng = torch.Generator().manual_seed(seed)
    parts = [torch.randn(500, 12, generator=rng) * scale for scale in SCALES]
    parts.append((torch.randint(0, 2, (500, 12), generator=rng) * 2 - 1) * 1e4)
    parts.append(torch.randn(500, 12, generator=rng) * 10 ** (torch.rand(500, 12, generator=rng) * 8 - 4))
    return torch.cat(parts)


def output(logits: Tensor, halt: Tensor) -> Output:
    return Output(logits, halt, NO_CARRY)


def test_stablemax_in_float32_is_as_good_as_in_float64() -> None:
    worst = worst_gradient = 0.0
    for seed in range(5):
        logits = wide_logits(seed).requires_grad_()
        targets = torch.randint(0, 12, (len(logits), 1), generator=torch.Generator().manual_seed(seed))
        found, wanted = (f(logits).gather(1, targets)[:, 0] for f in (stablemax_log, defined_stablemax))
        relative = (found - wanted).detach().abs() / wanted.detach().abs().clamp(min=1)
        worst = max(worst, float(relative.max()))
        ours, truth = (torch.autograd.grad(f.sum(), logits, retain_graph=True)[0] for f in (found, wanted))
        worst_gradient = max(worst_gradient, float((ours - truth).abs().max()))
    # Relative where the loss is above 1, absolute below; a gradient is at most 1. Found: 1e-6 and 2e-7.
    assert 0 < worst < 2e-6, worst
    assert worst_gradient < 5e-7, worst_gradient


def test_stablemax_by_hand() -> None:
    # s(1) = 2, s(0) = 1, s(-1) = 1/2: of 3.5.
    probabilities = stablemax_log(torch.tensor([1.0, 0.0, -1.0])).exp()
    torch.testing.assert_close(probabilities, torch.tensor([2, 1, 0.5]) / 3.5)


@pytest.mark.parametrize("kind", ["stablemax", "softmax"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_smoothing_mixes_in_the_uniform_target(kind: str, smoothing: float) -> None:
    logits = torch.randn(2, 3, 12, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([[2, 3, 4], [5, 11, 0]])
    log_p = defined_stablemax(logits) if kind == "stablemax" else logits.double().log_softmax(-1)
    wanted = torch.empty(2, 3, dtype=torch.float64)
    for row in range(2):
        for cell in range(3):
            target = torch.full((12,), smoothing / 12, dtype=torch.float64)
            target[targets[row, cell]] += 1 - smoothing
            wanted[row, cell] = -(target * log_p[row, cell]).sum()
    torch.testing.assert_close(
        cell_loss(logits, targets, kind, smoothing).double(), wanted, atol=1e-6, rtol=0
    )


def test_pad_cells_do_not_count() -> None:
    rng = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 12, generator=rng, requires_grad=True)
    targets = torch.tensor([[2, 0, 0, 3], [0, 0, 0, 5]], dtype=torch.uint8)
    loss = supervision_loss(output(logits, torch.zeros(2)), targets)
    loss.total.backward()
    assert logits.grad is not None
    assert logits.grad[targets == 0].abs().max() == 0
    assert logits.grad[targets != 0].abs().amax(dim=-1).min() > 0
    changed = torch.where((targets == 0)[..., None], 50.0, logits.detach())
    again = supervision_loss(output(changed, torch.zeros(2)), targets)
    assert torch.equal(again.total, loss.total.detach())
    assert torch.equal(again.right, loss.right)


def test_a_row_counts_the_mean_of_its_cells_and_rows_add_up() -> None:
    rng = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 12, generator=rng)
    targets = torch.tensor([[2, 0, 0, 3], [4, 6, 7, 5]], dtype=torch.uint8)
    halt = torch.tensor([0.3, -0.8])
    log_p = defined_stablemax(logits)
    cells = -(log_p[0, 0, 2] + log_p[0, 3, 3]) / 2
    cells -= (log_p[1, 0, 4] + log_p[1, 1, 6] + log_p[1, 2, 7] + log_p[1, 3, 5]) / 4
    halting = math.log(1 + math.exp(0.3)) + math.log(1 + math.exp(-0.8))  # neither is right
    loss = supervision_loss(output(logits, halt), targets)
    assert loss.right.tolist() == [False, False]
    assert loss.cells.item() == pytest.approx(cells.item(), rel=1e-6)
    assert loss.halting.item() == pytest.approx(halting, rel=1e-6)
    assert loss.total.item() == pytest.approx(cells.item() + 0.5 * halting, rel=1e-6)
    light = supervision_loss(output(logits, halt), targets, halt_weight=0.05)
    assert light.total.item() == pytest.approx(cells.item() + 0.05 * halting, rel=1e-6)


def test_halting_learns_whether_the_whole_answer_is_right() -> None:
    targets = torch.tensor([[2, 3, 0], [2, 3, 0], [2, 3, 4]], dtype=torch.uint8)
    logits = torch.nn.functional.one_hot(torch.tensor([[2, 3, 9], [2, 4, 0], [2, 3, 4]]), 12).float()
    halt = torch.tensor([1.0, 1.0, -2.0])
    loss = supervision_loss(output(logits, halt), targets)
    assert loss.right.tolist() == [True, False, True]
    wanted = math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1)) + math.log(1 + math.exp(2))
    assert loss.halting.item() == pytest.approx(wanted, rel=1e-6)


def test_the_continue_output_has_its_own_target() -> None:
    targets = torch.tensor([[2], [3]], dtype=torch.uint8)
    logits = torch.nn.functional.one_hot(torch.tensor([[2], [2]]), 12).float()
    halt = torch.tensor([[0.5, -1.0], [0.2, 2.0]], requires_grad=True)
    wanted = torch.tensor([0.25, 0.75])
    loss = supervision_loss(output(logits, halt), targets, continue_target=wanted)
    loss.total.backward()
    # The gradient of a binary cross-entropy is sigmoid(logit) − target; half of it counts.
    target = torch.tensor([[1, 0.25], [0, 0.75]])
    torch.testing.assert_close(halt.grad, 0.5 * (halt.detach().sigmoid() - target))
