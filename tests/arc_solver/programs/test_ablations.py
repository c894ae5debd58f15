"""Every variant is a recipe that can be built; cells are measured once; the page holds what was measured."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest

from arc_solver.config import ConfigError
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.programs import ablations
from arc_solver.programs.ablation_variants import BASE, LADDER, PRESET, VARIANTS


def test_every_variant_is_a_network_that_can_be_made() -> None:
    sizes = {}
    for variant in VARIANTS:
        preset = ablations.recipe(variant, 1)
        assert preset.train.seed == 1
        sizes[variant.name] = sum(p.numel() for p in Model(preset.model).parameters())
    assert sizes["two networks"] > sizes[BASE] > sizes["one layer"]
    assert len(sizes) == len(VARIANTS)


def test_the_ladder_leads_from_the_published_recipe_to_the_preset() -> None:
    first, last = ablations.recipe(LADDER[0], 0), ablations.recipe(LADDER[-1], 0)
    assert last == find_preset(PRESET)
    published, ours = find_preset("paper-sudoku-att"), find_preset(PRESET)
    fitted = {"vocabulary": ours.model.vocabulary, "width": 128, "num_heads": ours.model.num_heads}
    assert first.model == dataclasses.replace(published.model, **fitted)
    apart = {"batch_size": 128, "steps": ours.train.steps}
    assert first.train == dataclasses.replace(published.train, **apart)
    recipes = [ablations.recipe(rung, 0) for rung in LADDER]
    assert all(a != b for a, b in itertools.pairwise(recipes))


def test_cells_are_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ablations, "NUM_TRAINING", 40)
    monkeypatch.setattr(ablations, "NUM_TEST", 6)
    results, out = tmp_path / "new" / "cells.jsonl", tmp_path / "page.md"
    command = ["--seconds", "0.01", "--results", str(results), "--out", str(out), "--only", "one layer"]
    ablations.main([*command, "--seeds", "0"])
    assert "2 of 2 cells to measure: about 0 min" in capsys.readouterr().out
    first = results.read_text()
    results.write_text(first + '{"cut short')
    ablations.main([*command, "--seeds", "0", "1"])
    assert "2 of 4 cells to measure" in capsys.readouterr().out
    cells = [json.loads(line) for line in results.read_text().splitlines() if line.endswith("}")]
    assert [(cell["variant"], cell["seed"]) for cell in cells] == [
        (name, seed) for seed in (0, 1) for name in (BASE, "one layer")
    ]
    assert all(cell["steps"] >= 0 and 0 <= cell["exact"] <= 1 for cell in cells)
    page = out.read_text()
    assert "| two networks |" not in page
    shown = " | ".join(f"{100 * cell['exact']:.1f}" for cell in cells if cell["variant"] == "one layer")
    assert "| one layer | `num_layers=1` | " in page
    assert f" | {shown} | " in page


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ConfigError, match="--only 'two layers': no such variant"):
        ablations.main(["--only", "two layers"])
