"""Files of boards, of whichever kind their content shows, and the domain of a kind by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arc_solver.domains.boards.board_csv import NO_RATING, PuzzleRow
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.reading import as_they_stand, read_kinds
from arc_solver.domains.domains import DOMAINS, find_domain
from arc_solver.domains.protocols import Reading
from arc_solver.storage.text import DataError


def read_boards(
    source: Path | str,
    domains: Sequence[BoardDomain] | None = None,
    need_answers: bool = False,
    skip_bad: bool = False,
    notice: Callable[[str], None] = lambda _: None,
) -> tuple[BoardSet, list[str]]:
    """The boards of a file, of whichever of `domains` its content shows, and complaints; as `read_kinds`."""
    found = board_domains() if domains is None else domains
    reading = Reading(skip_bad=skip_bad, need_answers=need_answers)
    return read_kinds([domain.kind for domain in found], source, reading, notice)


def boards_as_they_stand(source: Path | str) -> BoardSet:
    """The boards of a file for display, right or wrong; as `as_they_stand`."""
    return as_they_stand([domain.kind for domain in board_domains()], source)


def board_from_text(kind: str, text: str) -> BoardSet:
    """One board on one line, unchecked; DataError if it is not of that kind."""
    own = board_domain(kind).kind
    boards = own.unchecked([PuzzleRow(1, "", text, "", NO_RATING)], rated=False)
    if boards.questions.max() >= own.num_values(boards.side):
        raise DataError(
            f"this {kind.capitalize()}: the digit {boards.questions.max()} on a board of side {boards.side}"
        )
    return boards


def board_domains() -> list[BoardDomain]:
    """The domains whose puzzles are single boards."""
    return [domain for domain in DOMAINS if isinstance(domain, BoardDomain)]


def board_domain(name: str) -> BoardDomain:
    """The domain of that name, whose puzzles must be single boards."""
    found = find_domain(name)
    assert isinstance(found, BoardDomain), f"{name} has no boards"
    return found
