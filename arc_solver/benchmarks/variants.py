"""The ablations of the papers as settings of one preset, and what the papers report for each."""

from __future__ import annotations

from dataclasses import dataclass

PRESET, SIDE = "cpu-sudoku4", 4
NOT_PUBLISHED = "–"


@dataclass(frozen=True)
class Variant:
    """A change to the preset, and what the papers report for it on Sudoku-Extreme (exact, %)."""

    name: str
    settings: tuple[str, ...]
    published: str = NOT_PUBLISHED


BASE = "the preset"
VARIANTS = (
    Variant(BASE, ()),
    Variant("attention", ("mixer=attention",), "74.7"),
    Variant("attention, 1-D rotary positions", ("mixer=attention", "positions=rotary1d")),
    Variant("depthwise 3x3 convolution in the SwiGLU", ("convolution=3",)),
    Variant("mixer over positions (mlp)", ("mixer=mlp", f"length={SIDE * SIDE}"), "87.4"),
    Variant("gradient through the last evaluation only", ("gradient=last",), "56.5 (full: 87.4)"),
    Variant("two networks", ("networks=2",), "82.4 (one: 87.4)"),
    Variant("one layer", ("num_layers=1",)),
    Variant("four layers, half the latent steps", ("num_layers=4", "latent_steps=1"), "79.5 (two: 87.4)"),
    Variant("T 1, n 1", ("cycles=1", "latent_steps=1")),
    Variant("T 1, n 2", ("cycles=1", "latent_steps=2")),
    Variant("T 1, n 4, two ages", ("cycles=1", "latent_steps=4", "max_age=2")),
    Variant("T 2, n 2", ("cycles=2", "latent_steps=2"), "73.7 (T 3, n 6: 87.4)"),
    Variant("T 2, n 4", ("cycles=2", "latent_steps=4")),
    Variant("T 3, n 6", ("cycles=3", "latent_steps=6"), "87.4"),
    Variant("no latent", ("num_latents=0",), "71.9 (one: 87.4)"),
    Variant("seven latents", ("num_latents=7",), "77.6 (one: 87.4)"),
    Variant("continue output", ("continue_output=true",), "86.1 (without: 87.4)"),
    Variant("no moving average", ("ema=0",), "79.9 (with: 87.4)"),
    Variant("moving average over the rows too", ("ema_rows=true",)),
    Variant("one age of supervision", ("max_age=1",), "32.6 (16: 74.7)"),
    Variant("four ages of supervision", ("max_age=4",)),
    Variant("sixteen ages of supervision", ("max_age=16",), "74.7"),
    Variant("later ages weigh less", ("age_decay=0.7",)),
    Variant("depth curriculum", ("curriculum=depth",)),
    Variant("depth curriculum, later ages weigh less", ("curriculum=depth", "age_decay=0.7")),
    Variant("no puzzle embedding", ("embedding=none",)),
    Variant("AdamW, rate 0.002", ("optimizer=adamw", "learning_rate=0.002")),
    Variant("AdamATan2, rate 0.002", ("optimizer=adam_atan2", "learning_rate=0.002")),
    Variant("Muon, rate 0.02", ("optimizer=muon", "learning_rate=0.02")),
    Variant("Muon, rate 0.01", ("optimizer=muon", "learning_rate=0.01")),
    Variant("batch of 32", ("batch_size=32",)),
    Variant("batch of 128", ("batch_size=128",)),
    Variant("stablemax", ("loss=stablemax",)),
    Variant("label smoothing 0.1", ("label_smoothing=0.1",)),
    Variant("moving average of 0.999", ("ema=0.999",)),
    Variant("constant rate", ("schedule=constant",)),
    Variant(
        "HRM: two networks of four layers, last gradient, continue output",
        ("networks=2", "num_layers=4", "gradient=last", "continue_output=true"),
        "55.0",
    ),
)
