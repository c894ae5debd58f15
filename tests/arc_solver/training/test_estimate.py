"""What a run is said to cost: measured without a trace, bytes as they will be written."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from arc_solver.checkpoints.file_format import checkpoint_name, read_header
from arc_solver.config import ModelConfig, TrainConfig
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.storage.files import StorageError
from arc_solver.training import cost as estimating
from arc_solver.training import run_checkpoint
from arc_solver.training.cost import Estimate, check_disk, estimate, peak_bytes
from arc_solver.training.run_checkpoint import checkpoint_bytes, save_state, save_weights, weights_bytes
from arc_solver.training.schedule import relative_cost
from arc_solver.training.state import TrainState
from tests.arc_solver.tiny import CPU, MODEL, TRAIN, preset, run

SHORT = dataclasses.replace(MODEL, cycles=1, latent_steps=1)
COST = Estimate(
    seconds_per_step=0.5, steps=100, relative_cost=0.8, checkpoint_bytes=100, weights_bytes=30, keep=3
)


@pytest.mark.parametrize("optimizer", ["adam_atan2", "adamw", "muon"])
def test_measuring_leaves_the_model_as_it_was(optimizer: str) -> None:
    recipe = preset(SHORT, dataclasses.replace(TRAIN, optimizer=optimizer, vector_learning_rate=1e-3))
    found = run(recipe)
    model = found.state.model
    before = {name: t.clone() for name, t in model.state_dict().items()}
    cost = estimate(recipe, model, found.data, CPU)
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert cost.seconds_per_step > 0
    assert (cost.steps, cost.keep, cost.relative_cost) == (TRAIN.steps, 2, 1.0)
    assert cost.checkpoint_bytes == checkpoint_bytes(found.state)


def test_more_ages_in_the_gradient_keep_more_for_the_backward_pass() -> None:
    kept = []
    for ages in (1, 2, 4):
        recipe = preset(SHORT, dataclasses.replace(TRAIN, gradient_ages=ages, max_age=4))
        found = run(recipe)
        kept.append(estimate(recipe, found.state.model, found.data, CPU).activation_bytes)
    assert kept[0] > SHORT.width * TRAIN.batch_size * 4
    assert 1.6 * kept[0] < kept[1] < 2.2 * kept[0]
    assert 1.6 * kept[1] < kept[2] < 2.2 * kept[1]


def test_what_follows_from_a_measurement() -> None:
    assert COST.seconds == pytest.approx(40)
    assert [COST.steps_within(limit) for limit in (1.0, 39.0, 1000.0)] == [2, 97, 100]
    assert COST.disk_bytes == 3 * 100 + 2 * 30 + 100


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("most", [run_checkpoint.MAX_SLOTS_BYTES, 0])
def test_bytes_are_those_of_the_files(
    rows: bool, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_checkpoint, "MAX_SLOTS_BYTES", most)
    found = run(preset(SHORT, dataclasses.replace(TRAIN, ema_rows=rows)))
    save_state(tmp_path, found.state, found.preset, found.puzzles, found.data, {})
    save_weights(tmp_path / "w", found.state, found.preset, found.puzzles, {})

    def written(name: str) -> int:
        tensors = read_header(tmp_path / name).tensors
        return sum(t.end - t.begin for part, t in tensors.items() if not part.startswith("puzzles."))

    assert written(checkpoint_name(0)) == checkpoint_bytes(found.state)
    assert written("w") == weights_bytes(found.state)
    assert any(name.startswith("slots.") for name in read_header(tmp_path / checkpoint_name(0)).tensors) == (
        most > 0
    )


def test_the_curriculum_makes_the_mean_step_cheaper() -> None:
    model = ModelConfig(cycles=3, latent_steps=6)
    assert relative_cost(TrainConfig(), model) == 1
    share = (0.3 * 3 * 3 + 0.3 * 4 * 5 + 0.4 * 5 * 7) / (5 * 7)
    assert relative_cost(TrainConfig(curriculum="depth"), model) == pytest.approx(share)
    assert relative_cost(TrainConfig(curriculum="depth"), ModelConfig(cycles=1, latent_steps=1)) == 1


def test_a_disk_without_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    state = run(preset(SHORT)).state
    one = checkpoint_bytes(state)
    free = one

    def usage(place: Path) -> SimpleNamespace:
        asked.append(place)
        return SimpleNamespace(free=free)

    monkeypatch.setattr(estimating.shutil, "disk_usage", usage)
    out = tmp_path / "not" / "there"
    needed = peak_bytes(one, weights_bytes(state), 2)
    assert f"will need {needed} more bytes, {one} are available" in check_disk(out, state, 1)
    free = needed
    assert check_disk(out, state, 2) == ""
    assert "more bytes" in check_disk(out, state, 3)
    free = one - 1
    with pytest.raises(StorageError, match=f"a checkpoint needs {one} bytes, {one - 1} are available"):
        check_disk(out, state, 2)
    assert set(asked) == {tmp_path.resolve()}
    assert list(tmp_path.iterdir()) == []
    out.mkdir(parents=True)
    (out / "checkpoint-00000001.safetensors").write_bytes(bytes(one))
    free = needed - one
    assert check_disk(out, state, 2) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["paper-arc", "paper-arc2", "hrm-arc", "arc1", "arc2"])
@pytest.mark.parametrize("averaged", [False, True])
def test_default_checkpoints_fit_a_disk_of_20_gb(name: str, averaged: bool) -> None:
    """ARC-1 with ConceptARC: 866,323 views at 1000 a task; the bytes of the other rows are computed."""
    recipe = find_preset(name)
    rows = 866_323 * recipe.train.num_views // 1000
    train = dataclasses.replace(recipe.train, batch_size=2, ema_rows=averaged)
    data = run(preset(train=dataclasses.replace(TRAIN, batch_size=2))).data
    state = TrainState(Model(recipe.model, num_rows=1), data, train, CPU)
    table = (rows - 1) * recipe.model.width * 4
    in_flight = state.in_flight_bytes  # of small canvases; at most MAX_SLOTS_BYTES are ever saved
    cost = Estimate(
        1.0,
        1,
        1.0,
        checkpoint_bytes(state) - in_flight + table * (1 + averaged) + run_checkpoint.MAX_SLOTS_BYTES,
        weights_bytes(state) + table,
        recipe.train.keep,
    )
    assert cost.disk_bytes < 20e9, f"{cost.disk_bytes / 1e9:.1f} GB"
