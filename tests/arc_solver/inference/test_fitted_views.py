"""Views of a task that are learnt: no more than there is time for, unless somebody says how many."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from arc_solver.inference import fitted_views
from arc_solver.inference.fitted_views import LEAST_VIEWS, MEETINGS, leaves_views_open
from arc_solver.inference.options import Listener, SolveOptions
from arc_solver.inference.solve import vote
from tests.arc_solver.tiny import CPU, MODEL, PREDICT, TRAIN, preset, tasks

RECIPE = preset(MODEL, dataclasses.replace(TRAIN, num_views=16), dataclasses.replace(PREDICT, views=16))


@pytest.mark.parametrize(
    ("num_views", "share", "wanted"),
    [(16, 1, 16), (16, 0.99, 8), (16, 0.5, 8), (16, 0.49, 4), (16, 0, 4), (9, 0.1, 4), (7, 0, 7), (1, 0, 1)],
)
def test_views_are_halved_until_each_example_is_met_often_enough(
    num_views: int, share: float, wanted: int
) -> None:
    met = share * MEETINGS * 5 * num_views
    assert fitted_views.fitted_views(num_views, 5, met) == wanted


@pytest.mark.parametrize(
    "chosen",
    [
        {"deadline": None},
        {"adapt_steps": 3},
        {"keep": Path("kept")},
        {"settings": ("num_views=16",)},
        {"settings": ("train.num_views = 16",)},
    ],
)
def test_what_is_chosen_stays(chosen: dict[str, Any]) -> None:
    options = SolveOptions(deadline=1.0, settings=("views=16",))
    assert leaves_views_open(options, RECIPE, CPU)
    assert not leaves_views_open(dataclasses.replace(options, **chosen), RECIPE, CPU)
    assert not leaves_views_open(options, RECIPE, torch.device("cuda"))
    compiled = dataclasses.replace(RECIPE, train=dataclasses.replace(RECIPE.train, compile="on"))
    assert not leaves_views_open(options, compiled, CPU)


@pytest.mark.parametrize(("seconds", "views"), [(1e-9, 16), (1e9, LEAST_VIEWS)])
def test_a_slow_machine_learns_and_asks_fewer(
    seconds: float, views: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitted_views, "seconds_per_step", lambda state, train: seconds)
    said: list[str] = []
    options = SolveOptions(preset=RECIPE, deadline=time.monotonic() + 60, settings=("early=off",))
    found = vote(tasks(4), None, options, Listener(say=said.append))
    assert {standing.ballots + standing.spoiled for standing in found.values()} == {views}
    assert any(f"{views} views of a task are learnt, not 16" in line for line in said) == (views < 16)
