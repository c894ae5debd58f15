"""Configurations: typos are errors, bad values are one line, presets are real."""

import dataclasses
import math
from typing import Any

import pytest
import torch

from arc_solver.checkpoints.weights import build_model
from arc_solver.config import ConfigError, ModelConfig, PredictConfig, TrainConfig
from arc_solver.domains.domains import find_domain
from arc_solver.model import layers, mixers, puzzle_embedding, symbols, trm
from arc_solver.presets import PRESETS, find_preset
from arc_solver.settings import apply_settings, from_mapping, with_values
from tests.arc_solver.tiny import preset

BAD_MODELS: tuple[dict[str, Any], ...] = (
    {"positions": "rotary"},
    {"embedding": "row"},
    {"gradient": "all"},
    {"width": 0},
    {"num_heads": 0},
    {"width": 510},
    {"width": 48, "num_heads": 8},
    {"networks": 3},
    {"num_latents": -1},
    {"num_latents": 0, "networks": 2},
    {"expansion": 0.0},
    {"expansion": -1.0},
    {"expansion": 1e-4},
    {"expansion": math.inf},
    {"expansion": math.nan},
    {"prefix_length": 0},
    {"row_width": -1},
    {"row_width": 17 * 512},
    {"mixers": ()},
    {"mixers": ("attention", "attention")},
    {"mixers": ("position_mlp",)},
    {"mixers": ("group_sums",), "positions": "none"},
    {"mixers": ("convolution",), "positions": "rotary2d"},
    {"kernel_size": 4},
    {"positions": "learned"},
    {"embedding": "composed", "vocabulary": 11},
)
BAD_TRAINING: tuple[dict[str, Any], ...] = (
    {"optimizer": "sgd"},
    {"loss": "mse"},
    {"steps": 0},
    {"gradient_ages": 0},
    {"gradient_ages": 5, "max_age": 4},
    {"batch_size": 0},
    {"learning_rate": 0.0},
    {"learning_rate": -1.0},
    {"learning_rate": math.inf},
    {"learning_rate": math.nan},
    {"vector_learning_rate": -1.0},
    {"row_learning_rate": math.inf},
    {"weight_decay": math.nan},
    {"halt_weight": math.nan},
    {"halt_weight": -0.5},
    {"clip": -1.0},
    {"beta1": 1.0},
    {"ema": 1.0},
    {"exploration": 1.1},
    {"seed": -1},
    {"seed": 2**64},
    {"eval_every": -1},
    {"keep": 0},
    {"batch_size": 10**20},
)
# What some networks cannot be told of their material.
BAD_FOR_DOMAIN = (
    ("maze", {"mixers": ("attention", "group_sums"), "length": 81}),
    ("arc", {"mixers": ("attention", "group_sums"), "length": 36}),
    ("arc", {"mixers": ("convolution",), "positions": "none"}),
)
BAD_PREDICTION: tuple[dict[str, Any], ...] = (
    {"views": 0},
    {"ages": 0},
    {"batch_size": 0},
    {"patience": -1},
    {"seed": -1},
    {"halt_logit": math.nan},
)


@pytest.mark.parametrize(
    ("kind", "values"),
    [(ModelConfig, v) for v in BAD_MODELS]
    + [(TrainConfig, v) for v in BAD_TRAINING]
    + [(PredictConfig, v) for v in BAD_PREDICTION],
)
def test_bad_values_are_one_line_that_names_the_field(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**values)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 120
    assert any(name in text or name.split("_")[-1] in text for name in values)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("domain", "values"), BAD_FOR_DOMAIN)
def test_what_is_for_boards_is_refused_elsewhere(domain: str, values: dict[str, Any]) -> None:
    model = dataclasses.replace(preset().model, **values)
    with pytest.raises(ConfigError, match="is for ") as caught:
        find_domain(domain).check(model)
    assert "\n" not in str(caught.value)


def test_a_domain_that_is_none_is_named_with_the_near_one() -> None:
    with pytest.raises(ConfigError, match=r"domain='sudoko' is not one of .*; did you mean 'sudoku'"):
        find_domain("sudoko")


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("lerning_rate", "'lerning_rate'; did you mean 'learning_rate'?"),
        ("latent_step", "did you mean 'latent_steps'?"),
        ("model.widht", "unknown setting 'model.widht'"),
        ("zzz", "unknown setting 'zzz'; `arc-solve info "),
    ],
)
def test_an_unknown_key_suggests_the_near_one(key: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_settings(preset(), [f"{key}=1"])
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_choice_suggests_the_near_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'adam_atan2'"):
        TrainConfig(optimizer="adam_atan")
    with pytest.raises(ConfigError, match="did you mean 'cpu-arc'"):
        find_preset("cpu_arc")


@pytest.mark.parametrize(
    "setting",
    ["steps", "steps=", "steps=many", "steps=1.5", "steps=true", "translate=2", "clip=nan", "clip=x"],
)
def test_settings_that_cannot_be_read(setting: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_settings(preset(), [setting])
    assert setting.split("=")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_reach_their_config() -> None:
    found = apply_settings(
        preset(),
        [
            "width=24",
            "learning_rate = 0.5",
            "train.seed=3",
            "predict.seed=4",
            "halt_logit=inf",
            "translate=False",
        ],
    )
    assert found.model == dataclasses.replace(preset().model, width=24)
    assert (found.train.learning_rate, found.train.seed, found.train.translate) == (0.5, 3, False)
    assert (found.predict.seed, found.predict.halt_logit) == (4, math.inf)
    assert apply_settings(preset(), []) == preset()


def test_a_key_of_two_configs_belongs_to_training_unless_named() -> None:
    found = apply_settings(preset(), ["batch_size=9"])
    assert (found.train.batch_size, found.predict.batch_size) == (9, preset().predict.batch_size)
    found = apply_settings(preset(), ["predict.batch_size=9"])
    assert (found.train.batch_size, found.predict.batch_size) == (preset().train.batch_size, 9)


def test_settings_are_judged_together() -> None:
    """Their order must not matter: each of these alone would be refused."""
    wanted = dataclasses.replace(preset().model, mixers=("position_mlp",), length=16, width=60, num_heads=5)
    settings = ["mixer=mlp", "length=16", "width=60", "num_heads=5"]
    assert apply_settings(preset(), settings).model == wanted
    assert apply_settings(preset(), settings[::-1]).model == wanted


@pytest.mark.parametrize(
    ("settings", "mixers", "kernel_size"),
    [
        ("mixer=mlp length=16", "position_mlp", 3),
        ("mixer=attention", "attention", 3),
        ("convolution=5", "attention,convolution", 5),
        ("mixer=none convolution=3 peers=true positions=none length=16", "convolution,group_sums", 3),
        ("mixer=none neighbours=1 positions=none", "neighbours", 3),
        ("mixers=convolution,attention convolution=0 peers=0", "attention", 3),
        ("mixers=attention,other peers=true length=16", "attention,group_sums,other", 3),
    ],
)
def test_what_mixers_took_the_place_of_is_still_taken(settings: str, mixers: str, kernel_size: int) -> None:
    found = apply_settings(preset(), settings.split()).model
    assert (",".join(found.mixers), found.kernel_size) == (mixers, kernel_size)


@pytest.mark.parametrize(
    "setting", ["mixer=attenton", "mixer=none", "convolution=4", "peers=2", "peers=true", "mixers=,"]
)
def test_what_it_never_took_is_one_line(setting: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_settings(preset(), [setting])
    assert "\n" not in str(caught.value)


def test_the_last_of_equal_settings_wins() -> None:
    assert apply_settings(preset(), ["seed=1", "train.seed=2"]).train.seed == 2
    assert apply_settings(preset(), ["train.seed=2", "seed=1"]).train.seed == 1


def test_plain_values_round_trip() -> None:
    for config in (preset().model, preset().train, preset().predict, PredictConfig(halt_logit=0.5)):
        values = dataclasses.asdict(config)
        assert from_mapping(type(config), values) == config
        text = {k: ",".join(v) if isinstance(v, tuple) else str(v) for k, v in values.items()}
        assert from_mapping(type(config), text) == config


def test_whole_numbers_may_come_as_floats() -> None:
    assert with_values(TrainConfig(), {"steps": 3.0}).steps == 3
    with pytest.raises(ConfigError, match="expected int"):
        with_values(TrainConfig(), {"steps": math.inf})


def test_configs_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset().train.steps = 4  # type: ignore[misc]


def test_published_steps_are_epochs_times_examples_over_rows() -> None:
    """Boards: 1,000 examples. ARC: what the published checkpoints were trained for, by set."""
    epochs = {"paper-sudoku-mlp": 50_000, "paper-sudoku-att": 50_000, "paper-maze": 50_000}
    epochs |= {"hrm-sudoku": 20_000, "hrm-maze": 20_000}
    for name, number in epochs.items():
        train = find_preset(name).train
        assert train.steps == pytest.approx(number * 1000 / train.batch_size, rel=0.01)
    steps = {name: find_preset(name).train.steps for name in ("paper-arc", "hrm-arc", "paper-arc2")}
    assert steps == {"paper-arc": 518_000, "hrm-arc": 518_000, "paper-arc2": 724_000}


@pytest.fixture
def hollow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models without the seconds that drawing their weights takes."""
    for module in (layers, mixers, puzzle_embedding, symbols, trm):
        monkeypatch.setattr(module, "truncated_normal", lambda shape, std, generator: torch.zeros(shape))


@pytest.mark.usefixtures("hollow")
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_builds_a_model(name: str) -> None:
    found = find_preset(name)
    assert found.name == name
    assert found.about
    assert "\n" not in found.about
    model = build_model(found, num_rows=3)
    num_parameters = sum(p.numel() for p in model.parameters())
    if name.startswith("hrm"):
        assert 26e6 < num_parameters < 28e6
    elif name.startswith("paper"):
        assert 4.5e6 < num_parameters < 7.5e6
    elif name.startswith("cpu"):
        assert num_parameters < 1e6
    if name.startswith(("hrm", "paper")):
        assert found.train.ema == (0 if name.startswith("hrm") else 0.999)
        assert found.train.precision == "auto"
        assert found.train.all_pairs == (found.train.domain == "arc")
        if found.train.all_pairs:
            assert (found.train.canvas, found.train.num_views, found.predict.views) == ("full", 1001, 1001)
    if found.train.domain == "arc" and not name.startswith("cpu"):
        assert found.predict.ages == found.train.max_age
    smallest, largest = {"arc": (12, 12), "sudoku": (6, 11), "maze": (6, 6)}[found.train.domain]
    assert smallest <= found.model.vocabulary <= largest


@pytest.mark.parametrize("settings", [["cycles=2"], ["cycles=1", "gradient=last"]])
def test_what_cuts_the_gradient_between_ages_is_told(settings: list[str]) -> None:
    with pytest.raises(ConfigError, match="set cycles=1 and gradient=full"):
        apply_settings(preset(), ["gradient_ages=2", "max_age=4", *settings])
    assert apply_settings(preset(), ["gradient_ages=2", "max_age=4", "cycles=1"]).train.gradient_ages == 2
