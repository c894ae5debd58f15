"""What a source given to a command holds, boards or tasks, told by content: a file, folder, set or "-"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from arc_solver.domains.boards.board_file import complaints_line, read_boards
from arc_solver.domains.boards.board_reader import looks_like_boards
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.published_content import is_published, material_from_published
from arc_solver.storage.text import DataError
from arc_solver.tasks.reader import read_tasks, read_tasks_softly
from arc_solver.tasks.task import Task, TaskFault

Notice = Callable[[str], None]


def reads_boards(source: str | Path) -> bool:
    """Whether a source holds Sudokus or mazes; what cannot be read is left for its reader to name."""
    if is_published(source):
        return isinstance(material_from_published(source), BoardSet)
    return looks_like_boards(source)


def boards_of_source(
    source: str | Path, *, need_answers: bool = False, skip_bad: bool = False, notice: Notice = lambda _: None
) -> BoardSet:
    """The boards of a source, of a published folder those of its split "test" where there is one.

    Raises DataError; bad boards are left out and counted in `notice` with `skip_bad`.
    """
    if is_published(source):
        boards = material_from_published(source)
        if not isinstance(boards, BoardSet):
            raise DataError(f"{source}: tasks, expected boards")
        return boards
    boards, complaints = read_boards(source, need_answers=need_answers, skip_bad=skip_bad, notice=notice)
    if complaints:
        notice(complaints_line(source, complaints))
    return boards


def tasks_softly(
    source: str | Path, *, lenient: bool = False, notice: Notice | None = None
) -> tuple[list[Task], dict[str, TaskFault]]:
    """As `read_tasks_softly`, from a published folder too."""
    if is_published(source):
        return _published_tasks(source), {}
    return read_tasks_softly(source, lenient=lenient, notice=notice)


def tasks_of_source(source: str | Path, *, solutions: Path | None = None) -> list[Task]:
    """As `read_tasks`, from a published folder too."""
    return _published_tasks(source) if is_published(source) else read_tasks(source, solutions=solutions)


def _published_tasks(source: str | Path) -> list[Task]:
    """The tasks that ask for something."""
    found = material_from_published(source)
    if isinstance(found, BoardSet):
        raise DataError(f"{source}: boards, expected tasks")
    return [task for task in found if task.test]
