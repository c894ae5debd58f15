"""A time for learning, and as many views as fit into it, where nobody says them."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest

from arc_solver.domains.arc import examples
from arc_solver.inference import adaptation, measured_time, own_budget
from arc_solver.inference.options import Listener, SolveOptions
from arc_solver.inference.own_budget import (
    MEETINGS,
    MIN_VIEWS,
    fitted_views,
    own_seconds,
)
from arc_solver.inference.solve import vote
from arc_solver.training.loop import Hooks
from tests.arc_solver.tiny import MODEL, PREDICT, TRAIN, preset, tasks

ENDLESS = preset(dataclasses.replace(MODEL, cycles=1), dataclasses.replace(TRAIN, steps=1_000_000), PREDICT)


def test_the_budget_grows_with_number_and_size_and_has_a_ceiling() -> None:
    one, large, many = own_seconds(tasks(1)[:1]), own_seconds(tasks(1, (29,))), own_seconds(tasks(1) * 40)
    assert 30 <= one <= 90
    assert one < large < many
    assert own_seconds(tasks(1, (29,)) * 4000) == own_budget.MAX_SECONDS


def test_the_time_of_a_slow_machine_is_stretched_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "adapt", lambda model, *_, **__: model)
    plain = own_seconds(tasks(4)[:2])
    for seconds, stretch in ((1e-9, 1), (2 * own_budget.STEP_SECONDS, 2), (1e9, own_budget.MAX_STRETCH)):
        monkeypatch.setattr(measured_time, "seconds_per_step", lambda state, train, s=seconds: s)
        said = said_by(SolveOptions(preset=ENDLESS, views=1, ages=1))
        words = own_budget.own_budget_line(own_seconds(tasks(4)[:2], stretch), 2)
        assert words in said
        assert own_seconds(tasks(4)[:2], stretch) == pytest.approx(stretch * plain, rel=0.2)


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


VIEWED = preset(MODEL, dataclasses.replace(TRAIN, num_views=16), dataclasses.replace(PREDICT, views=16))


@pytest.mark.parametrize(
    ("num_views", "share", "wanted"),
    [(16, 1, 16), (16, 0.99, 8), (16, 0.5, 8), (16, 0.49, 4), (16, 0, 4), (9, 0.1, 4), (7, 0, 7), (1, 0, 1)],
)
def test_views_are_halved_until_each_example_is_met_often_enough(
    num_views: int, share: float, wanted: int
) -> None:
    met = share * MEETINGS * 5 * num_views
    assert fitted_views(num_views, num_views, 5, met) == wanted


@pytest.mark.parametrize(
    ("num_views", "most", "share", "wanted"),
    [(16, 64, 4, 64), (16, 64, 3.99, 32), (16, 64, 1.99, 16), (16, 64, 0.5, 8), (16, 60, 9, 32)],
)
def test_views_are_doubled_while_each_example_is_met_often_enough(
    num_views: int, most: int, share: float, wanted: int
) -> None:
    assert fitted_views(num_views, most, 5, share * MEETINGS * 5 * num_views) == wanted


@pytest.mark.parametrize("seconds", [1e-9, 1e9])
@pytest.mark.parametrize("chosen", [{}, {"adapt_steps": 3}, {"settings": ("num_views=16",)}])
def test_a_slow_machine_learns_and_asks_fewer_views_unless_somebody_says_how_many(
    seconds: float, chosen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured_time, "seconds_per_step", lambda state, train: seconds)
    views = MIN_VIEWS if seconds > 1 and not chosen else 16
    said: list[str] = []
    asked: set[int] = set()

    def heard(answers: Any, *_: object) -> None:
        asked.update(answers.questions.owed.tolist())

    options = SolveOptions(preset=VIEWED, deadline=time.monotonic() + 60)
    vote(tasks(4), None, dataclasses.replace(options, **chosen), Listener(said.append, heard))
    assert asked == {views}
    assert any(f"{views} views of a task are learned" in line for line in said) == (views < 16)


def test_where_there_is_time_for_it_more_views_are_learned_and_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_time, "seconds_per_step", lambda state, train: 1e-9)
    monkeypatch.setattr(adaptation, "adapt", lambda model, *_, **__: model)
    said: list[str] = []
    asked: set[int] = set()
    few = dataclasses.replace(VIEWED, train=dataclasses.replace(VIEWED.train, num_views=4))
    options = SolveOptions(preset=few, deadline=time.monotonic() + 60)
    vote(
        tasks(4),
        None,
        options,
        Listener(said.append, lambda answers, *_: asked.update(answers.questions.owed.tolist())),
    )
    assert asked == {16}
    assert any("there is time for more: 16 views of a task are learned" in line for line in said)


def kept(seconds: float, folder: Path, monkeypatch: pytest.MonkeyPatch, **chosen: Any) -> tuple[int, bool]:
    """The views asked by a kept run whose steps take so long, and whether it went on with another."""
    monkeypatch.setattr(measured_time, "seconds_per_step", lambda state, train: seconds)
    said: list[str] = []
    asked: set[int] = set()
    few = dataclasses.replace(VIEWED, train=dataclasses.replace(VIEWED.train, num_views=8, steps=3))
    options = SolveOptions(preset=few, deadline=time.monotonic() + 60, keep=folder)

    def heard(answers: Any, *_: object) -> None:
        asked.update(answers.questions.owed.tolist())

    vote(tasks(4)[:2], None, dataclasses.replace(options, **chosen), Listener(said.append, heard))
    (views,) = asked
    return views, any("going on with what was learned" in line for line in said)


def test_a_kept_run_goes_on_with_the_views_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although there is time for more, or for fewer, when it is started again."""
    for begun, wanted in ((1e-9, 16), (1e9, MIN_VIEWS)):
        folder = tmp_path / str(wanted)
        assert kept(begun, folder, monkeypatch) == (wanted, False)
        assert kept(1e-9, folder, monkeypatch) == (wanted, True)
        assert kept(1e9, folder, monkeypatch) == (wanted, True)


@pytest.mark.parametrize(
    "damage", [b"", b"[", b"7", b"[4]", b"[4, 4.5]", b"[0, 4]", b"[-1, 4]", b"[4, 99999]", b"[" * 9999]
)
def test_views_that_cannot_be_read_are_fitted_again(
    damage: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept(1e9, tmp_path, monkeypatch) == (4, False)
    (path,) = tmp_path.glob("*.views.json")
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert kept(1e9, tmp_path, monkeypatch) == (4, True)
    assert path.read_bytes() == whole == b"[4, 4]"


def test_views_of_a_run_that_saved_nothing_are_fitted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(adaptation, "adapt", lambda model, *_, **__: model)
        assert kept(1e9, tmp_path, killed) == (4, False)
    assert kept(1e-9, tmp_path, monkeypatch) == (16, False)


def test_a_kept_run_goes_on_whether_steps_or_seconds_limit_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept(1e9, tmp_path / "steps", monkeypatch, deadline=None, adapt_steps=3) == (8, False)
    assert kept(1e9, tmp_path / "steps", monkeypatch) == (8, True)
    assert kept(1e9, tmp_path / "seconds", monkeypatch) == (4, False)
    assert kept(1e9, tmp_path / "seconds", monkeypatch, deadline=None, adapt_steps=4) == (4, True)


def test_larger_canvases_are_given_fewer_views_where_time_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small tasks and one on a canvas with nine times the cells."""
    mixed = [*tasks(4)[:2], dataclasses.replace(tasks(5, (20,))[0], id="large")]
    num_pairs = len(mixed[0].train)
    shared = dataclasses.replace(
        VIEWED, train=dataclasses.replace(VIEWED.train, batch_size=20, equal_time=True)
    )
    # Enough for the small ones: 19 of 20 slots; the other slot would need 2 · 19 times as many steps.
    steps = MEETINGS * num_pairs * 2 * 16 / 19
    monkeypatch.setattr(measured_time, "seconds_per_step", lambda state, train: 0.8 * 60_000 / steps)
    said: list[str] = []
    owed: list[list[int]] = []
    options = SolveOptions(preset=shared, deadline=time.monotonic() + 61_000, settings=())
    monkeypatch.setattr(adaptation, "adapt", lambda model, *_, **__: model)
    vote(
        mixed,
        None,
        options,
        Listener(said.append, lambda answers, *_: owed.append(answers.questions.owed.tolist())),
    )
    assert owed[0] == [16, 16, MIN_VIEWS]
    assert any(f"{MIN_VIEWS} to 16 views of a task are learned" in line for line in said)


def test_learning_ends_early_only_in_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def heard(model: Any, *_: object, hooks: Hooks, **__: object) -> Any:
        asked.append(hooks.report.__self__.until_learned)  # type: ignore[attr-defined]
        return model

    monkeypatch.setattr(adaptation, "adapt", heard)
    recipe = preset(MODEL, TRAIN, dataclasses.replace(PREDICT, views=1))
    for deadline in (None, time.monotonic() + 1000):
        vote(tasks(2), None, SolveOptions(preset=recipe, deadline=deadline), Listener())
    assert asked == [True, False]


def test_what_answering_compiles_is_compiled_before_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answers on a machine compile for seconds, which no time limit foresees."""
    order: list[str] = []
    restore = examples.restore_answers

    def restored(*given: Any) -> Any:
        order.append("answers are turned back")
        return restore(*given)

    def learned(model: Any, *_: object, **__: object) -> Any:
        order.append("learned")
        return model

    monkeypatch.setattr(examples, "restore_answers", restored)
    monkeypatch.setattr(adaptation, "adapt", learned)
    recipe = preset(MODEL, TRAIN, dataclasses.replace(PREDICT, views=1))
    vote(tasks(2), None, SolveOptions(preset=recipe, deadline=time.monotonic() + 1000), Listener())
    assert order.index("learned") > 0
