"""The public names of arc_solver: lazy, complete, and not hidden by submodules."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

import arc_solver


def test_every_public_name_is_listed() -> None:
    assert set(arc_solver.__all__) <= set(dir(arc_solver))


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'sovle'; it offers .*\bsolve\b"):
        _ = arc_solver.sovle


@pytest.mark.parametrize("name", arc_solver._HOMES)
def test_public_name_is_found_in_its_module(name: str, sources: dict[str, Path]) -> None:
    home = arc_solver._HOMES[name]
    if home not in sources:
        pytest.skip(f"{home} is not written yet")
    value = getattr(arc_solver, name)
    assert callable(value)
    assert value is getattr(sys.modules[home], name)


def test_a_submodule_does_not_hide_the_function_of_its_name() -> None:
    before = vars(arc_solver).get("solve")
    arc_solver.solve = ModuleType("arc_solver.solve")
    assert vars(arc_solver).get("solve") is before


def test_other_submodules_are_bound() -> None:
    arc_solver.elsewhere = ModuleType("arc_solver.elsewhere")
    assert isinstance(vars(arc_solver).pop("elsewhere"), ModuleType)
