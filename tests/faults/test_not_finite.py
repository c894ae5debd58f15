"""NaN and infinity put into a run: no weight, optimizer, average or file learns them; the exit names them."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import checkpoints
from arc_solver.checkpoints.weights import read_tensors
from arc_solver.training import step as training_step
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.loss import Loss
from arc_solver.training.non_finite import NotFinite
from arc_solver.training.run_checkpoint import resume, save_state
from tests.arc_solver.tiny import TRAIN, Run, preset, run
from tests.tally import record, some

VALUES = (math.nan, math.inf, -math.inf)
STEPS = (1, 2, 4, 6)  # the first, one after a save, one in between, the last
PLACES = range(5)
RECIPE = preset(train=dataclasses.replace(TRAIN, save_every=2))


@dataclass(frozen=True)
class Injection:
    """A bad value in a quantity at a step; `place` chooses the canvas, the tensor and the element."""

    quantity: str
    value: float
    step: int
    place: int


INJECTIONS = [
    Injection(*case) for case in itertools.product(("loss", "gradient", "weight"), VALUES, STEPS, PLACES)
]


def spread(found: Run) -> list[str]:
    """Five dense weights of different kinds."""
    names = [name for name, _ in found.state.model.named_parameters()]
    return [names[place * (len(names) - 1) // (len(PLACES) - 1)] for place in PLACES]


def inject(found: Run, case: Injection, patch: pytest.MonkeyPatch) -> None:
    """Arrange it; called before the step that is to meet it."""
    parameters = dict(found.state.model.named_parameters())
    parameter = parameters[spread(found)[case.place]]
    element = (case.place * 7) % parameter.numel()
    if case.quantity == "weight":
        with torch.no_grad():
            if case.place == 0:  # of every puzzle, since only those of the batch are read
                found.state.model.puzzle.rows[:, 3] = case.value
            else:
                parameter.view(-1)[element] = case.value
    elif case.quantity == "gradient" and case.place == 0:
        spoil_rows(found, case.value)
    elif case.quantity == "gradient":
        mask = torch.zeros(parameter.numel()).index_fill(0, torch.tensor([element]), 1).bool()
        parameter.register_hook(lambda g: g.masked_fill(mask.view_as(g), case.value))
    else:
        patch.setattr(training_step, "supervision_loss", spoiled_loss(case))


def spoiled_loss(case: Injection) -> Callable[..., Loss]:
    """The loss, bad on the canvas that `place` says: in its cells, its halting, or as a whole."""
    real, calls = training_step.supervision_loss, itertools.count()

    def loss(*arguments: object, **options: object) -> Loss:
        good = real(*arguments, **options)  # type: ignore[arg-type]
        if next(calls) != case.place % 2:
            return good
        return good._replace(total=good.total + good.total.new_full((), case.value))

    return loss


def spoil_rows(found: Run, value: float) -> None:
    """Let the gradient of every row of the batch be bad in one place."""
    gather = found.state.model.puzzle.gather

    def spoiled(codes: Tensor, *, requires_grad: bool = False) -> Tensor | None:
        vectors = gather(codes, requires_grad=requires_grad)
        if vectors is not None and requires_grad:
            vectors.register_hook(lambda g: g.index_fill(1, torch.tensor([2]), value))
        return vectors

    found.state.model.puzzle.gather = spoiled  # type: ignore[method-assign]


def learned(found: Run) -> dict[str, Tensor]:
    """Copies of weights, rows, average and optimizers."""
    return {n: t.clone() for n, t in found.state.tensors().items() if not n.startswith("slots.")}


def save(found: Run, folder: Path) -> None:
    save_state(folder, found.state, found.preset, found.puzzles, found.data, {})


def until(found: Run, step: int, folder: Path) -> None:
    """Train to the step, saving on the way."""
    hooks = Hooks(save=lambda: save(found, folder))
    config = found.preset.train
    run_steps(found.state, config, Limits(stop=lambda: found.state.step >= step), hooks)


def faults_of(
    case: Injection, folder: Path, whole: dict[str, Tensor], patch: pytest.MonkeyPatch
) -> list[str]:
    """Everything that is not as promised."""
    found = run(RECIPE)
    until(found, case.step - 1, folder)
    before = learned(found)
    inject(found, case, patch)
    poisoned = {name for name, t in learned(found).items() if not torch.equal(t, before[name])}
    try:
        until(found, RECIPE.train.steps, folder)
        return ["nothing stopped it"]
    except NotFinite as error:
        text = str(error)
    wrong = [] if text.startswith(f"step {case.step}: the {case.quantity} is not") else [text]
    after = learned(found)
    clean = [name for name in after if name not in poisoned]
    wrong += [f"{name} learned it" for name in clean if not torch.equal(after[name], before[name])]
    for path in checkpoints(folder):
        for name, t in read_tensors(path)[1].items():
            if not t.isfinite().all():
                wrong.append(f"{path.name} holds it in {name}")
    patch.undo()
    again = run(RECIPE)
    resume(folder, again.state, again.preset, again.data, wrong.append)
    until(again, RECIPE.train.steps, folder)
    end = again.state.tensors()
    return wrong + [f"{name} ended otherwise" for name, t in whole.items() if not torch.equal(t, end[name])]


def test_what_is_not_finite_reaches_nothing(tmp_path: Path) -> None:
    whole = run(RECIPE)
    until(whole, RECIPE.train.steps, tmp_path)
    expected = {name: t.clone() for name, t in whole.state.tensors().items()}
    cases, wrong = some(INJECTIONS, "NOT_FINITE", 9), {}
    assert len(INJECTIONS) == 180
    for number, case in enumerate(cases):
        (folder := tmp_path / str(number)).mkdir()
        with pytest.MonkeyPatch.context() as patch:
            if found := faults_of(case, folder, expected, patch):
                wrong[case] = found
    record(7, "injections", len(cases), len(cases) - len(wrong))
    assert not wrong
