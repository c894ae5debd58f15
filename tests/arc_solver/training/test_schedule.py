"""The learning-rate factor and the depth curriculum."""

import pytest

from arc_solver.config import ConfigError, ModelConfig, TrainConfig
from arc_solver.training.schedule import depth, rate_factor


def test_warm_up_is_linear_and_then_constant() -> None:
    config = TrainConfig(warmup_steps=4)
    assert [rate_factor(config, step, step / 10) for step in range(7)] == [0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert rate_factor(TrainConfig(warmup_steps=0), 0, 0.0) == 1


def test_linear_decay_over_the_last_share() -> None:
    config = TrainConfig(warmup_steps=0, schedule="linear", decay_share=0.4)
    found = [rate_factor(config, 0, progress) for progress in (0, 0.6, 0.7, 0.8, 1.0, 1.2)]
    assert found == pytest.approx([1, 1, 0.75, 0.5, 0, 0])


def test_cosine_decay_over_the_last_share() -> None:
    config = TrainConfig(warmup_steps=0, schedule="cosine", decay_share=1.0)
    found = [rate_factor(config, 0, progress) for progress in (0, 0.25, 0.5, 1.0)]
    assert found == pytest.approx([1, 0.5 + 0.5**1.5, 0.5, 0])


def test_no_share_no_decay() -> None:
    config = TrainConfig(warmup_steps=0, schedule="linear", decay_share=0.0)
    assert rate_factor(config, 0, 1.0) == 1


def test_warm_up_and_decay_multiply() -> None:
    config = TrainConfig(warmup_steps=4, schedule="linear", decay_share=1.0)
    assert rate_factor(config, 1, 0.5) == pytest.approx(0.25)


def test_the_published_curriculum() -> None:
    config = TrainConfig(curriculum="depth")
    found = [depth(config, ModelConfig(), progress) for progress in (0.0, 0.29, 0.3, 0.59, 0.6, 1.0, 1.3)]
    assert found == [(1, 2), (1, 2), (2, 4), (2, 4), (3, 6), (3, 6), (3, 6)]


def test_the_curriculum_never_goes_deeper_than_the_model() -> None:
    config = TrainConfig(curriculum="depth")
    small = ModelConfig(cycles=1, latent_steps=3)
    assert [depth(config, small, progress) for progress in (0.0, 0.3, 0.6)] == [(1, 2), (1, 3), (1, 3)]
    assert depth(TrainConfig(), small, 0.0) == (1, 3)


@pytest.mark.parametrize("bad", [{"curriculum": "deep"}, {"age_decay": 0.0}, {"age_decay": 1.1}])
def test_settings_that_cannot_be(bad: dict[str, float | str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        TrainConfig(**bad)
