"""The answer after every age as a picture: an animation, or all ages on one sheet."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.report.grid_drawing import CLASSIC
from arc_solver.storage.text import printable

PAPER, INK, MUTED, RULE = (250, 250, 248), (28, 29, 31), (110, 114, 120), (120, 122, 126)
CHANGED, HALTING = (225, 29, 130), (19, 105, 60)
MARGIN, LINE, MIN_WIDTH = 12, 20, 196
# Sides in pixels of the picture in an animation and on a sheet, and the most a cell takes.
FRAME_SIDE, SHEET_SIDE, MAX_CELL = 420, 200, 44
FORMATS = ("gif", "png")

Pixels = npt.NDArray[np.uint8]


class PictureError(ValueError):
    """What came cannot be drawn; the text says what was wanted."""

    exit_code = 2


class PillowMissing(RuntimeError):
    """Pictures need Pillow; the text says how to install it."""

    exit_code = 1


@dataclass(frozen=True, eq=False)
class Look:
    """How cell values are drawn: value v in `colors[v]` (V, 3) uint8, with `symbols[v]` on it if not empty.

    Values beyond V are left empty. Lines between boxes of `box` = (rows, columns) cells are drawn thick.
    """

    colors: npt.NDArray[np.uint8]
    symbols: tuple[str, ...] = ()
    box: tuple[int, int] | None = None


ARC_LOOK = Look(CLASSIC.rgb())


def sudoku_look(side: int) -> Look:
    """Digits 0 (blank) to `side` on paper, with the boxes of a 4, 6 or 9 board."""
    boxes = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
    if side not in boxes:
        raise PictureError(f"a Sudoku of side {side}, expected 4, 6 or 9")
    colors = np.full((side + 1, 3), 255, np.uint8)
    return Look(colors, ("", *map(str, range(1, side + 1))), boxes[side])


def maze_look() -> Look:
    """Cells as places in "# SGo": wall, free, start, goal, path."""
    colors = [(45, 48, 54), (255, 255, 255), (31, 95, 191), (19, 105, 60), (255, 176, 32)]
    return Look(np.array(colors, np.uint8), ("", "", "S", "G", ""))


@dataclass(frozen=True, eq=False)
class Thought:
    """The answer after one age (H, W), with its halting logit and what became of the answer before it."""

    cells: npt.NDArray[np.uint8]
    age: int
    num_ages: int
    logit: float
    changed: npt.NDArray[np.bool_]
    unchanged_for: int

    def news(self) -> str:
        """In words, how the answer differs from the one before."""
        if self.age == 1:
            return "first answer"
        if self.unchanged_for:
            return f"= unchanged for {self.unchanged_for} age{'' if self.unchanged_for == 1 else 's'}"
        num = int(self.changed.sum())
        return f"{num} cell{'' if num == 1 else 's'} changed"


def follow(answers: npt.NDArray[np.integer], halt_logits: npt.NDArray[np.floating]) -> list[Thought]:
    """The thoughts behind answers (ages, H, W) of values 0..255 and halting logits (ages,)."""
    answers, logits = np.asarray(answers), np.asarray(halt_logits, np.float64)
    if answers.ndim != 3 or answers.size == 0:
        raise PictureError(
            f"answers of shape {answers.shape}, expected (ages, rows, columns), none of them 0"
        )
    if logits.shape != answers.shape[:1] or np.isnan(logits).any():
        raise PictureError(f"logits {logits.tolist()}, expected a number for each of {len(answers)} ages")
    if not np.issubdtype(answers.dtype, np.integer) or answers.min() < 0 or answers.max() > 255:
        raise PictureError(f"answers of {answers.dtype}, expected integers from 0 to 255")
    cells = answers.astype(np.uint8)
    thoughts: list[Thought] = []
    for place, (own, logit) in enumerate(zip(cells, logits.tolist(), strict=True)):
        changed = own != cells[place - 1] if place else np.zeros(own.shape, bool)
        unchanged_for = thoughts[-1].unchanged_for + 1 if place and not changed.any() else 0
        thoughts.append(Thought(own, place + 1, len(cells), logit, changed, unchanged_for))
    return thoughts


class Label(NamedTuple):
    """Text whose left end (`anchor` "l"), middle ("m") or right end ("r") is at x, its middle height at y."""

    x: int
    y: int
    text: str
    anchor: str = "l"
    size: int = 13
    color: tuple[int, int, int] = INK


def draw_thinking(
    answers: npt.NDArray[np.integer],
    halt_logits: npt.NDArray[np.floating],
    *,
    look: Look = ARC_LOOK,
    title: str = "",
    format: str = "gif",
    milliseconds: int = 600,
) -> bytes:
    """The file of an animation (`gif`) or of one sheet with all ages (`png`).

    `answers` (ages, H, W) holds values for `look`, larger ones where there is no answer; `halt_logits` is
    (ages,). PictureError for other shapes; PillowMissing without Pillow.
    """
    if format not in FORMATS:
        raise PictureError(f"format {printable(format)!r}, expected {' or '.join(FORMATS)}")
    thoughts = follow(answers, halt_logits)
    _require_pillow()
    if format == "gif":
        return _gif([_framed(_frame(one, look, FRAME_SIDE), title) for one in thoughts], milliseconds)
    return _png(_framed(_sheet([_frame(one, look, SHEET_SIDE) for one in thoughts]), title))


def _frame(thought: Thought, look: Look, side: int) -> Pixels:
    """One age: its number and news above the answer, the halting probability as a bar and in words below."""
    height, width = thought.cells.shape
    cell = max(3, min(MAX_CELL, side // max(height, width)))
    picture, labels = _answer(thought, look, cell)
    top, left, bar = 2 * LINE + 4, MARGIN, 2 * LINE + 14 + picture.shape[0]
    inner = max(picture.shape[1], MIN_WIDTH)
    frame = np.full((top + picture.shape[0] + 2 * LINE + 8, inner + 2 * MARGIN, 3), PAPER, np.uint8)
    frame[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    # The clip keeps exp in range; beyond it the probability is 0 or 1 to every digit shown.
    probability = 1 / (1 + math.exp(-min(max(thought.logit, -60.0), 60.0)))
    color = HALTING if thought.logit > 0 else MUTED
    frame[bar : bar + 7, left : left + inner] = (226, 226, 222)
    frame[bar : bar + 7, left : left + round(inner * probability)] = color
    labels = [label._replace(x=label.x + left, y=label.y + top) for label in labels]
    labels += [
        Label(left, 11, f"age {thought.age} of {thought.num_ages}", size=16),
        Label(left, 31, thought.news(), color=CHANGED if thought.changed.any() else MUTED),
        Label(left, bar + 21, f"halt {probability:.3f}, logit {thought.logit:+.2f}", color=color),
    ]
    return _written(frame, labels)


def _answer(thought: Thought, look: Look, cell: int) -> tuple[Pixels, list[Label]]:
    height, width = thought.cells.shape
    colors = np.vstack([look.colors, np.full((256 - len(look.colors), 3), PAPER, np.uint8)])
    picture = np.kron(colors[thought.cells], np.ones((cell, cell, 1), np.uint8))
    # One more row and column of pixels closes the last lines.
    picture = np.pad(picture, ((0, 1), (0, 1), (0, 0)))
    picture[::cell] = RULE
    picture[:, ::cell] = RULE
    if look.box is not None:
        for row in range(0, height + 1, look.box[0]):
            picture[max(row * cell - 1, 0) : row * cell + 2] = INK
        for column in range(0, width + 1, look.box[1]):
            picture[:, max(column * cell - 1, 0) : column * cell + 2] = INK
    edge = 1 + cell // 14
    for row, column in np.argwhere(thought.changed).tolist():
        outer = picture[row * cell : (row + 1) * cell + 1, column * cell : (column + 1) * cell + 1]
        inner = outer[edge + 1 : -edge - 1, edge + 1 : -edge - 1].copy()
        outer[:] = CHANGED
        # A light ring inside keeps the mark visible on a cell of its own color.
        outer[edge:-edge, edge:-edge] = PAPER
        outer[edge + 1 : -edge - 1, edge + 1 : -edge - 1] = inner
    labels = []
    for row, column in np.argwhere(thought.cells < len(look.symbols)).tolist():
        value = thought.cells[row, column]
        color = INK if look.colors[value].mean() > 128 else (255, 255, 255)
        x, y = column * cell + cell // 2, row * cell + cell // 2
        labels.append(Label(x, y, look.symbols[value], "m", max(7, cell * 6 // 10), color))
    return picture, [label for label in labels if label.text]


def _sheet(frames: Sequence[Pixels]) -> Pixels:
    height, width, _ = frames[0].shape
    columns = min(len(frames), max(1, round(math.sqrt(len(frames) * 1.6 * height / width))))
    sheet = np.full((-(-len(frames) // columns) * height, columns * width, 3), PAPER, np.uint8)
    for place, frame in enumerate(frames):
        top, left = place // columns * height, place % columns * width
        sheet[top : top + height, left : left + width] = frame
    return sheet


def _framed(pixels: Pixels, title: str) -> Pixels:
    """The picture with a line for the title, if there is one, and a margin below."""
    above = LINE + 8 if title else 8
    framed = np.pad(pixels, ((above, MARGIN), (0, 0), (0, 0)))
    framed[:above] = framed[-MARGIN:] = PAPER
    # About seven pixels a character; a longer title is cut.
    shown = printable(title, max(2, (pixels.shape[1] - 2 * MARGIN) // 7))
    return _written(framed, [Label(MARGIN, above // 2 + 2, shown, color=MUTED)] if title else [])


def _require_pillow() -> None:
    try:
        import PIL.Image  # noqa: F401 - is it there?
    except ImportError as error:
        raise PillowMissing(
            "pictures need Pillow, which is not installed; run: pip install pillow"
        ) from error


def _written(pixels: Pixels, labels: Sequence[Label]) -> Pixels:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for label in labels:
        font = ImageFont.load_default(label.size)
        draw.text((label.x, label.y), label.text, label.color, font, anchor=f"{label.anchor}m")
    return np.asarray(image)


def _gif(frames: Sequence[Pixels], milliseconds: int) -> bytes:
    from PIL import Image

    images = [Image.fromarray(frame).quantize(128, dither=Image.Dither.NONE) for frame in frames]
    # The last answer stays in view before the animation starts again.
    durations = [milliseconds] * (len(frames) - 1) + [max(4 * milliseconds, 2000)]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return buffer.getvalue()


def _png(pixels: Pixels) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
