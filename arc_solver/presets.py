"""Named recipes as data. `paper-*` are the published ones; `cpu-*` are for two cores."""

from __future__ import annotations

import difflib

from arc_solver.config import ConfigError, ModelConfig, PredictConfig, Preset, TrainConfig

ARC = ModelConfig(latent_steps=4)
PAPER = TrainConfig(steps=440_000)

_PRESETS = (
    Preset(
        "paper-arc",
        "TRM-Att on ARC as published: 30x30 canvas, 1-D positions, 1000 views, about 440k steps",
        ModelConfig(latent_steps=4, positions="rotary1d"),
        TrainConfig(steps=440_000, canvas="full", precision="bfloat16"),
        PredictConfig(views=1000),
    ),
    Preset(
        "cpu-arc",
        "ARC tasks on two cores within minutes: narrow, shallow recursion, Muon",
        ModelConfig(width=96, num_heads=4, rounding=32, cycles=1, latent_steps=2, prefix_length=1),
        TrainConfig(
            steps=100_000,
            batch_size=32,
            optimizer="muon",
            learning_rate=0.01,
            vector_learning_rate=1e-3,
            weight_decay=0.005,
            row_weight_decay=0.1,
            warmup_steps=20,
            schedule="linear",
            clip=1.0,
            ema=0.99,
            loss="softmax",
            max_age=2,
            num_views=16,
        ),
        PredictConfig(views=16, ages=2, batch_size=64),
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}


def find_preset(name: str) -> Preset:
    """The preset of that name; ConfigError suggests the near one."""
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"no preset {name!r}{hint}; known: {', '.join(PRESETS)}")
    return PRESETS[name]
