"""What is said while something takes a while: bars, signs of life, durations."""

import logging
import threading

import pytest

from arc_solver import progress as shown
from arc_solver.progress import Waiting, announce_compiling, duration, progress


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_of_unknown_length_names_no_end(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_is_terminal", lambda: terminal)
    bar = progress("learn", "step", None)
    line = bar.format_meter(**bar.format_dict | {"n": 1, "elapsed": 2.0})
    assert line == "learn: 1 steps [00:02<?]"
    bar.total = 4
    line = bar.format_meter(**bar.format_dict | {"n": 1, "elapsed": 2.0})
    assert line.endswith("1/4 steps [00:02<00:06]")
    bar.close()


@pytest.mark.parametrize("terminal", [True, False])
def test_something_moves_while_kernels_compile(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = threading.Event()

    def tell(*given: object, **named: object) -> None:
        print(*given, **named)  # type: ignore[call-overload]
        printed.set()

    monkeypatch.setattr(shown, "print", tell, raising=False)
    monkeypatch.setattr(Waiting, "_pause", lambda self: 0.001)
    log = logging.getLogger("augment.compiling")
    before = (log.handlers, log.propagate, log.level)
    monkeypatch.setattr(shown, "_is_terminal", lambda: terminal)
    announce_compiling()
    try:
        for _ in range(2):
            log.info("compiling kernels")
            log.debug("begin")
            assert printed.wait(60)
            printed.clear()
            log.debug("end")
    finally:
        log.handlers, log.propagate = before[:2]
        log.setLevel(before[2])
    err = capsys.readouterr().err
    if terminal:
        assert "\n" not in err
        assert err.startswith("\rcompiling kernels: 0 s")
        assert err.endswith(" \r")
    else:
        assert err.startswith("compiling kernels\nstill compiling: 0 s\n")
        assert "\r" not in err


def test_durations_name_nothing_that_is_zero() -> None:
    seconds = (0.4, 42, 59.7, 60, 119.6, 190, 3599.8, 7200, 18720)
    wanted = ["0 s", "42 s", "1 min", "1 min", "2 min", "3 min 10 s", "1 h", "2 h", "5.2 h"]
    assert [duration(each) for each in seconds] == wanted
