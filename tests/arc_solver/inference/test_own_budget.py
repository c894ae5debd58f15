"""A time for learning where nobody says one: by number and size, told before it begins, and kept."""

import dataclasses

import pytest

from arc_solver.inference import own_budget
from arc_solver.inference.options import Listener, SolveOptions
from arc_solver.inference.own_budget import own_seconds
from arc_solver.inference.solve import vote
from tests.arc_solver.tiny import MODEL, PREDICT, TRAIN, preset, tasks

ENDLESS = preset(dataclasses.replace(MODEL, cycles=1), dataclasses.replace(TRAIN, steps=1_000_000), PREDICT)


def test_the_budget_grows_with_number_and_size_and_has_a_ceiling() -> None:
    one, large, many = own_seconds(tasks(1)[:1]), own_seconds(tasks(1, (29,))), own_seconds(tasks(1) * 40)
    assert 30 <= one <= 90
    assert one < large < many
    assert own_seconds(tasks(1, (29,)) * 4000) == own_budget.MAX_SECONDS


def said_by(options: SolveOptions) -> list[str]:
    said: list[str] = []
    vote(tasks(4)[:2], None, options, Listener(say=said.append))
    return said


def test_a_recipe_of_a_million_steps_ends_and_says_how_long_it_takes_and_how_to_give_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_budget, "MIN_SECONDS", 4.0)
    monkeypatch.setattr(own_budget, "SECONDS_PER_CELL", 0.0)
    said = said_by(SolveOptions(preset=ENDLESS, views=1, ages=1))
    told = next(number for number, line in enumerate(said) if "--time-limit" in line)
    begun = next(number for number, line in enumerate(said) if line.startswith("learning"))
    assert told < begun
    assert "5 s for 2 tasks" in said[told]


@pytest.mark.parametrize(
    "chosen", [{"adapt_steps": 2}, {"adapt": False}, {"settings": ("steps=2",)}, {"deadline": 0.0}]
)
def test_a_budget_that_was_chosen_is_left_alone(chosen: dict[str, object]) -> None:
    options = dataclasses.replace(SolveOptions(preset=ENDLESS, views=1, ages=1), **chosen)
    assert not any("no time limit" in line for line in said_by(options))
