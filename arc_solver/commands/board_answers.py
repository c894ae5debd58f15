"""The answers to boards for people, checked by the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from arc_solver.commands.screen import Screen

if TYPE_CHECKING:
    from arc_solver.prediction.board_sheet import BoardSheet

DRAWN, LISTED = 4, 20


def draw_boards(sheet: BoardSheet) -> None:
    """Draw the boards with their answers if there are few, else list those that break the rules."""
    from arc_solver.report.board_story import BoardStory, legend_of
    from arc_solver.report.playback import Player

    boards = sheet.boards
    if len(boards) > DRAWN:
        return _list_broken(sheet)
    screen, shape, given = Screen.find(None), (boards.side, boards.side), sheet.given()
    player = Player(screen.write, screen.columns, screen.lines, screen.color, animated=False)
    player.begin(legend_of(boards.kind, boards.side))
    for place in range(len(boards)):
        answer = sheet.cells[place].reshape(shape) if given[place] else None
        player.show(BoardStory.of(boards, place).shown(answer, apart=True))
    screen.write("\n")


def _list_broken(sheet: BoardSheet) -> None:
    import numpy as np

    broken = np.flatnonzero(sheet.given() & ~sheet.kept())
    for place in broken[:LISTED].tolist():
        typer.echo(f"board {place + 1} {_marks(sheet, place).verdict()}")
    if len(broken) > LISTED:
        typer.echo(f"and {len(broken) - LISTED} more that break the rules")


def board_results(sheet: BoardSheet) -> list[dict[str, Any]]:
    """Every question with its answer (None without one) and the number of rules that it breaks."""
    kind, given, kept = sheet.domain.kind, sheet.given().tolist(), sheet.kept().tolist()
    pairs = zip(kind.texts(sheet.boards.questions), kind.texts(sheet.cells), strict=True)
    return [
        {
            "question": question,
            "answer": answer if given[place] else None,
            "keeps_the_rules": kept[place],
            "broken_rules": len(_marks(sheet, place).faults) if given[place] and not kept[place] else 0,
        }
        for place, (question, answer) in enumerate(pairs)
    ]


def _marks(sheet: BoardSheet, place: int) -> Any:
    from arc_solver.report.board_marks import board_marks

    boards = sheet.boards
    shape = (boards.side, boards.side)
    return board_marks(boards.kind, boards.questions[place].reshape(shape), sheet.cells[place].reshape(shape))
