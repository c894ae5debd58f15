"""State dicts as people keep them: wrapped, with buffers, as safetensors; and what their shapes tell."""

import math
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from arc_solver.checkpoints.convert.convert import Choices, ConvertError, convert_file
from arc_solver.checkpoints.convert.layout import adopt
from arc_solver.checkpoints.convert.opener import open_foreign, plain_name
from arc_solver.checkpoints.convert.published_config import PublishedConfig
from arc_solver.checkpoints.weights import load
from arc_solver.model.positions import rotary_table
from tests.arc_solver.checkpoints.convert.published_model import State, state_dict

SEED = 11
CHOICES = Choices(heads=2, prefix=4)
PREFIX = "_orig_mod.model.inner."


def trm(kind: str = "trm", **sizes: int) -> State:
    """Without anything before the names."""
    state = state_dict(kind, torch.Generator().manual_seed(SEED), **sizes)
    return {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}


def renamed(state: State, before: str) -> State:
    return {before + name: tensor for name, tensor in state.items()}


def opened(value: Any, folder: Path) -> State | str:
    path, plain = folder / "step_1.pt", folder / "plain"
    torch.save(value, path)
    reason = open_foreign(path, plain, 1 << 30)
    return reason if reason is not None else safetensors.torch.load_file(plain)


def same(found: State | str, wanted: State) -> bool:
    return not isinstance(found, str) and found.keys() == wanted.keys() and all(
        torch.equal(found[name], tensor) for name, tensor in wanted.items()
    )  # fmt: skip


@pytest.mark.parametrize(
    "before",
    [
        *("", "_orig_mod.", "module.", "model.inner.", "_orig_mod.model.inner.", "inner."),
        *("module._orig_mod.model.inner.", "module.module.", "model._orig_mod.inner."),
    ],
)
def test_any_run_of_wrappers_is_taken_off(before: str, tmp_path: Path) -> None:
    assert same(opened(renamed(trm(), before), tmp_path), trm())
    found = adopt(renamed(trm(), before), CHOICES, "x", PublishedConfig())
    assert found.config.width == 32
    assert torch.equal(found.state["puzzle.rows"], trm()["puzzle_emb.weights"])


def test_a_name_is_cut_at_whole_words() -> None:
    assert plain_name("module.modules.x") == "modules.x"
    assert plain_name("L_level.model.x") == "L_level.model.x"


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict", "shadow"])
def test_a_state_dict_within_a_trainers_file_is_found(key: str, tmp_path: Path) -> None:
    optimizer = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4}]}
    value = {key: renamed(trm(), "module."), "optimizer": optimizer, "step": 5, "config": {"a": [1, "x"]}}
    assert same(opened(value, tmp_path), trm())
    assert same(opened({"state_dict": value}, tmp_path), trm())


def test_the_average_stands_over_the_weights_that_it_is_of(tmp_path: Path) -> None:
    weights = trm()
    average = {name: t + 1 for name, t in weights.items() if name not in ("H_init", "puzzle_emb.weights")}
    for value in (
        {"model": renamed(weights, "_orig_mod."), "shadow": renamed(average, "module.")},
        {"shadow": renamed(average, "module."), "model": renamed(weights, "_orig_mod.")},
    ):
        assert same(opened(value, tmp_path), weights | average)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"model": {"a": 1}}, "entry 'a' is int"),
        ({"model": {}}, "not a state dict"),
        ({"model": 5}, "entry 'model' is int"),
        ({"a": torch.zeros(1), "module.a": torch.ones(1)}, "differ in their wrappers alone"),
        ({"a": torch.zeros(1).expand(1000)}, "larger than what is stored of it"),
        ({"a": torch.zeros(1000), "b": torch.zeros(50).expand(200, 50)}, "larger than what is stored"),
        ({str(i): t for i, t in enumerate([torch.zeros(9000)] * 9)}, "over the limit of"),
    ],
)
def test_what_is_not_taken_is_one_line(value: Any, text: str, tmp_path: Path) -> None:
    found = opened(value, tmp_path)
    assert isinstance(found, str)
    assert text in found
    assert not (tmp_path / "plain").exists()


def test_tied_tensors_are_kept_apart(tmp_path: Path) -> None:
    tied = torch.arange(3000.0)
    assert same(opened({"a": tied, "b": tied}, tmp_path), {"a": tied, "b": tied})


def rotary(positions: int, head_width: int, theta: float = 1e4) -> tuple[Tensor, Tensor]:
    speeds = 1 / theta ** (torch.arange(0, head_width, 2) / head_width)
    angles = torch.outer(torch.arange(positions).float(), speeds).repeat(1, 2)
    return angles.cos(), angles.sin()


def test_buffers_are_left_out_and_tell_heads_and_prefix(tmp_path: Path) -> None:
    cosine, sine = rotary(905, 8)
    extra = {"rotary_emb.cos_cached": cosine, "rotary_emb.sin_cached": sine.clone()}
    extra |= {"puzzle_emb.local_weights": torch.zeros(7, 32), "puzzle_emb.local_ids": torch.zeros(7).int()}
    path = tmp_path / "step_1.pt"
    torch.save(renamed(trm() | extra, "model.inner."), path)
    facts = convert_file(path, tmp_path / "x.safetensors", None, Choices())
    assert (facts["heads"], facts["prefix"]) == (4, 5)
    assert facts["assumed"] == "--cycles 3 --latent-steps 4"
    assert load(tmp_path / "x.safetensors").preset.model.num_heads == 4


def test_frequencies_alone_tell_the_heads() -> None:
    state = trm() | {"rotary_emb.inv_freq": torch.ones(8)}
    assert adopt(state, Choices(prefix=4), "x", PublishedConfig()).config.num_heads == 2


@pytest.mark.parametrize(
    ("buffers", "choices", "text"),
    [
        ({"rotary_emb.cos_cached": rotary(905, 8)[0]}, Choices(heads=2), "2 heads of 16, but .* heads of 8"),
        ({"rotary_emb.cos_cached": rotary(905, 16, 5e5)[0]}, Choices(heads=2), "not the published one"),
        ({"rotary_emb.inv_freq": torch.ones(4)}, Choices(heads=2), "heads of 8; name the right --heads"),
    ],
)
def test_a_table_of_another_model_is_refused(buffers: State, choices: Choices, text: str) -> None:
    with pytest.raises(ConvertError, match=text):
        adopt(trm() | buffers, choices, "x", PublishedConfig())


@pytest.mark.parametrize(
    ("kind", "vocabulary", "length", "prefix", "told"),
    [
        ("mlp", 11, 81, 16, True),
        ("mlp", 11, 81, 1, True),  # read as 16 it would be another network
        ("mlp", 6, 900, 4, True),
        ("learned", 12, 900, 1, True),
        ("learned", 12, 900, 16, True),
        ("mlp", 6, 100, 16, False),
        ("hrm", 12, 9, 1, True),
    ],
)
def test_shapes_tell_the_prefix(kind: str, vocabulary: int, length: int, prefix: int, told: bool) -> None:
    state = trm(kind, vocabulary=vocabulary, length=length, prefix=prefix)
    found = adopt(state, Choices(heads=2), "x", PublishedConfig())
    assert found.config.prefix_length == prefix
    assert ("--prefix" in found.assumed) != told
    assert found.config.length == (0 if kind == "hrm" else length)


@pytest.mark.parametrize("choices", [Choices(2), Choices(2, prefix=10), Choices(2, prefix=97)])
def test_a_prefix_that_leaves_no_board_is_refused(choices: Choices) -> None:
    state = trm("mlp", vocabulary=6, length=81, prefix=14)
    with pytest.raises(ConvertError, match=r"95 positions, .* name the right --prefix"):
        adopt(state, choices, "x", PublishedConfig())


def test_a_mixer_has_no_heads_to_assume() -> None:
    state = trm("mlp", vocabulary=11, length=81, prefix=16)
    assert adopt(state, Choices(), "x", PublishedConfig()).assumed == "--cycles 3 --latent-steps 6"


def test_published_weights_as_safetensors_come_in_too(tmp_path: Path) -> None:
    path, out = tmp_path / "model.safetensors", tmp_path / "x.safetensors"
    safetensors.torch.save_file(renamed(trm(), "model.inner."), path)
    convert_file(path, out, None, CHOICES)
    wanted = adopt(trm(), CHOICES, "x", PublishedConfig()).state["halt_weight"]
    assert torch.equal(load(out).model.state_dict()["halt_weight"], wanted)
    with pytest.raises(ConvertError, match="is a checkpoint of arc-solve already"):
        convert_file(out, tmp_path / "y.safetensors", None, CHOICES)


def test_half_precision_comes_in(tmp_path: Path) -> None:
    path = tmp_path / "step_1.pt"
    torch.save({name: tensor.bfloat16() for name, tensor in trm().items()}, path)
    convert_file(path, tmp_path / "x.safetensors", None, CHOICES)
    assert load(tmp_path / "x.safetensors").model.head.weight.dtype == torch.float32


def test_our_table_is_the_one_compared_with() -> None:
    table = rotary_table("rotary1d", 0, 905, 1, 8)
    assert table is not None
    assert math.isclose(float((table[0] - rotary(905, 8)[0]).abs().max()), 0, abs_tol=1e-4)
