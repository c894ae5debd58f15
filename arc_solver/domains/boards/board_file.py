"""Files of boards by the name of their kind: read with every board checked, and written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.boards.reading import csv_of, read_kinds
from arc_solver.domains.domains import DOMAINS, find_domain
from arc_solver.domains.protocols import Reading


def read_boards(
    source: Path | str,
    domains: Sequence[BoardDomain] | None = None,
    need_answers: bool = False,
    skip_bad: bool = False,
) -> tuple[BoardSet, list[str]]:
    """The boards of a file, of the first of `domains` that fits, and complaints; as `read_kinds`."""
    found = [each for each in DOMAINS if isinstance(each, BoardDomain)] if domains is None else domains
    reading = Reading(skip_bad=skip_bad, need_answers=need_answers)
    return read_kinds([domain.kind for domain in found], source, reading)


def board_csv(boards: BoardSet, origin: str) -> Iterator[bytes]:
    """The CSV file of `boards` in pieces, `origin` as source."""
    return csv_of(_domain(boards.kind).kind, boards, origin)


def texts_from_cells(kind: str, cells: Cells) -> list[str]:
    """Boards of a kind as text, blanks as dots."""
    return _domain(kind).kind.texts(cells)


def cells_from_texts(kind: str, side: int, texts: Sequence[str]) -> Cells:
    """The inverse of `texts_from_cells`; DataError for another length or another character."""
    return _domain(kind).kind.cells(side, texts)


def _domain(name: str) -> BoardDomain:
    found = find_domain(name)
    assert isinstance(found, BoardDomain), f"{name} has no boards"
    return found
