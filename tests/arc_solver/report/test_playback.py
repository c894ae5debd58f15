"""Frames on a screen: they fit, cover each other where they can, and need no color to be told apart."""

import re

import numpy as np
import pytest

from arc_solver.commands.screen import Screen, Stage
from arc_solver.report.board_story import BoardStory, legend_of
from arc_solver.report.panel_text import panel_block
from arc_solver.report.panels import ARC_LOOK, Frame, Opening, Panel, board_look
from arc_solver.report.playback import Player

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def grid(height: int, width: int) -> np.ndarray:
    return (np.arange(height * width) % 10).astype(np.uint8).reshape(height, width)


def played(
    frames: list[Frame], columns: int = 80, lines: int = 24, *, color: bool = False, animated: bool = False
) -> tuple[str, list[float]]:
    written: list[str] = []
    waits: list[float] = []
    player = Player(written.append, columns, lines, color, animated, 0.5, waits.append)
    player.begin(Opening("task", ARC_LOOK, ((Panel("train 1", grid(2, 3)), Panel("output", grid(3, 2))),)))
    for frame in frames:
        player.show(frame)
    return "".join(written), waits


def frame(height: int, width: int, **more: object) -> Frame:
    changed = np.zeros((height, width), bool)
    changed[-1, -1] = True
    panels = (
        Panel("test input", grid(height, width), still=True),
        Panel("answer", grid(height, width), changed=changed),
        Panel("truth", None, still=True),
    )
    return Frame("age 1 of 2", "1 cell changed", panels, 0.3, **more)


@pytest.mark.parametrize("columns", [20, 33, 61, 80, 132])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (10, 9), (30, 30), (1, 30), (30, 1)])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_longer_than_the_screen_or_than_the_densest_grid(
    columns: int, shape: tuple[int, int], color: bool
) -> None:
    text, waits = played([frame(*shape), frame(*shape)], columns, color=color)
    assert waits == []
    assert ("\x1b" in text) == color
    assert max(len(ESCAPE.sub("", line)) for line in text.splitlines()) <= max(columns, shape[1])


def test_frames_cover_each_other_on_a_terminal() -> None:
    text, waits = played([frame(3, 3), frame(3, 3), frame(3, 3, stay=True)], animated=True)
    # Title, news, panel titles, three rows, the bar.
    assert text.count("\x1b[7A\x1b[J") == 2
    assert waits == [0.5, 0.5, 1.25]


def test_remarks_wait_for_the_end_of_frames_that_move(capsys: pytest.CaptureFixture[str]) -> None:
    for moves in (True, False):
        stage = Stage(Screen(80, 24, False, moves), None, 0.0)
        said: list[str] = []
        stage.show(frame(3, 3))
        stage.remarking(said.append)("short of time")
        assert said == ([] if moves else ["short of time"])
        stage.show(frame(3, 3))
        stage.close()
        assert said == ["short of time"]
    assert capsys.readouterr().out.count("\x1b[J") == 1


@pytest.mark.parametrize(("height", "width", "lines"), [(30, 30, 24), (30, 30, 12), (9, 9, 5), (20, 20, 24)])
def test_what_does_not_fit_is_not_covered_by_halves(height: int, width: int, lines: int) -> None:
    text, _ = played([frame(height, width)] * 3, lines=lines, color=True, animated=True)
    parts = re.split(r"\x1b\[(\d+)A\x1b\[J", text)
    for number in parts[1::2]:
        assert int(number) < lines
    last = parts[-1].splitlines()
    assert len(parts) == 1 or len(last) < lines


@pytest.mark.parametrize("color", [False, True])
def test_givens_guesses_changes_and_broken_rules_are_told_apart(color: bool) -> None:
    cells = np.array([[1, 2, 3, 4], [1, 4, 2, 3], [2, 1, 4, 3], [4, 3, 1, 0]], np.uint8)
    question = np.where(np.arange(4) == 0, cells, 0).astype(np.uint8)
    changed = cells == 2
    panel = BoardStory("sudoku", "x", question)._panel("answer", cells, changed)[0]
    block = panel_block(panel, color=color)
    rows = [line for line in block.lines if any(c.isdigit() for c in ESCAPE.sub("", line))]
    shown = [re.split(r"[|│]", ESCAPE.sub("", line)) for line in rows]
    marks = ["".join(part.lstrip() if not color else part for part in row) for row in shown]
    if color:
        assert marks == ["1!2*3!4 ", "1!4 2*3!", "2*1 4 3!", "4 3 1   "]
        paints = re.findall(r"\x1b\[([0-9;]+)m(..)", "".join(rows))
        assert len({paint for paint, text in paints if text.strip()}) == 4
    else:
        assert marks == ["1!2*3!4'", "1!4'2*3!", "2*1'4'3!", "4 3'1'. "]
    assert len({len(ESCAPE.sub("", line)) for line in block.lines}) == 1


def test_a_maze_without_color_has_a_frame_and_letters() -> None:
    cells = np.array([[2, 4, 1], [0, 4, 0], [1, 4, 3]], np.uint8)
    block = panel_block(Panel("m", cells, board_look("maze", 4)), color=False)
    assert block.lines[1:] == ("+------+", "|S o   |", "|##o ##|", "|  o G |", "+------+")
    dense = panel_block(Panel("m", cells, board_look("maze", 4)), color=False, dense=True)
    assert dense.lines[1:] == ("+---+", "|So |", "|#o#|", "| oG|", "+---+")


def test_cells_without_a_value_and_panels_without_a_grid() -> None:
    cells = np.array([[255, 3]], np.uint8)
    assert panel_block(Panel("a", cells), color=False).lines == ("a   ", "? 3 ")
    assert panel_block(Panel("a", None), color=True).lines == ("a", "?")
    assert "\x1b" in panel_block(Panel("a", cells), color=True, dense=True).lines[1]
    assert panel_block(Panel("s", np.zeros((6, 6), np.uint8), board_look("sudoku", 6)), color=False).lines[
        1
    ] == ("+-------+-------+")


@pytest.mark.parametrize("kind", ["sudoku", "maze"])
def test_the_legend_names_what_is_met(kind: str) -> None:
    written: list[str] = []
    Player(written.append, 30, 24, color=False, animated=False).begin(legend_of(kind, 9))
    text = "".join(written)
    assert "breaks a rule" in text
    assert ("given" in text) == (kind == "sudoku")
    assert max(map(len, text.splitlines())) <= 30
