"""The all_config.yaml beside a checkpoint tells what shapes do not; a wrong or hostile one is one line."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from arc_solver.checkpoints.convert.convert import Choices, ConvertError, convert_file
from arc_solver.checkpoints.convert.published_config import read_published_config
from arc_solver.checkpoints.weights import load
from tests.arc_solver.checkpoints.convert.published_model import state_dict
from tests.arc_solver.terminal import Terminal

SEED = 11
# As `yaml.dump` writes it: sorted keys, sections within sections, a long text on two lines.
WRITTEN = """arch:
  H_cycles: 5
  H_layers: 0
  L_cycles: 7
  L_layers: 2
  expansion: 4
  forward_dtype: bfloat16
  halt_exploration_prob: 0.1
  halt_max_steps: 12
  hidden_size: 32
  loss:
    L_cycles: 99
    loss_type: stablemax_cross_entropy
    name: losses@ACTLossHead
  mlp_t: false
  name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1
  no_ACT_continue: true
  num_heads: 4
  pos_encodings: rope
  puzzle_emb_len: 3
  puzzle_emb_ndim: 32
beta1: 0.9
checkpoint_path: checkpoints/Arc1concept-aug-1000-ACT-torch/pretrain_att_arc1concept_4
  and so on
data_paths:
- data/arc1concept-aug-1000
evaluators:
- name: arc@ARC
num_heads: 8
seed: 0
"""


def saved(folder: Path, kind: str = "trm", config: str | None = WRITTEN, **sizes: int) -> Path:
    path = folder / "step_1"
    torch.save(state_dict(kind, torch.Generator().manual_seed(SEED), **sizes), path)
    if config is not None:
        (folder / "all_config.yaml").write_text(config)
    return path


def test_what_stands_beside_the_checkpoint_is_taken(tmp_path: Path) -> None:
    facts = convert_file(saved(tmp_path), tmp_path / "x.safetensors", None, Choices())
    assert facts["assumed"] == "nothing"
    assert facts["config"].endswith("all_config.yaml")
    preset = load(tmp_path / "x.safetensors").preset
    model = preset.model
    assert (model.num_heads, model.prefix_length, model.cycles, model.latent_steps) == (4, 3, 5, 7)
    assert (preset.predict.ages, model.positions, model.continue_output) == (12, "rotary1d", False)


def test_options_count_before_the_config(tmp_path: Path) -> None:
    facts = convert_file(saved(tmp_path), tmp_path / "x.safetensors", None, Choices(2, 4, 3, 6))
    assert (facts["heads"], facts["prefix"], facts["cycles"], facts["latent_steps"]) == (2, 4, 3, 6)


def test_a_config_elsewhere_can_be_named(tmp_path: Path, arc_solve: Terminal) -> None:
    saved(tmp_path, config=None)
    flat = "H_cycles: 2  # as hydra's arch file\n\nL_cycles: 3\nhidden_size: 32\nnum_heads: 2 # min(2)\n"
    (tmp_path / "arch.yaml").write_text(flat + "puzzle_emb_ndim: ${.hidden_size}\npuzzle_emb_len: 4\n")
    outcome = arc_solve(
        "convert", str(tmp_path / "step_1"), "--out", str(tmp_path / "x.safetensors"), "--json",
        "--config", str(tmp_path / "arch.yaml"),
    )  # fmt: skip
    facts = json.loads(outcome.out)
    assert (facts["heads"], facts["prefix"], facts["cycles"], facts["latent_steps"]) == (2, 4, 2, 3)
    assert (facts["assumed"], outcome.err) == ("nothing", "")


def test_what_nothing_tells_is_said_with_its_consequence(tmp_path: Path, arc_solve: Terminal) -> None:
    path = saved(tmp_path, config=None)
    outcome = arc_solve("convert", str(path), "--out", str(tmp_path / "x.safetensors"), "--heads", "2")
    (line,) = outcome.err.splitlines()
    assert "--prefix 16 --cycles 3 --latent-steps 4" in line
    assert "a wrong value gives wrong answers" in line
    assert "all_config.yaml" in line
    assert "--heads" not in line


@pytest.mark.parametrize(
    ("kind", "config", "wanted"),
    [
        ("hrm", "arch:\n  num_heads: 2\n  hidden_size: 32\n  puzzle_emb_ndim: 32\n", (1, "rotary1d", True)),
        ("trm", WRITTEN.replace("puzzle_emb_len: 3", "puzzle_emb_len: 0"), (1, "rotary1d", False)),
        ("trm", WRITTEN.replace("encodings: rope", "encodings: none"), (3, "none", False)),
        ("trm", WRITTEN.replace("continue: true", "continue: false"), (3, "rotary1d", True)),
        ("learned", WRITTEN.replace("rope", "learned").replace("len: 3", "len: 4"), (4, "learned", False)),
    ],
)
def test_what_changes_the_function_is_read(
    kind: str, config: str, wanted: tuple[Any, ...], tmp_path: Path
) -> None:
    path = saved(tmp_path, kind, config, prefix=1 if kind == "hrm" else 4)
    convert_file(path, tmp_path / "x.safetensors", None, Choices())
    model = load(tmp_path / "x.safetensors").preset.model
    assert (model.prefix_length, model.positions, model.continue_output) == wanted


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("hidden_size: 32", "hidden_size: 64", "hidden_size 64, but 32 in step_1"),
        ("L_layers: 2", "L_layers: 4", "L_layers 4, but 2"),
        ("mlp_t: false", "mlp_t: true", "mlp_t True, but False"),
        ("puzzle_emb_ndim: 32", "puzzle_emb_ndim: 16", "puzzle_emb_ndim 16, but 32"),
        ("encodings: rope", "encodings: learned", "no learned positions"),
        ("num_heads: 4", "num_heads: four", 'line 18: num_heads is "four", expected a whole number from 1'),
        ("num_heads: 4", "num_heads: 0", "expected a whole number from 1"),
        ("num_heads: 4", "num_heads: -4", "expected a whole number from 1"),
        ("num_heads: 4", "num_heads: 4\n  num_heads: 8", "line 19: num_heads stands there twice"),
        ("mlp_t: false", "mlp_t: perhaps", "expected true or false"),
        ("num_heads: 4", "num_heads: 4\n  rope_theta: 500000.0", "rope_theta 500000.0, expected 10000"),
        ("num_heads: 4", "num_heads: 4\n  rms_norm_eps: 1.0e-06", "rms_norm_eps 1e-06, expected 1e-05"),
        ("reasoning.trm@", "reasoning.trm_singlez@", "a model of trm_singlez, expected TRM or HRM"),
        ("num_heads: 4", "num_heads: 5", "width=32 is not a multiple of 5 heads"),
        ("arch:\n", "arch: {num_heads: 4}\nother:\n", "expected a line for each key of arch"),
    ],
)
def test_a_config_that_does_not_fit_is_one_line(old: str, new: str, text: str, tmp_path: Path) -> None:
    assert old in WRITTEN
    path = saved(tmp_path, config=WRITTEN.replace(old, new, 1))
    with pytest.raises(ConvertError) as caught:
        convert_file(path, tmp_path / "x.safetensors", None, Choices())
    assert text in str(caught.value)
    assert str(caught.value).isprintable()
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\xff\xfe", "not UTF-8 at byte 0"), (b"a: 1\n" * 300_000, "1,500,000 bytes, expected at most")],
)
def test_a_config_that_is_no_text_is_one_line(data: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "all_config.yaml"
    path.write_bytes(data)
    with pytest.raises(ConvertError, match=text):
        read_published_config(path)
    with pytest.raises(ConvertError, match="a device or a pipe"):
        read_published_config(Path("/dev/zero"))
