"""One room for mixers: one that lives here is trained, kept, guarded and counted by an entry in the table."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.checkpoints.weights import build_model, load
from arc_solver.corpus.corpus import Corpus
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.model.flops import layer_flops
from arc_solver.model.mixers import MIXERS, CellMixer
from arc_solver.model.positions import Canvas
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.settings import apply_settings
from arc_solver.training.loss import supervision_loss
from arc_solver.training.run import RunOptions, train

SETTINGS = ["mixers=shift", "positions=none", "steps=40", "warmup_steps=1", "batch_size=16"]
SETTINGS += ["latent_steps=1", "num_layers=1"]
RECIPE = apply_settings(find_preset("cpu-sudoku4"), SETTINGS)
SIDE = 4
BOARDS = generate_sudoku(16, SIDE, np.random.default_rng(3))


class Shift(CellMixer):
    def forward(self, cells: Tensor, canvas: Canvas) -> Tensor:
        return cells + cells.roll(1, dims=1)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MIXERS, "shift", Shift)


@torch.no_grad()
def losses(model: Model, boards: Tensor) -> tuple[float, Tensor]:
    """The loss of an age on the boards, and their logits."""
    carry = model.first_carry(len(boards), model.config.prefix + SIDE * SIDE)
    output = model(boards, torch.zeros(len(boards), 12, dtype=torch.int32), carry, (SIDE, SIDE))
    return float(supervision_loss(output, torch.from_numpy(BOARDS.answers + 1)).total), output.logits


def test_a_mixer_of_three_lines_is_trained_and_its_weights_are_guarded(tmp_path: Path) -> None:
    corpus, options = Corpus(SUDOKU, BOARDS), RunOptions(device="cpu", quiet=True)
    path = train(RECIPE, corpus, tmp_path / "run", options)
    kept, boards = load(path), torch.from_numpy(BOARDS.questions + 1)
    assert kept.preset.model.mixers == ("shift",)
    before, after = losses(build_model(RECIPE), boards), losses(kept.model, boards)
    assert after[0] < 0.9 * before[0]
    boards[:, 0] = 1 + boards[:, 0] % SIDE
    heard = (losses(kept.model, boards)[1] != after[1]).any(dim=2).all(dim=0)
    assert heard.tolist() == [True] * 3 + [False] * 13  # a cell further in each of two updates
    other = apply_settings(RECIPE, ["mixers=shift,convolution"])
    with pytest.raises(CheckpointError, match=r"mixers is .*convolution.* here, \('shift',\) there"):
        train(other, corpus, tmp_path / "other", RunOptions(init=path, device="cpu", quiet=True))
    assert not (tmp_path / "other").exists()


def test_every_mixer_adds_its_own_products() -> None:
    """Of a layer with two mixers as of the layers with one."""
    alone = {
        name: layer_flops(apply_settings(RECIPE, [f"mixers={name}"]).model, 17)
        for name in ("shift", "convolution", "position_mlp")
    }
    both = layer_flops(apply_settings(RECIPE, ["mixers=position_mlp,convolution"]).model, 17)
    assert both - alone["shift"] == sum(flops - alone["shift"] for flops in alone.values()) > 0
