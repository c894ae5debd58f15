"""arc-solve generate."""

from __future__ import annotations

import json
from pathlib import Path

import typer

EPILOG = "\b\nExample: arc-solve generate sudoku --num 1000 --side 6 --out sudoku.csv"
KINDS = ("sudoku", "maze")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(generate)


def generate(
    kind: str = typer.Argument(..., help="sudoku or maze."),
    num: int = typer.Option(..., min=1, help="How many."),
    out: Path = typer.Option(..., help="The file to write: source, question, answer, rating."),
    side: int | None = typer.Option(
        None, min=2, help="Side: Sudoku 4, 6 or 9; mazes 5 and more. Default 9, 30."
    ),
    min_rating: int = typer.Option(0, min=0, help="Sudoku: at least so many wrong guesses of the solver."),
    min_path: int = typer.Option(0, min=0, help="Mazes: at least so many moves."),
    exclude: list[Path] = typer.Option([], help="Leave out what this file holds; may be repeated."),
    seed: int = typer.Option(0, min=0, help="Seed of everything random."),
    quiet: bool = typer.Option(False, help="No progress and no remarks."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Make Sudokus or mazes.

    Sudokus with one solution and a rating, mazes with a shortest path; equal seeds give equal files.
    """
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r}: expected sudoku or maze")
    from arc_solver.making import make_mazes, make_sudokus

    facts = (
        make_sudokus(num, out, side or 9, min_rating, exclude, seed, quiet=quiet)
        if kind == "sudoku"
        else make_mazes(num, out, side or 30, min_path, exclude, seed, quiet=quiet)
    )
    typer.echo(json.dumps(facts) if as_json else str(out))
