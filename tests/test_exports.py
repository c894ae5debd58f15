"""The public names of arc_solver: lazy, complete, and not hidden by submodules."""

import sys
from pathlib import Path

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


def test_no_module_shares_a_name_with_a_public_one(repository: Path) -> None:
    below = {path.stem for path in (repository / "arc_solver").iterdir()}
    assert not below & set(arc_solver._HOMES)
