"""Figures have the agreed form, and the sections the agreed names."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from arc_solver.benchmarks import sections
from arc_solver.benchmarks.figures import figure
from arc_solver.benchmarks.profile import CASES
from arc_solver.benchmarks.train import Step
from arc_solver.benchmarks.vote import BATCH, NUM_QUERIES, cast_all, draw_ballots
from arc_solver.config import ModelConfig
from arc_solver.model.flops import layer_shapes
from arc_solver.model.trm import Model
from tests.arc_solver.terminal import Terminal


def test_a_figure_is_a_median_with_the_distance_of_its_quartiles() -> None:
    found = figure("x.y", [5.0, 1.0, 2.0, 3.0, 4.0], "s")
    assert found == {"name": "x.y", "value": 3.0, "unit": "s", "runs": 5, "spread": 2.0}
    assert figure("x.y", [7.0], "s")["spread"] == 0


def test_every_ballot_is_counted() -> None:
    ballots = draw_ballots(3 * BATCH + 5, np.random.default_rng(1))
    box = cast_all(ballots)
    assert sum(box.ballots(query) for query in box.queries) == len(ballots.queries)
    assert len(box.queries) == NUM_QUERIES


def test_operations_are_those_of_the_published_block() -> None:
    config = ModelConfig(width=32, num_heads=2, rounding=32, cycles=2, latent_steps=3, prefix_length=4)
    assert layer_shapes(config) == [(32, 96), (32, 32), (32, 192), (96, 32)]
    positions, weights = 4 + 9, 32 * 96 + 32 * 32 + 32 * 192 + 96 * 32
    network = 2 * 2 * (2 * positions * weights + 4 * positions * positions * 32)
    # One refinement without gradient, one with it, whose backward pass takes twice its forward.
    assert Step(Model(config), 2, 3).flops() == network * 4 * (1 + 3)


def test_the_profile_of_a_gpu_is_rehearsed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = Terminal(monkeypatch, capsys)("bench", "profile", "--quick", "--quiet", "--json")
    assert outcome.code == 0
    found = {each["name"]: each for each in outcome.json()}
    for recipe in CASES:
        for name in ("first_step_s", "step_s", "tflop_per_s", "matmul_fraction", "torch_mm"):
            assert found[f"profile.{recipe}.{name}"]["value"] > 0
        shares = [found[f"profile.{recipe}.cost_{place}"]["value"] for place in (1, 2, 3)]
        assert 1 >= sum(shares) >= shares[0] >= shares[1] >= shares[2] > 0


@pytest.mark.parametrize("as_json", [False, True])
def test_a_killed_bench_has_printed_what_it_measured(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(*_: object) -> Iterator[dict[str, Any]]:
        yield figure("a.b", [1.5], "s")
        raise KeyboardInterrupt

    monkeypatch.setattr(sections, "measure", measured)
    outcome = Terminal(monkeypatch, capsys)("bench", "vote", *(["--json"] if as_json else []))
    assert outcome.code != 0
    assert "a.b" in (outcome.err if as_json else outcome.out)


def test_bench_prints_one_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Terminal(monkeypatch, capsys)("bench", "vote", "cli", "--quick", "--json")
    assert outcome.code == 0
    found = outcome.json()
    assert {"vote.answers_per_s", "vote.ballots_per_s", "cli.help_s"} <= {each["name"] for each in found}
    assert all(set(each) == {"name", "value", "unit", "runs", "spread"} for each in found)
    assert all(each["value"] > 0 for each in found)
