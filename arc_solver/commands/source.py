"""The tasks or boards that a command is given, under any kind of name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from arc_solver.domains.boards.board_set import BoardSet
    from arc_solver.domains.protocols import Domain
    from arc_solver.tasks.task import Task, TaskFault

FRAME = "|│ \t\r\n"  # of boards
LENGTHS, MIN_CELLS = (16, 36, 81), 12  # with fewer, digits are a name of something else


def one_source(position: str | None, option: str | None, to_do: str = "look at") -> str:
    """The source that was given, as a position or behind --tasks; a usage error for none or two.

    `to_do` is what the command does with it.
    """
    if position is not None and option is not None:
        raise typer.BadParameter(f"{position} and --tasks {option}: name the tasks or boards once")
    source = position if position is not None else option
    if not source:
        raise typer.BadParameter(
            f"say what to {to_do}, for example arc1:training, a task's id (00d62c1b), a file or a Sudoku"
        )
    return source


def read_source(
    source: str,
    *,
    with_solutions: bool = False,
    lenient: bool = False,
    notice: Callable[[str], None] | None = None,
) -> tuple[list[Task] | BoardSet, Mapping[str, TaskFault]]:
    """The tasks or boards of a source, told apart by content, and the tasks that cannot be read, by id.

    Boards are taken as they stand, right or wrong. DataError where there is nothing to look at.
    """
    from arc_solver.domains.boards.board_file import boards_as_they_stand
    from arc_solver.domains.boards.domain import BoardDomain
    from arc_solver.domains.domains import domain_of
    from arc_solver.tasks.reader import read_tasks_softly

    named = _named(source)
    if named is not None:
        return named, {}
    if isinstance(domain_of(source), BoardDomain):
        return boards_as_they_stand(source), {}
    return read_tasks_softly(source, with_solutions=with_solutions, lenient=lenient, notice=notice)


def named_material(source: str) -> tuple[Domain[Any], Any, str] | None:
    """What a name stands for that is no path, to be answered: its domain, the material and a short name.

    None for everything that a domain reads itself. DataError for a board that is no proper puzzle.
    """
    from arc_solver.domains.arc.domain import ARC
    from arc_solver.domains.boards.board_file import board_domain
    from arc_solver.storage.text import DataError

    found = _named(source)
    if found is None:
        return None
    if isinstance(found, list):
        return ARC, tuple(found), source
    domain = board_domain(found.kind)
    if faults := domain.kind.faults(found):
        raise DataError(improper(found.kind, faults[0]))
    return domain, found, domain.kind.texts(found.questions)[0]


def _named(source: str) -> list[Task] | BoardSet | None:
    """What a name stands for that is no path; None where it is left to the reader of tasks."""
    from arc_solver.corpus.named_tasks import drawn_tasks
    from arc_solver.storage.source import exists

    if source == "-" or exists(source):
        return None
    drawn = drawn_tasks(source)
    return _drawn_board(source) if drawn is None else drawn


def improper(kind: str, fault: str) -> str:
    """What is wrong with a board of that kind, as a sentence."""
    noun = f"this {kind.capitalize() if kind == 'sudoku' else kind}"
    return f"{noun}: {fault}" if fault.startswith("the ") else f"{noun} has {fault}"


def board_place(number: str, num_boards: int) -> int:
    """The place of a board given by its number, from 1; a usage error if there is none."""
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= num_boards):
        raise typer.BadParameter(f"--id {number!r}: expected the number of a board, 1 to {num_boards}")
    return int(number) - 1


def _drawn_board(text: str) -> BoardSet | None:
    """A Sudoku written as it is, on one line or drawn; None where the text is none."""
    from arc_solver.domains.boards.board_file import board_from_text
    from arc_solver.domains.boards.board_lines import BLANKS, SUDOKU_CELLS
    from arc_solver.storage.text import DataError

    # A line without a digit may be a row of blanks or a line that is drawn.
    lines = [line for line in text.splitlines() if not set(line) & set("+=─┼")]
    cells = _cells(lines)
    if len(cells) not in LENGTHS:
        cells = _cells([line for line in lines if set(line) - set("-| \t")])
    wrong = [place for place, each in enumerate(cells) if each not in BLANKS + "123456789"]
    if len(cells) in LENGTHS and 0 < len(wrong) <= len(cells) // 8:
        at = wrong[0]
        raise DataError(f"{cells}: cell {at + 1} is {cells[at]!r}; type {SUDOKU_CELLS}")
    if wrong or len(cells) < MIN_CELLS:
        return None
    if len(cells) not in LENGTHS:
        raise DataError(f"{cells[:100]}: {len(cells)} cells; a Sudoku has 16, 36 or 81: {SUDOKU_CELLS}")
    return board_from_text("sudoku", "".join("." if each in BLANKS else each for each in cells))


def _cells(lines: list[str]) -> str:
    return "".join(character for line in lines for character in line if character not in FRAME)
