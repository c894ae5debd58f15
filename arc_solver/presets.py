"""Named recipes as data: `paper-*` and `hrm-*` are the published ones, `cpu-*` are for two cores."""

from __future__ import annotations

import dataclasses
from typing import Any

from arc_solver.config import ConfigError, ModelConfig, PredictConfig, Preset, TrainConfig, did_you_mean

PAPER_ARC = ModelConfig(latent_steps=4, positions="rotary1d")
# 100,000 epochs, in each of which every task has all its pairs under the identity or one of 1,000 views: 518k
# steps on ARC-1, 724k on ARC-2 (arXiv 2510.04871, its code, and the steps in the published checkpoints).
PAPER_ARC1_TRAIN = TrainConfig(steps=518_000, canvas="full", num_views=1001, all_pairs=True)
PAPER_BOARD = TrainConfig(steps=65_000, row_learning_rate=1e-4, weight_decay=1.0, row_weight_decay=1.0)
SUDOKU_MLP = ModelConfig(vocabulary=11, mixers=("position_mlp",), length=81, positions="none")
SUDOKU_ATT = ModelConfig(vocabulary=11, positions="rotary1d")
MAZE_ATT = ModelConfig(vocabulary=6, latent_steps=4, positions="rotary1d")
HRM: dict[str, Any] = {
    "num_layers": 4,
    "cycles": 2,
    "latent_steps": 2,
    "prefix_length": 1,
    "networks": 2,
    "gradient": "last",
    "continue_output": True,
    "positions": "rotary1d",
}
# For two cores and minutes: few refinements, Muon for the matrices, a decay at the end.
CPU_TRAIN = TrainConfig(
    steps=1_000_000,
    batch_size=64,
    optimizer="muon",
    learning_rate=0.02,
    vector_learning_rate=2e-3,
    weight_decay=0.005,
    row_learning_rate=1e-3,
    row_weight_decay=0.005,
    warmup_steps=20,
    schedule="linear",
    clip=1.0,
    ema=0.99,
    loss="softmax",
)
CPU_BOARD = ModelConfig(width=64, num_heads=4, rounding=32, cycles=2, latent_steps=2, prefix_length=1)
# One layer whose cells are mixed by sums alone: over the groups of a Sudoku or the neighbors in a maze.
CPU_SUMS: dict[str, Any] = {"positions": "none", "num_layers": 1, "cycles": 1}

MAZE_NOISE = 1.0  # of rollouts on Maze-Hard, as published


def _board(name: str, about: str, model: ModelConfig, domain: str) -> Preset:
    train = dataclasses.replace(PAPER_BOARD, domain=domain)
    return Preset(
        name, about, model, train, PredictConfig(views=1, sigma=MAZE_NOISE if domain == "maze" else 0.0)
    )


def _hrm(name: str, domain: str, vocabulary: int, train: TrainConfig) -> Preset:
    about = f"HRM, the baseline, on {domain} as published: 27M parameters (not run here)"
    model, train = ModelConfig(vocabulary=vocabulary, **HRM), dataclasses.replace(train, ema=0.0)
    views, sigma = train.num_views if domain == "arc" else 1, MAZE_NOISE if domain == "maze" else 0.0
    return Preset(name, about, model, train, PredictConfig(views=views, sigma=sigma))


# Muon on the matrices, softmax and a cosine: the published short recipe for Sudoku-Extreme. There the average
# (0.9) begins at step 5,000; here at the start, since it covers only about ten steps.
GPU_BOARD = TrainConfig(
    domain="sudoku",
    steps=8_000,
    batch_size=384,
    optimizer="muon",
    learning_rate=0.02,
    vector_learning_rate=1e-4,
    row_learning_rate=1e-4,
    weight_decay=0.005,
    row_weight_decay=1.0,
    warmup_steps=200,
    schedule="cosine",
    decay_share=1.0,
    clip=1.0,
    ema=0.9,
    loss="softmax",
    label_smoothing=0.2,
    halt_weight=0.05,
)


def _gpu_arc(name: str, about: str, steps: int) -> Preset:
    train = TrainConfig(steps=steps, num_views=300)
    # As many ages as in training: whether fewer suffice at this size was not tried.
    return Preset(
        name, about, ModelConfig(), train, PredictConfig(views=256, ages=train.max_age, batch_size=512)
    )


_PRESETS = (
    Preset(
        "paper-arc",
        "TRM-Att on ARC-1 as published: 30x30 canvas, 1-D positions, 1001 views (not run here)",
        PAPER_ARC,
        PAPER_ARC1_TRAIN,
        PredictConfig(views=1001),
    ),
    Preset(
        "paper-arc2",
        "TRM-Att on ARC-2 as published (not run here)",
        PAPER_ARC,
        dataclasses.replace(PAPER_ARC1_TRAIN, steps=724_000),
        PredictConfig(views=1001),
    ),
    _board("paper-sudoku-mlp", "TRM-MLP on Sudoku-Extreme as published (not run here)", SUDOKU_MLP, "sudoku"),
    _board("paper-sudoku-att", "TRM-Att on Sudoku-Extreme as published (not run here)", SUDOKU_ATT, "sudoku"),
    _board("paper-maze", "TRM-Att on Maze-Hard as published (not run here)", MAZE_ATT, "maze"),
    # Boards: 20,000 epochs of 1,000 examples (arXiv 2506.21734 and its code); those above have 50,000.
    _hrm("hrm-arc", "arc", 12, PAPER_ARC1_TRAIN),
    _hrm("hrm-sudoku", "sudoku", 11, dataclasses.replace(PAPER_BOARD, domain="sudoku", steps=26_000)),
    _hrm("hrm-maze", "maze", 6, dataclasses.replace(PAPER_BOARD, domain="maze", steps=26_000)),
    _gpu_arc("arc1", "ARC-AGI-1 on one large GPU (not run here yet)", 100_000),
    _gpu_arc("arc2", "ARC-AGI-2 on one large GPU (not run here yet)", 100_000),
    Preset(
        "sudoku-mlp",
        "TRM-MLP on Sudoku-Extreme in 8k steps on one large GPU (not run here yet)",
        dataclasses.replace(SUDOKU_MLP, cycles=6, latent_steps=9),
        GPU_BOARD,
        PredictConfig(views=1, batch_size=1024, halt_logit=3.0),
    ),
    Preset(
        "sudoku-att",
        "TRM-Att on Sudoku-Extreme in 8k steps on one large GPU (not run here yet)",
        dataclasses.replace(SUDOKU_ATT, positions="rotary2d", cycles=6, latent_steps=9),
        GPU_BOARD,
        PredictConfig(views=1, batch_size=1024, halt_logit=3.0),
    ),
    Preset(
        "maze",
        "TRM-Att on Maze-Hard in 8k steps on one large GPU (not run here yet)",
        dataclasses.replace(MAZE_ATT, positions="rotary2d"),
        dataclasses.replace(GPU_BOARD, domain="maze", batch_size=128),
        PredictConfig(views=1, batch_size=256, halt_logit=3.0, sigma=MAZE_NOISE),
    ),
    _gpu_arc(
        "l4x4", "ARC at a Kaggle rerun on four L4: test-time training and votes (not run here yet)", 20_000
    ),
    _gpu_arc("t4x2", "ARC at a Kaggle rerun on two T4, in float32 (not run here yet)", 10_000),
    Preset(
        "cpu-arc",
        "ARC tasks on two cores within minutes: one narrow layer with a convolution, shallow recursion, Muon",
        dataclasses.replace(
            CPU_BOARD, vocabulary=12, mixers=("attention", "convolution"), width=128, num_layers=1, cycles=1
        ),
        dataclasses.replace(
            CPU_TRAIN,
            batch_size=32,
            learning_rate=0.005,
            vector_learning_rate=1e-3,
            row_learning_rate=3e-2,
            row_weight_decay=0.1,
            max_age=1,
            num_views=8,
            permute_colors=False,
            translate=False,
            canvas="fine",
            precision="products",
        ),
        PredictConfig(views=8, ages=1, batch_size=64),
    ),
    Preset(
        "cpu-sudoku4",
        "Sudoku 4x4 on two cores in a minute",
        dataclasses.replace(CPU_BOARD, vocabulary=6, mixers=("position_mlp",), length=16, cycles=1),
        dataclasses.replace(CPU_TRAIN, domain="sudoku", max_age=4),
        PredictConfig(views=1, batch_size=256, halt_logit=2.0),
    ),
    Preset(
        "cpu-sudoku6",
        "Sudoku 6x6 on two cores in ten minutes",
        dataclasses.replace(CPU_BOARD, vocabulary=8, width=96, mixers=("position_mlp",), length=36),
        dataclasses.replace(CPU_TRAIN, domain="sudoku", max_age=4, learning_rate=0.01),
        PredictConfig(views=4, batch_size=256, halt_logit=4.0),
    ),
    Preset(
        "cpu-sudoku9",
        "Sudoku 9x9 on two cores in an hour: sums over rows, columns and boxes, and many views for hard ones",
        dataclasses.replace(
            CPU_BOARD, **CPU_SUMS, vocabulary=11, mixers=("group_sums",), length=81, latent_steps=6
        ),
        dataclasses.replace(CPU_TRAIN, domain="sudoku", max_age=8, learning_rate=0.007),
        PredictConfig(views=16, batch_size=256, halt_logit=4.0),
    ),
    Preset(
        "cpu-sudoku9-symbols",
        "Sudoku 9x9: a position for every cell and digit, the gradient through four ages, compiled",
        dataclasses.replace(
            CPU_BOARD,
            **CPU_SUMS,
            vocabulary=11,
            width=32,
            rounding=16,
            expansion=3.0,
            embedding="none",
            mixers=("group_sums",),
            symbols=True,
            length=81,
            latent_steps=4,
        ),
        dataclasses.replace(
            CPU_TRAIN,
            domain="sudoku",
            batch_size=8,
            vector_learning_rate=4e-3,
            decay_share=0.5,
            halt_weight=0.1,
            max_age=16,
            gradient_ages=4,
            precision="bfloat16",
            compile="on",
        ),
        PredictConfig(views=1, ages=200, batch_size=16, halt_logit=4.0, guess_after=10),
    ),
    Preset(
        "cpu-maze",
        "Mazes on two cores in minutes, small ones first: walls, four neighbors, dense labels, no attention",
        dataclasses.replace(
            CPU_BOARD,
            **CPU_SUMS,
            vocabulary=6,
            width=32,
            mixers=("neighbours",),
            maxima=0.375,
            wall_token=1,
            hints=5,
            expansion=3.0,
            latent_steps=4,
        ),
        dataclasses.replace(
            CPU_TRAIN,
            domain="maze",
            batch_size=16,
            vector_learning_rate=4e-3,
            max_age=24,
            gradient_ages=2,
            hint_weight=1.0,
            halt_weight=0.1,
            exploration=0.5,
        ),
        PredictConfig(views=1, ages=96, batch_size=64, halt_logit=2.0),
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}


def find_preset(name: str) -> Preset:
    """The preset of that name; ConfigError suggests a similar one."""
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}{did_you_mean(name, PRESETS)}; known: {', '.join(PRESETS)}")
    return PRESETS[name]
