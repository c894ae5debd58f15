"""The ablations of the papers as settings of one preset, their published results, and the ladder to it."""

from __future__ import annotations

from dataclasses import dataclass

PRESET, SIDE = "cpu-sudoku4", 4
# The preset before the table was measured; "T 1, n 2" won and is the preset now.
BASE_SETTINGS = ("cycles=2", "latent_steps=2")
NOT_PUBLISHED = "–"


@dataclass(frozen=True)
class Variant:
    """A change to the base, and the papers' result for it on Sudoku-Extreme (exact, %)."""

    name: str
    settings: tuple[str, ...]
    published: str = NOT_PUBLISHED


BASE = "the base: T 2, n 2"
VARIANTS = (
    Variant(BASE, ()),
    Variant("attention", ("mixers=attention",), "74.7"),
    Variant("attention, 1-D rotary positions", ("mixers=attention", "positions=rotary1d")),
    Variant("depthwise 3x3 convolution in the SwiGLU", ("mixers=position_mlp,convolution",)),
    Variant("mixer over positions (mlp)", ("mixers=position_mlp", f"length={SIDE * SIDE}"), "87.4"),
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


# The published recipe for boards (arXiv 2510.04871) at a size for two cores, and the changes from it to the
# preset: every rung keeps the changes before it.
PUBLISHED = {
    "width": "128",
    "rounding": "256",
    "cycles": "3",
    "latent_steps": "6",
    "prefix_length": "16",
    "mixers": "attention",
    "length": "0",
    "positions": "rotary1d",
    "batch_size": "128",
    "optimizer": "adam_atan2",
    "learning_rate": "0.0001",
    "vector_learning_rate": "0",
    "row_learning_rate": "0.0001",
    "weight_decay": "1.0",
    "row_weight_decay": "1.0",
    "warmup_steps": "2000",
    "schedule": "constant",
    "clip": "0",
    "ema": "0.999",
    "loss": "stablemax",
    "max_age": "16",
}
_CHANGES: tuple[tuple[str, dict[str, str]], ...] = (
    ("the published recipe at width 128 and a batch of 128", {}),
    (
        "AdamW at 0.001, warm-up of 20 steps",
        {"optimizer": "adamw", "learning_rate": "0.001", "warmup_steps": "20"},
    ),
    ("softmax instead of stablemax", {"loss": "softmax"}),
    ("T 2, n 2 instead of T 3, n 6", {"cycles": "2", "latent_steps": "2"}),
    ("width 64, one prefix position", {"width": "64", "rounding": "32", "prefix_length": "1"}),
    ("batch of 64", {"batch_size": "64"}),
    (
        "Muon at 0.02, vectors at 0.002, little decay, clip",
        {
            "optimizer": "muon",
            "learning_rate": "0.02",
            "vector_learning_rate": "0.002",
            "row_learning_rate": "0.001",
            "weight_decay": "0.005",
            "row_weight_decay": "0.005",
            "clip": "1",
        },
    ),
    ("linear decay, moving average of 0.99", {"schedule": "linear", "ema": "0.99"}),
    ("four ages of supervision", {"max_age": "4"}),
    ("2-D rotary positions", {"positions": "rotary2d", "length": str(SIDE * SIDE)}),
    ("mixer instead of attention", {"mixers": "position_mlp"}),
    ("T 1, n 2: the preset", {"cycles": "1"}),
)


def _ladder() -> tuple[Variant, ...]:
    settings, rungs = dict(PUBLISHED), []
    for name, change in _CHANGES:
        settings |= change
        rungs.append(Variant(name, tuple(f"{key}={value}" for key, value in settings.items())))
    return tuple(rungs)


LADDER = _ladder()
