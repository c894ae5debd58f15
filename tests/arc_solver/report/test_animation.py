"""Each age is a frame that shows its answer, what changed, and how sure the network was."""

import builtins
import io

import numpy as np
import pytest

from arc_solver.config import ConfigError
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.report import animation
from arc_solver.report.animation import draw_frames
from arc_solver.report.board_story import follow
from arc_solver.report.grid_drawing import CLASSIC
from arc_solver.report.panels import ARC_LOOK, Frame, Look, Opening, Panel, PictureError
from arc_solver.report.picture import PillowMissing

LOGITS = [-3.0, 0.5, 4.0, 900.0]


def answers() -> np.ndarray:
    grids = np.zeros((4, 3, 5), np.uint8)
    grids[1:, 1, 2] = 6
    grids[0, 2] = 255
    return grids


def draw_thinking(cells: np.ndarray, logits: object, look: Look = ARC_LOOK, **options: str) -> bytes:
    """A frame for the answer after every age."""
    told = [
        Frame("", each.news(), (Panel("", each.cells, look, changed=each.changed),), each.logit)
        for each in follow(cells, np.asarray(logits))
    ]
    return draw_frames(Opening("title", look), told, **options)


def frames(data: bytes) -> list[np.ndarray]:
    image = pytest.importorskip("PIL.Image")
    sequence = pytest.importorskip("PIL.ImageSequence")
    with image.open(io.BytesIO(data)) as picture:
        return [np.asarray(frame.convert("RGB")) for frame in sequence.Iterator(picture)]


def test_thoughts_tell_what_changed() -> None:
    thoughts = follow(answers(), np.array(LOGITS))
    assert [thought.news() for thought in thoughts] == [
        "first answer",
        "6 cells changed",
        "= unchanged for 1 age",
        "= unchanged for 2 ages",
    ]
    assert [int(thought.changed.sum()) for thought in thoughts] == [0, 6, 0, 0]
    again = follow(answers()[[1, 1, 0, 1]], np.zeros(4))
    assert [thought.unchanged_for for thought in again] == [0, 1, 0, 0]


def test_animation_has_a_frame_per_age_with_its_cells() -> None:
    shown = frames(draw_thinking(answers(), LOGITS))
    assert len(shown) == 4
    assert len({frame.shape for frame in shown}) == 1
    magenta = CLASSIC.rgb()[6].astype(int)
    counts = [int((np.abs(frame.astype(int) - magenta).max(axis=2) < 8).sum()) for frame in shown]
    # A cell is 44 pixels wide here; the mark of a change takes some of them in the second frame.
    assert counts[0] == 0
    assert 30 * 30 < counts[1] < counts[2] == counts[3] <= 44 * 44
    assert draw_thinking(answers(), LOGITS) == draw_thinking(answers(), LOGITS)


def test_bar_grows_with_the_halting_probability() -> None:
    still = np.zeros((4, 3, 5), np.uint8)
    shown = frames(draw_thinking(still, np.array([-900.0, 0.1, 4.0, 900.0])))
    green = [int((np.abs(f.astype(int) - animation.HALTING).max(axis=2) < 8).sum()) for f in shown]
    assert green[0] == 0
    assert green[1] < green[2] < green[3]
    assert green[1] / green[3] == pytest.approx(0.525, abs=0.08)


@pytest.mark.parametrize("num_ages", [1, 5, 16])
def test_sheet_holds_all_ages(num_ages: int) -> None:
    grids = np.full((num_ages, 4, 4), 6, np.uint8)
    (sheet,) = frames(draw_thinking(grids, np.zeros(num_ages), format="png"))
    cells = (sheet == CLASSIC.rgb()[6]).all(axis=2).sum()
    assert cells == num_ages * 16 * 43 * 43


@pytest.mark.parametrize("side", [4, 6, 9])
def test_sudoku_shows_its_digits(side: int) -> None:
    boards = np.zeros((2, side, side), np.uint8)
    boards[1, 0, 0] = side
    shown = frames(draw_thinking(boards, [0.0, 1.0], look=SUDOKU.look(side)))
    assert (shown[0] != shown[1]).any()
    assert SUDOKU.look(side).symbols[side] == str(side)
    with pytest.raises(ConfigError, match="expected 4, 6 or 9"):
        SUDOKU.look(5)


def test_maze_shows_walls_and_the_path() -> None:
    mazes = np.array([[[2, 1], [0, 3]], [[2, 4], [0, 3]]], np.uint8)
    shown = frames(draw_thinking(mazes, [0.0, 1.0], look=MAZE.look(2), format="gif"))
    path = MAZE.look(2).colors[4].astype(int)
    counts = [int((np.abs(frame.astype(int) - path).max(axis=2) < 8).sum()) for frame in shown]
    assert counts[0] == 0 < counts[1]


def test_values_without_a_color_stay_empty() -> None:
    empty = np.full((1, 2, 2), 255, np.uint8)
    (bare,) = frames(draw_thinking(empty, [0.0], format="png"))
    (none,) = frames(draw_thinking(empty, [0.0], look=Look(np.zeros((1, 3), np.uint8)), format="png"))
    assert np.array_equal(bare, none)
    assert not (bare == 0).all(axis=2).any()


@pytest.mark.parametrize(
    ("cells", "logits", "text"),
    [
        (np.zeros((3, 3), np.uint8), [0.0] * 3, "expected \\(ages, rows, columns\\)"),
        (np.zeros((0, 3, 3), np.uint8), [], "none of them 0"),
        (np.zeros((2, 3, 3), np.uint8), [0.0], "a number for each of 2 ages"),
        (np.zeros((1, 3, 3)), [0.0], "expected integers"),
        (np.full((1, 3, 3), -1), [0.0], "expected integers from 0 to 255"),
        (np.zeros((1, 3, 3), np.uint8), [float("nan")], "nan.*, expected a number for each"),
    ],
)
def test_other_shapes_are_refused(cells: np.ndarray, logits: list[float], text: str) -> None:
    with pytest.raises(PictureError, match=text):
        follow(cells, np.array(logits))


def test_unknown_format_is_refused() -> None:
    with pytest.raises(PictureError, match="format 'webp', expected gif or png"):
        draw_thinking(answers(), LOGITS, format="webp")


def test_missing_pillow_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name.split(".")[0] == "PIL":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PillowMissing, match=r"^pictures need Pillow.*run: pip install pillow$") as caught:
        draw_thinking(answers(), LOGITS)
    assert caught.value.exit_code == 1


def test_look_of_arc_is_the_classic_palette() -> None:
    assert np.array_equal(ARC_LOOK.colors, CLASSIC.rgb())
