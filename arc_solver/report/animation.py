"""Frames as one picture: an animation, or all of them on one sheet."""

import io
import math
from collections.abc import Sequence

import numpy as np

from arc_solver.report.panel_picture import CHANGED, MIN_CELL, UNKNOWN_SIDE, legend_pictures, panel_picture
from arc_solver.report.panels import Frame, Opening, Panel, PictureError
from arc_solver.report.picture import (
    MUTED,
    Picture,
    Pixels,
    beside,
    blank,
    level,
    pillow,
    shelved,
    stacked,
    text,
)
from arc_solver.storage.text import printable

HALTING, EMPTY = (19, 105, 60), (226, 226, 222)
MARGIN, MIN_WIDTH, MAX_WIDTH = 12, 196, 660
# Most pixels of a grid in a frame, by format; of a grid in a demonstration pair; of a cell.
SIDES = {"gif": 420, "png": 200}
PAIR_SIDE, MAX_CELL = 110, 44
GAP, PAIRS_GAP, ARROW = 14, 22, 5
STAY = 4  # times the duration of other frames, for a frame that is to stay


def draw_frames(
    opening: Opening, frames: Sequence[Frame], *, format: str = "gif", milliseconds: int = 600
) -> bytes:
    """The file of an animation (`gif`), or of one sheet (`png`) with all frames below the opening.

    PictureError for another format or no frames; PillowMissing without Pillow.
    """
    if format not in SIDES:
        raise PictureError(f"format {printable(format)!r}, expected {' or '.join(SIDES)}")
    if not frames:
        raise PictureError("no frames, expected at least one")
    pictures = _frames(frames, SIDES[format])
    if format == "png":
        sheet = _sheet(pictures)
        return _png(_framed([*_opening(opening, sheet.width), sheet]))
    head = _opening(opening, max(pictures[0].width, MAX_WIDTH if opening.pairs else MIN_WIDTH))
    return _gif([_framed([*head, picture]) for picture in pictures], frames, milliseconds)


def draw_sheets(sheets: Sequence[tuple[Opening, Sequence[Frame]]]) -> bytes:
    """One PNG with a sheet per opening, its frames below it."""
    parts = []
    for opening, frames in sheets:
        sheet = _sheet(_frames(frames, SIDES["png"]), 1) if frames else None
        width = max(MAX_WIDTH, sheet.width if sheet else 0)
        parts.append(stacked([*_opening(opening, width), *([sheet] if sheet else [])], GAP))
    return _png(_framed([stacked(parts, 3 * GAP)]))


def _opening(opening: Opening, width: int) -> list[Picture]:
    """The title, the pairs and the legend, as far as there are any."""
    parts = [text(opening.title, width, color=MUTED)] if opening.title else []
    if opening.pairs:
        parts.append(shelved([_pair(pair) for pair in opening.pairs], width, PAIRS_GAP))
    if opening.marks:
        parts.append(shelved(legend_pictures(opening), width, GAP))
    return parts


def _pair(panels: Sequence[Panel]) -> Picture:
    longest = max(max(panel.cells.shape) for panel in panels if panel.cells is not None)
    cell = max(MIN_CELL, min(MAX_CELL // 2, PAIR_SIDE // longest))
    return beside([panel_picture(panel, cell) for panel in panels], ARROW)


def _cell(panels: Sequence[Panel], side: int) -> int:
    """Pixels per cell, so that the panels fit side by side and no grid is larger than `side`."""
    shapes = [panel.cells.shape for panel in panels if panel.cells is not None]
    if not shapes:
        return MIN_CELL
    heights, widths = zip(*shapes, strict=True)
    room = MAX_WIDTH - GAP * (len(panels) - 1) - UNKNOWN_SIDE * (len(panels) - len(shapes)) - len(shapes)
    return max(MIN_CELL, min(MAX_CELL, side // max(heights + widths), room // sum(widths)))


def _frames(frames: Sequence[Frame], side: int) -> list[Picture]:
    """The pictures of frames, of one size, each with room for the longest caption, so that nothing jumps."""
    parts = [_frame(frame, side) for frame in frames]
    captions = level([caption for caption, _ in parts])
    return level([stacked([caption, body], 0) for caption, (_, body) in zip(captions, parts, strict=True)])


def _frame(frame: Frame, side: int) -> tuple[Picture, Picture]:
    """Title and news, and below them the panels with the halting probability as a bar and in words."""
    cell = _cell(frame.panels, side)
    panels = shelved([panel_picture(panel, cell) for panel in frame.panels], MAX_WIDTH, GAP)
    width = max(panels.width, MIN_WIDTH)
    changed = any(panel.mask("changed").any() for panel in frame.panels)
    parts = [text(frame.title, width, size=16)]
    if frame.news:
        parts.append(text(frame.news, width, color=CHANGED if changed else MUTED))
    caption, parts = stacked(parts, 0), [stacked([blank(2, width), panels], 2)]
    if frame.halt_logit is not None and frame.probability is not None:
        color = HALTING if frame.halt_logit > 0 else MUTED
        bar = np.full((7, width, 3), EMPTY, np.uint8)
        bar[:, : round(width * frame.probability)] = color
        words = f"halt {frame.probability:.3f}, logit {frame.halt_logit:+.2f}"
        parts.append(stacked([blank(4, width), Picture(bar), text(words, width, color=color)], 2))
    return caption, stacked(parts, 0)


def _sheet(frames: Sequence[Picture], columns: int = 0) -> Picture:
    """The frames in `columns`, by default as many as make the sheet somewhat wider than high."""
    height, width = frames[0].height + 2 * MARGIN, frames[0].width + 2 * MARGIN
    columns = columns or min(len(frames), max(1, round(math.sqrt(len(frames) * 1.6 * height / width))))
    return shelved(frames, columns * width, 2 * MARGIN)


def _framed(parts: Sequence[Picture]) -> Pixels:
    page = stacked(parts, GAP // 2)
    return page.on_paper(page.height + 2 * MARGIN, page.width + 2 * MARGIN, MARGIN, MARGIN).written()


def _gif(pages: Sequence[Pixels], frames: Sequence[Frame], milliseconds: int) -> bytes:
    Image = pillow("Image")
    images = [Image.fromarray(page).quantize(128, dither=Image.Dither.NONE) for page in pages]
    durations = [milliseconds * (STAY if frame.stay else 1) for frame in frames]
    # The last answer stays visible for a while before the animation restarts.
    durations[-1] = max(STAY * milliseconds, 2000)
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return buffer.getvalue()


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    pillow("Image").fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
