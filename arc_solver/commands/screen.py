"""Where a command draws: on the screen, of some size and abilities, or in a file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc_solver.commands.console import tell, writing

if TYPE_CHECKING:
    from arc_solver.report.panels import Frame, Opening

COLUMNS, LINES = 100, 40  # of an unknown terminal


def _draws() -> bool:
    """Whether the output can encode the characters of drawings."""
    try:
        "▀│".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class Screen:
    """Standard output: columns, lines, whether it shows colors, whether frames can be redrawn in place."""

    columns: int
    lines: int
    color: bool
    moves: bool

    @classmethod
    def find(cls, color: bool | None) -> Screen:
        """The present screen; `color` overrides whether it seems to show colors."""
        from arc_solver.report.terminal import wants_color

        size = shutil.get_terminal_size((COLUMNS, LINES))
        is_terminal = sys.stdout.isatty()
        paints = wants_color(os.environ, is_terminal and _draws()) if color is None else color
        return cls(size.columns, size.lines, paints, is_terminal and os.environ.get("TERM") != "dumb")

    def write(self, text: str) -> None:
        """Write text at once; characters that the output cannot encode are replaced."""
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()


class Stage:
    """Where frames are shown: on the screen, or in a file that is written at the end."""

    def __init__(self, screen: Screen, out: Path | None, pause: float) -> None:
        from arc_solver.report.playback import Player

        self._out, self._pause = out, pause
        self._frames: list[Frame] = []
        self._opening: Opening | None = None
        self._held: list[tuple[Callable[[str], None], str]] = []
        self._player = Player(
            *(screen.write, screen.columns, screen.lines, screen.color, screen.moves), seconds=pause
        )
        if out is not None:
            from arc_solver.report.picture import pillow
            from arc_solver.storage.files import sweep_beside

            pillow("Image")  # before a minute of work, not after it
            sweep_beside(out)

    def begin(self, opening: Opening) -> None:
        """Show what comes before the frames."""
        self._opening = opening
        if self._out is None:
            self._player.begin(opening)

    def show(self, frame: Frame) -> None:
        """Show a frame, or keep it for the file."""
        if self._out is None:
            self._player.show(frame)
        else:
            self._frames.append(frame)

    def remarking(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """`say`, for remarks between frames: at the end, where they would stand among frames that move."""
        if self._out is not None or not self._player.animated:
            return say
        return lambda text: self._held.append((say, text))

    def close(self) -> None:
        """Make the remarks that were held back, and write the file, if there is one."""
        for say, text in self._held:
            say(text)
        if self._out is None or self._opening is None:
            return
        from arc_solver.report.animation import draw_frames
        from arc_solver.storage.files import write_atomic

        format, milliseconds = self._out.suffix.lower().removeprefix("."), max(20, round(1000 * self._pause))
        written = writing(self._out)
        write_atomic(
            self._out, draw_frames(self._opening, self._frames, format=format, milliseconds=milliseconds)
        )
        tell(written())
        typer.echo(str(self._out))
