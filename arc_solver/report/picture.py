"""Pictures composed of pixels and text, beside and below each other; the text is written at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arc_solver.report.shelves import shelves
from arc_solver.storage.text import printable

Color = tuple[int, int, int]
Pixels = npt.NDArray[np.uint8]
PAPER, INK, MUTED = (250, 250, 248), (28, 29, 31), (98, 102, 108)
SIZE, LEADING = 13, 19


class PillowMissing(RuntimeError):
    """Pictures need Pillow; the text says how to install it."""

    exit_code = 1


class Label(NamedTuple):
    """Text whose left end (`anchor` "l") or middle ("m") is at x, and whose middle height is at y."""

    x: int
    y: int
    text: str
    anchor: str = "l"
    size: int = SIZE
    color: Color = INK


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels (height, width, 3), and the text that is to be written on them."""

    pixels: Pixels
    labels: tuple[Label, ...] = ()

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return len(self.pixels)

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    def on_paper(self, height: int, width: int, top: int = 0, left: int = 0) -> Picture:
        """The picture on a sheet of that size, with its corner at (top, left)."""
        sheet = blank(height, width).pixels
        sheet[top : top + self.height, left : left + self.width] = self.pixels
        return Picture(
            sheet, tuple(label._replace(x=label.x + left, y=label.y + top) for label in self.labels)
        )

    def written(self) -> Pixels:
        """The pixels with the text on them."""
        Image, ImageDraw = pillow("Image"), pillow("ImageDraw")
        image = Image.fromarray(self.pixels)
        draw = ImageDraw.Draw(image)
        for label in self.labels:
            draw.text(
                (label.x, label.y), label.text, label.color, _font(label.size), anchor=f"{label.anchor}m"
            )
        return np.asarray(image)


def pillow(name: str) -> Any:
    """A module of Pillow; PillowMissing if it is not installed."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise PillowMissing(
            "pictures need Pillow, which is not installed; run: pip install pillow"
        ) from error
    return {"Image": Image, "ImageDraw": ImageDraw, "ImageFont": ImageFont}[name]


@cache
def _font(size: int) -> Any:
    return pillow("ImageFont").load_default(size)


def blank(height: int, width: int) -> Picture:
    """Empty paper."""
    return Picture(np.full((height, width, 3), PAPER, np.uint8))


def text(words: str, width: int, *, size: int = SIZE, color: Color = INK) -> Picture:
    """A paragraph of that width: lines are broken between words, and within words that are too long."""
    lines = _lines(printable(words, 400), width, _font(size))
    leading = LEADING + size - SIZE
    labels = tuple(
        Label(0, leading * place + leading // 2, line, size=size, color=color)
        for place, line in enumerate(lines)
    )
    return Picture(blank(leading * len(lines), width).pixels, labels)


def _lines(words: str, width: int, font: Any) -> list[str]:
    lines = [""]
    for word in words.split():
        joined = f"{lines[-1]} {word}".strip()
        if font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def text_width(words: str, size: int = SIZE) -> int:
    """The width of a line in pixels."""
    return int(_font(size).getlength(words)) + 1


def beside(pictures: Sequence[Picture], gap: int) -> Picture:
    """The pictures in a row, aligned at the top."""
    return _joined(pictures, gap, across=True)


def stacked(pictures: Sequence[Picture], gap: int) -> Picture:
    """The pictures below each other, aligned at the left."""
    return _joined(pictures, gap, across=False)


def shelved(pictures: Iterable[Picture], width: int, gap: int) -> Picture:
    """The pictures in reading order, as many in a row as fit the width."""
    return stacked([beside(row, gap) for row in shelves(pictures, width, gap)], gap)


def level(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures on paper of one size."""
    height, width = max(p.height for p in pictures), max(p.width for p in pictures)
    return [picture.on_paper(height, width) for picture in pictures]


def _joined(pictures: Sequence[Picture], gap: int, *, across: bool) -> Picture:
    total = sum((p.width if across else p.height) for p in pictures) + gap * (len(pictures) - 1)
    other = max(p.height if across else p.width for p in pictures)
    sheet = blank(*((other, total) if across else (total, other))).pixels
    labels: list[Label] = []
    at = 0
    for picture in pictures:
        top, left = (0, at) if across else (at, 0)
        sheet[top : top + picture.height, left : left + picture.width] = picture.pixels
        labels += [label._replace(x=label.x + left, y=label.y + top) for label in picture.labels]
        at += (picture.width if across else picture.height) + gap
    return Picture(sheet, tuple(labels))
