"""Boards as the text of files."""

from arc_solver.domains.boards.board_file import board_domain
from arc_solver.domains.boards.board_set import BoardSet, Cells
from arc_solver.domains.boards.reading import csv_of


def board_csv(boards: BoardSet, origin: str) -> bytes:
    """The CSV file of boards, `origin` as source."""
    return b"".join(csv_of(board_domain(boards.kind).kind, boards, origin))


def texts_from_cells(kind: str, cells: Cells) -> list[str]:
    """Boards (n, L) as text."""
    return board_domain(kind).kind.texts(cells)
