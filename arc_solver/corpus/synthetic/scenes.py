"""Random inputs for rules: noise, mosaics, objects that do not touch, dots, bars and panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from arc_solver.corpus.synthetic.bitboards import Frame, around, block, cell, flooded_widely, inner, repainted
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.rows import Rows, blank, cut
from arc_solver.corpus.synthetic.rule import Room, Scene, Setting

Piece = Callable[[Draws, Frame], int]
"""Draws one object as a board."""

_SIXTEENTHS = 16


@lru_cache(maxsize=8192)
def _noise_table(colors: tuple[int, ...], sixteenths: int) -> bytes:
    inked = 256 * sixteenths // _SIXTEENTHS
    return (bytes(colors) * (inked // len(colors) + 1))[:inked] + bytes(256 - inked)


def sprinkled(draws: Draws, room: Room, colors: tuple[int, ...], sixteenths: int) -> Rows:
    """Cells with ink with probability `sixteenths` / 16, every color equally likely."""
    flat = draws.octets(room.height * room.width).translate(_noise_table(colors, sixteenths))
    return cut(flat, room.width)


def noise(draws: Draws, room: Room, _: Setting) -> Rows:
    """Random cells, from few to most."""
    return sprinkled(draws, room, room.colors, draws.span(3, 12))


def sparse(draws: Draws, room: Room, _: Setting) -> Rows:
    """Few random cells."""
    return sprinkled(draws, room, room.colors, draws.span(1, 4))


def mosaic(draws: Draws, room: Room, _: Setting) -> Rows:
    """Every cell inked."""
    return sprinkled(draws, room, room.colors, _SIXTEENTHS)


def blob(draws: Draws, frame: Frame, low: int = 1, high: int = 4) -> int:
    """A connected object of random outline."""
    area = rectangle(draws, frame, low, high)
    num = frame.num_bits
    mask = area & (draws.bits(num) | draws.bits(num)) or area
    return flooded_widely(mask & -mask, mask, frame.step)


def rectangle(draws: Draws, frame: Frame, low: int = 2, high: int = 5) -> int:
    """A filled rectangle."""
    height = draws.span(min(low, frame.height), min(high, frame.height))
    width = draws.span(min(low, frame.width), min(high, frame.width))
    top, left = draws.below(frame.height - height + 1), draws.below(frame.width - width + 1)
    return block(frame, top, left, top + height - 1, left + width - 1)


def ring(draws: Draws, frame: Frame) -> int:
    """A hollow rectangle."""
    filled = rectangle(draws, frame, 3, 6)
    return filled & ~inner(filled, frame)


def chunk(draws: Draws, frame: Frame) -> int:
    """A rectangle of at least three by three."""
    return rectangle(draws, frame, 3, 6)


def dot(draws: Draws, frame: Frame) -> int:
    """One cell."""
    return cell(frame, draws.below(frame.height), draws.below(frame.width))


def bar(draws: Draws, frame: Frame) -> int:
    """A straight line of two to five cells."""
    if draws.chance(0.5):
        return dot(draws, frame) if frame.width < 2 else _bar(draws, frame)
    height = draws.span(2, min(5, frame.height))
    top, left = draws.below(frame.height - height + 1), draws.below(frame.width)
    return block(frame, top, left, top + height - 1, left)


def _bar(draws: Draws, frame: Frame) -> int:
    width = draws.span(2, min(5, frame.width))
    top, left = draws.below(frame.height), draws.below(frame.width - width + 1)
    return block(frame, top, left, top, left + width - 1)


def apart(draws: Draws, frame: Frame, num: int, piece: Piece) -> list[int]:
    """Up to `num` objects that touch each other neither by sides nor by corners."""
    taken, found = 0, []
    for _ in range(3 * num):
        board = piece(draws, frame)
        if not board & taken:
            found.append(board)
            if len(found) == num:
                break
            taken |= board | around(board, frame)
    return found


def drawn(draws: Draws, room: Room, boards: Sequence[int]) -> Rows:
    """Objects on black, each in one of the room's colors."""
    return repainted(blank(room.height, room.width), [(board, draws.pick(room.colors)) for board in boards])


def scene_of(piece: Piece, low: int, high: int) -> Scene:
    """A scene of `low` to `high` objects, or fewer if there is no room."""

    def scene(draws: Draws, room: Room, _: Setting) -> Rows:
        boards = apart(draws, Frame(room.height, room.width), draws.span(low, high), piece)
        return drawn(draws, room, boards)

    return scene


blobs = scene_of(blob, 1, 5)
some_blobs = scene_of(blob, 2, 6)
one_blob = scene_of(lambda draws, frame: blob(draws, frame, 2, 5), 1, 1)
rectangles = scene_of(rectangle, 1, 4)
rings = scene_of(ring, 1, 4)
chunks = scene_of(chunk, 1, 4)
dots = scene_of(dot, 1, 4)
bars = scene_of(bar, 2, 5)


def mixed(*scenes: Scene) -> Scene:
    """Any of several scenes, drawn afresh for every input."""

    def scene(draws: Draws, room: Room, setting: Setting) -> Rows:
        return draws.pick(scenes)(draws, room, setting)

    return scene


anything = mixed(noise, noise, mosaic, blobs, rectangles, bars)


def with_colors(scene: Scene, start: int, num: int) -> Scene:
    """A scene that draws with `num` colors of the setting from place `start` on, and the room's."""

    def colored(draws: Draws, room: Room, setting: Setting) -> Rows:
        return scene(draws, room._replace(colors=(*setting[start : start + num], *room.colors)), setting)

    return colored
