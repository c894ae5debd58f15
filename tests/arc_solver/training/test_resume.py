"""A run that was stopped and continued is bit for bit the run that was not."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import CheckpointError, checkpoint_name, checkpoints
from arc_solver.checkpoints.weights import load
from arc_solver.config import ModelConfig, Preset
from arc_solver.training import run_checkpoint
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.run_checkpoint import resume, save_state, save_weights
from tests.arc_solver.tiny import HRM, MODEL, TRAIN, Run, preset, run

MUON = dataclasses.replace(TRAIN, optimizer="muon", vector_learning_rate=1e-3, clip=1.0)
SHORT = dataclasses.replace(MODEL, cycles=1)
RECIPES: dict[str, Preset] = {
    "adam_atan2": preset(),
    "adamw": preset(SHORT, dataclasses.replace(TRAIN, optimizer="adamw", schedule="linear")),
    "muon": preset(SHORT, MUON),
    "averaged rows": preset(SHORT, dataclasses.replace(TRAIN, ema_rows=True, ema=0.5)),
    "no average": preset(SHORT, dataclasses.replace(TRAIN, ema=0.0)),
    "composed": preset(dataclasses.replace(SHORT, embedding="composed")),
    "no embedding": preset(dataclasses.replace(SHORT, embedding="none")),
    "hrm": preset(HRM),
    "three latents": preset(dataclasses.replace(SHORT, num_latents=3)),
    "no latent": preset(dataclasses.replace(SHORT, num_latents=0)),
    "convolution": preset(dataclasses.replace(SHORT, mixers=("attention", "convolution")), MUON),
    "curriculum": preset(MODEL, dataclasses.replace(TRAIN, curriculum="depth", age_decay=0.7)),
    "all pairs": preset(SHORT, dataclasses.replace(TRAIN, all_pairs=True)),
    "several ages in the gradient": preset(
        SHORT, dataclasses.replace(TRAIN, gradient_ages=3, max_age=4, exploration=0.5)
    ),
    "rows first": preset(SHORT, dataclasses.replace(TRAIN, rows_only_share=0.5)),
}


def trained(found: Run, until: int) -> Run:
    """The run after `until` steps."""
    limits = Limits(stop=lambda: found.state.step >= until)
    run_steps(found.state, found.preset.train, limits, Hooks())
    assert found.state.step == until
    return found


def saved(found: Run, folder: Path) -> Path:
    return save_state(folder, found.state, found.preset, found.puzzles, found.data, {"note": "é 火"})


def silent(text: str) -> None:
    raise AssertionError(f"unexpected warning: {text}")


def differences(a: dict[str, Tensor], b: dict[str, Tensor]) -> list[str]:
    assert a.keys() == b.keys()
    return [name for name in a if a[name].dtype != b[name].dtype or not torch.equal(a[name], b[name])]


@pytest.mark.parametrize("name", RECIPES)
def test_three_steps_saved_and_three_more_are_six(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    whole = trained(run(recipe), 6)
    assert len(whole.data.canvases) == 2
    saved(trained(run(recipe), 3), tmp_path)
    later = run(recipe)
    facts = resume(tmp_path, later.state, recipe, later.data, silent)
    assert facts is not None
    assert facts["note"] == "é 火"
    assert later.state.step == 3
    trained(later, 6)
    assert differences(whole.state.tensors(), later.state.tensors()) == []
    start = run(recipe).state.tensors()
    assert differences(whole.state.tensors(), start) != []


def test_a_run_that_ended_can_be_given_more_steps(tmp_path: Path) -> None:
    recipe = preset(SHORT)
    longer = dataclasses.replace(recipe, train=dataclasses.replace(TRAIN, steps=9, save_every=2))
    saved(trained(run(recipe), 6), tmp_path)
    later = run(longer)
    assert resume(tmp_path, later.state, longer, later.data, silent) is not None
    trained(later, 9)
    assert differences(trained(run(longer), 9).state.tensors(), later.state.tensors()) == []


def test_rows_in_flight_may_be_too_many_to_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_checkpoint, "MAX_SLOTS_BYTES", 100)
    found = trained(run(preset(SHORT)), 2)
    saved(found, tmp_path)
    later = run(preset(SHORT))
    assert resume(tmp_path, later.state, later.preset, later.data, silent) is not None
    assert all(slots.halted.all() for slots in later.state.slots)
    kept = {n: t for n, t in found.state.tensors().items() if not n.startswith("slots.")}
    assert differences(kept, {n: later.state.tensors()[n] for n in kept}) == []
    trained(later, 4)


def test_an_empty_folder_starts_a_new_run(tmp_path: Path) -> None:
    found = run(preset(SHORT))
    assert resume(tmp_path, found.state, found.preset, found.data, silent) is None


def test_the_newest_are_kept(tmp_path: Path) -> None:
    found = run(preset(SHORT, dataclasses.replace(TRAIN, keep=1)))
    for step in (1, 2, 3, 4):
        saved(trained(found, step), tmp_path)
    assert [path.name for path in checkpoints(tmp_path)] == [checkpoint_name(4), checkpoint_name(3)]


def test_a_damaged_newest_is_passed_over_with_one_warning(tmp_path: Path) -> None:
    found = run(preset(SHORT))
    saved(trained(found, 1), tmp_path)
    newest = saved(trained(found, 2), tmp_path)
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    warnings: list[str] = []
    later = run(preset(SHORT))
    assert resume(tmp_path, later.state, later.preset, later.data, warnings.append) is not None
    assert later.state.step == 1
    assert len(warnings) == 1
    assert newest.name in warnings[0]


@pytest.mark.parametrize("names", [(3, 4), (3, 9), (8, 9)], ids=str)
def test_a_damaged_checkpoint_pushes_out_no_whole_one(names: tuple[int, int], tmp_path: Path) -> None:
    """Whether the next save bears a higher name than the damaged ones, one of theirs or a lower one."""
    found = run(preset(SHORT))
    saved(trained(found, 1), tmp_path)
    saved(trained(found, 2), tmp_path)
    for step in names:
        (tmp_path / checkpoint_name(step)).write_bytes(b"torn")
    later = run(preset(SHORT))
    warnings: list[str] = []
    assert resume(tmp_path, later.state, later.preset, later.data, warnings.append) is not None
    assert (later.state.step, len(warnings)) == (2, 2)
    saved(trained(later, 4), tmp_path)
    assert [path.name for path in checkpoints(tmp_path)] == [checkpoint_name(4), checkpoint_name(2)]
    saved(trained(later, 5), tmp_path)
    assert [path.name for path in checkpoints(tmp_path)] == [checkpoint_name(5), checkpoint_name(4)]


@pytest.mark.parametrize(
    ("model", "train", "wanted"),
    [
        ({}, {"learning_rate": 2e-2}, r"train\.learning_rate is 0\.02 here, 0\.01 there"),
        ({"cycles": 2}, {}, r"model\.cycles is 2 here, 1 there"),
        ({}, {"seed": 4}, r"the training data differ; train\.seed is 4 here, 0 there"),
        (
            {"num_layers": 1, "expansion": 2.0, "latent_steps": 1},
            {"beta1": 0.5, "loss": "softmax"},
            "model.num_layers.*model.latent_steps.*and 2 more",
        ),
    ],
)
def test_another_recipe_is_refused_with_the_first_differences(
    model: dict[str, int], train: dict[str, float], wanted: str, tmp_path: Path
) -> None:
    saved(trained(run(preset(SHORT)), 1), tmp_path)
    other = preset(dataclasses.replace(SHORT, **model), dataclasses.replace(TRAIN, **train))
    later = run(other)
    before = {name: t.clone() for name, t in later.state.tensors().items()}
    with pytest.raises(CheckpointError, match=wanted) as caught:
        resume(tmp_path, later.state, other, later.data, silent)
    assert "\n" not in str(caught.value)
    assert differences(before, later.state.tensors()) == []


def test_other_tasks_are_refused(tmp_path: Path) -> None:
    saved(trained(run(preset(SHORT)), 1), tmp_path)
    later = run(preset(SHORT), seed=4)
    with pytest.raises(CheckpointError, match="the training data differ"):
        resume(tmp_path, later.state, later.preset, later.data, silent)


def test_every_setting_that_changes_the_numbers_belongs_to_the_run() -> None:
    data = run(preset(SHORT)).data
    seen = {run_checkpoint.run_hash(preset(SHORT), data)}
    changes = [
        preset(dataclasses.replace(SHORT, **{name: value}))
        for name, value in (("width", 24), ("latent_steps", 3), ("positions", "none"), ("prefix_length", 3))
    ]
    for field in dataclasses.fields(TRAIN):
        value = getattr(TRAIN, field.name)
        if isinstance(value, bool):
            value = not value
        elif isinstance(value, int):
            value += 1
        elif isinstance(value, float):
            value = value / 2 + 0.03
        else:
            continue
        model = dataclasses.replace(SHORT, hints=5) if field.name == "hint_weight" else SHORT
        changes.append(preset(model, dataclasses.replace(TRAIN, **{field.name: value})))
    free = 0
    for change in changes:
        found = run_checkpoint.run_hash(change, data)
        free += found in seen
        seen.add(found)
    assert free == 4  # steps, save_every, eval_every, keep


@pytest.mark.parametrize("name", ["adam_atan2", "averaged rows", "composed", "no embedding", "hrm"])
def test_saved_weights_predict_as_the_average_did(name: str, tmp_path: Path) -> None:
    found = trained(run(RECIPES[name]), 2)
    save_weights(tmp_path / "w.safetensors", found.state, found.preset, found.puzzles, {"scores": {}})
    saved(found, tmp_path)
    for path in (tmp_path / "w.safetensors", tmp_path / checkpoint_name(2)):
        loaded = load(path)
        assert loaded.preset == found.preset
        mine = loaded.model.state_dict()
        assert differences(dict(mine), dict(found.state.averaged.state_dict())) == []
        assert not any(p.requires_grad for p in loaded.model.parameters())
        assert loaded.puzzles.ids == found.puzzles.ids
    assert (tmp_path / "w.safetensors").stat().st_size < (tmp_path / checkpoint_name(2)).stat().st_size


def test_rows_of_the_average_follow_the_model_unless_averaged() -> None:
    shared = trained(run(preset(MODEL)), 1).state
    assert shared.averaged.puzzle.rows is shared.model.puzzle.rows
    own = trained(run(RECIPES["averaged rows"]), 1).state
    assert not torch.equal(own.averaged.puzzle.rows, own.model.puzzle.rows)
    assert "average.puzzle.rows" in own.tensors()


def test_a_config_is_kept_whole(tmp_path: Path) -> None:
    odd = preset(ModelConfig(width=16, num_heads=2, rounding=8, expansion=1 / 3), TRAIN)
    found = run(odd)
    save_weights(tmp_path / "w.safetensors", found.state, odd, found.puzzles, {})
    assert load(tmp_path / "w.safetensors").preset == odd
