"""What the tests of the package share."""

import pytest

from tests.arc_solver.terminal import Terminal


@pytest.fixture
def arc_solve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command line, run in this process."""
    return Terminal(monkeypatch, capsys)
