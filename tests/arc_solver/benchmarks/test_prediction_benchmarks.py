"""What the benchmarks of prediction count: ballots, likelihoods, the ages at which rows leave."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.benchmarks import stages
from arc_solver.checkpoints.weights import save
from arc_solver.config import PredictConfig
from arc_solver.model.trm import Model
from arc_solver.programs import voting_rules
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Task
from augment.canvas import place
from submission.vote import BallotBox, Query
from tests.arc_solver.tiny import MODEL, TRAIN, guesses, lively, preset, tasks

SMALL = dataclasses.replace(MODEL, num_layers=1, cycles=1, latent_steps=1)
CONFIG = PredictConfig(views=4, ages=2, batch_size=8, retry_overflow=False)


def thinker(listed: list[Task]) -> tuple[Model, PuzzleMap]:
    puzzles = PuzzleMap.build(listed, "rows", 4, seed=0)
    return lively(Model(SMALL, num_rows=puzzles.num_rows, seed=1)).requires_grad_(False), puzzles


def asked(listed: list[Task]) -> list[voting_rules.Opinions]:
    model, puzzles = thinker(listed)
    found = (voting_rules.opinions(model, puzzles, t, n, CONFIG, "fitted") for n, t in enumerate(listed))
    return [own for each in found for own in each]


def test_opinions_are_the_guesses_of_the_engine() -> None:
    listed = tasks(5, sides=(3, 8), num_tests=2)
    model, puzzles = thinker(listed)
    box = BallotBox([Query(task.id, i) for task in listed for i in range(2)])
    for found in guesses(model, puzzles, listed, range(2), CONFIG):
        a = found.answers
        box.cast_batch(found.queries, a.keys, a.cells, a.shapes[:, 0], a.shapes[:, 1], found.confidence)
    for own in asked(listed):
        tallies = own.box().tallies(own.query)
        expected = box.tallies(own.query)
        assert [t.grid.tolist() for t in tallies] == [t.grid.tolist() for t in expected]
        assert [t.confidence for t in tallies] == pytest.approx([t.confidence for t in expected], abs=1e-5)
        assert len(own.ballots) == len(own.views) == 4


def test_a_likelihood_is_that_of_the_grid_under_every_view() -> None:
    own = asked(tasks(5, sides=(4,)))[0]
    assert own.log_probabilities.shape == (4, 49, 12)
    assert np.exp(own.log_probabilities).sum(axis=2) == pytest.approx(1.0, abs=1e-5)
    grid = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    total = 0.0
    for view, probabilities in zip(own.views, own.log_probabilities, strict=True):
        tokens = place(view.apply(grid), 7).ravel().tolist()
        # The grid has six cells, and an edge of three and of two.
        assert sum(token > 0 for token in tokens) == 11
        total += sum(float(probabilities[i, token]) for i, token in enumerate(tokens) if token)
    assert own.likelihood(grid) == pytest.approx(total)
    assert own.likelihood(np.zeros((8, 2), np.uint8)) == -np.inf


def test_rules_rank_the_same_candidates() -> None:
    found = asked(tasks(5, sides=(3, 4)))
    rankings = voting_rules.by_rules(found)
    assert len(rankings) == 5
    for own in found:
        contents = {tuple(sorted(g.tobytes() for g in rankings[rule][own.query])) for rule in rankings}
        assert len(contents) == 1
    ways = {name: (views, attempts) for name, views, attempts in voting_rules.by_early_decision(found)}
    assert ways["all views"][0] == 4 * len(found) >= ways["decided"][0]
    every, decided = ways["all views"][1], ways["decided"][1]
    assert {q: [g.tolist() for g in a] for q, a in every.items()} == {
        q: [g.tolist() for g in a] for q, a in decided.items()
    }


def row(same: list[int]) -> stages.Row:
    return stages.Row(Query("a", 0), 0, [None] * len(same), [0.5] * len(same), same)


def test_rows_leave_when_unchanged_or_at_the_limit() -> None:
    assert stages._leaving(row([0, 1, 2, 3]), 4, 2) == 3
    assert stages._leaving(row([0, 1, 0, 1]), 4, 2) == 4
    assert stages._leaving(row([0, 1, 2, 3]), 2, 2) == 2
    assert stages._leaving(row([0, 1, 2, 3]), 4, 0) == 4
    rows = [row([0, 1, 2, 3])] * 63 + [row([0, 0, 0, 0])] + [row([0, 1, 2, 3])]
    assert stages._waiting_for_the_slowest(rows, 4) == pytest.approx((64 * 4 + 3) / 65)


def test_stages_are_measured_with_weights_that_know_small_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    listed = tasks(5, sides=(3, 4))
    monkeypatch.setattr(stages, "_small_tasks", lambda: tasks(6, sides=(3,)) + listed)
    model, puzzles = thinker(listed)
    recipe = preset(
        SMALL, dataclasses.replace(TRAIN, max_age=3), dataclasses.replace(CONFIG, early_error=0.9)
    )
    path = tmp_path / "w.safetensors"
    save(
        path, {f"average.{n}": t for n, t in model.state_dict().items()}, recipe, puzzles, {"kind": "weights"}
    )
    figures = {each["name"]: each["value"] for each in stages.measure_stages(path, 8, 0.0)}
    assert set(figures) == {
        *(f"predict.{name}_gain" for name in ("halting", "refill", "early")),
        *(f"predict.solved_{name}" for name in ("plain", "budget", "halting", "early")),
    }
    assert all(figures[f"predict.{name}_gain"] >= 1 for name in ("halting", "refill", "early"))
