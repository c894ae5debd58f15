"""arc-solve generate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import typer

from arc_solver.commands.completion import among
from arc_solver.commands.console import (
    BOARD_ENDINGS,
    refuse_ending,
    refuse_options,
    refuse_overwriting,
    sayer,
    writing,
)
from arc_solver.commands.options import AS_JSON, QUIET

T = TypeVar("T")
EPILOG = (
    "\b\nExample: arc-solve generate sudoku --num 1000 --side 6 --out sudoku.csv\n"
    "         arc-solve generate arc --num 5 --out tasks.json\n"
    "         arc-solve generate sudoku --num 1 | arc-solve predict -"
)


def generate(
    kind: str = typer.Argument(
        ..., help="sudoku, maze or arc.", autocompletion=among(("sudoku", "maze", "arc"))
    ),
    num: int = typer.Option(..., min=1, help="How many."),
    out: Path | None = typer.Option(
        None, help="The file to write, boards as .csv, tasks as .json; without one they are printed."
    ),
    side: int | None = typer.Option(
        None,
        help="Side of Sudokus: 4, 6 or 9 (default); of mazes: 5 or more (default 30); of ARC grids at most: "
        "default 10.",
    ),
    min_rating: int | None = typer.Option(
        None, min=0, help="Sudoku: the solver needs at least this many guesses."
    ),
    like: Path | None = typer.Option(
        None, help="Sudoku: make puzzles as hard as those in this file, by exchanging their givens."
    ),
    min_givens: int | None = typer.Option(
        None, min=1, help="Sudoku: at least this many digits are given, which makes easier puzzles."
    ),
    min_path: int | None = typer.Option(
        None, min=1, help="Mazes: at least this many moves; default: by the side."
    ),
    max_path: int | None = typer.Option(
        None, min=1, help="Mazes: at most this many moves; the lengths are then spread evenly."
    ),
    pairs: int | None = typer.Option(
        None, min=1, help="ARC: at least this many demonstrations, where a rule allows them."
    ),
    exclude: list[Path] = typer.Option([], help="Make no puzzle that is in this file; may be repeated."),
    seed: int = typer.Option(0, min=0, help="Seed of everything random."),
    quiet: bool = QUIET,
    as_json: bool = AS_JSON,
) -> None:
    """Make Sudokus, mazes or ARC tasks.

    Sudokus have one solution and a rating, mazes a shortest path, and tasks follow known rules and have
    answers. Equal seeds give equal files.
    """
    from arc_solver.config import did_you_mean
    from arc_solver.domains.arc.domain import ARC
    from arc_solver.domains.boards.domain import BoardDomain
    from arc_solver.domains.boards.kind import Floors
    from arc_solver.domains.boards.reading import csv_of
    from arc_solver.domains.domains import DOMAINS
    from arc_solver.domains.protocols import Reading

    out = None if out == Path("-") else out
    if out is None and as_json:
        raise typer.BadParameter("--json: needs --out FILE; without one the boards or tasks are printed")
    made = {d.name: d for d in DOMAINS if isinstance(d, BoardDomain) and d.kind.generator}
    if kind == ARC.name:
        boards_only = {"--min-rating": min_rating, "--min-givens": min_givens, "--min-path": min_path}
        boards_only["--max-path"] = max_path
        refuse_options(boards_only | {"--exclude": exclude, "--like": like}, "for boards")
        refuse_ending("--out", out, ".json")
        return _generate_tasks(num, side, pairs, seed, out, quiet, as_json)
    if kind not in made:
        kinds = [*made, ARC.name]
        hint = did_you_mean(kind.lower(), kinds)
        raise typer.BadParameter(f"{kind!r}: expected {', '.join(kinds[:-1])} or {kinds[-1]}{hint}")
    refuse_options({"--pairs": pairs}, "for ARC tasks")
    domain, floors = made[kind], Floors(min_rating, min_givens, min_path, max_path)
    generator = domain.kind.generator
    assert generator
    options = {name: f"--{name.replace('_', '-')}" for name in Floors._fields}
    given = floors._asdict().items()
    foreign = {options[name]: floor is not None for name, floor in given if name not in generator.floors}
    own = " and ".join(options[name] for name in generator.floors) or "no floor"
    refuse_options(foreign, f"not for {domain.noun}, which take {own}")
    if like is not None and (generator.like is None or min_givens or side):
        raise typer.BadParameter("--like is for Sudokus; side and givens are those of its file")
    refuse_overwriting({"--out": out}, *exclude, like)
    refuse_ending("--out", out, *BOARD_ENDINGS)
    import numpy as np

    from arc_solver.domains.boards.board_set import MADE, BoardSet
    from arc_solver.progress import progress
    from arc_solver.storage.files import sweep_beside
    from arc_solver.storage.output_lock import own_outputs
    from submission.messages import count

    written = writing(out)
    with own_outputs(out):
        sweep_beside(out)
        say, rng = sayer(quiet), np.random.default_rng(seed)
        seen = [domain.read(str(path), Reading(), say)[0] for path in exclude]
        apart = BoardSet.joined(seen) if seen else None
        with progress("generate", "board", num, quiet=quiet) as bar:
            MADE.set(bar.update)
            if like is not None and generator.like is not None:
                models = domain.read(str(like), Reading(need_answers=True), say)[0]
                bar.total = len(models)  # whose givens are exchanged
                make = partial(generator.like, num, models, rng, min_rating or 0, apart)
            else:
                size = generator.side if side is None else side
                make = partial(generator.make, num, size, rng, floors, apart)
            boards = _made(make)
        _write(out, csv_of(domain.kind, boards, f"arc-solver generate --seed {seed}"))
    low, high = int(boards.ratings.min()), int(boards.ratings.max())
    extent = f"{low} to {high}" if low < high else f"{low}"
    say(f"{count(len(boards), 'board')} of side {boards.side}, {generator.rating}: {extent}")
    facts = {"num": len(boards), "side": boards.side, "lowest": low, "highest": high}
    _tell(out, facts, written(), say, as_json)


def _write(out: Path | None, content: Iterable[bytes]) -> None:
    """Write a file, or standard output; StorageError if that fails, and exit 1 if its reader left."""
    from arc_solver.storage.files import StorageError, write_atomic
    from arc_solver.storage.standard_streams import lost_output

    if out is not None:
        return write_atomic(out, content)
    for piece in content:
        typer.echo(piece, nl=False)
    lost = lost_output()
    if isinstance(lost, BrokenPipeError):
        raise typer.Exit(1)
    if lost is not None:
        raise StorageError(f"standard output cannot be written: {lost.strerror}")


def _tell(
    out: Path | None, facts: dict[str, Any], written: str | None, say: Callable[[str], None], as_json: bool
) -> None:
    """Say where the boards or tasks are, if in a file; `written` is a line on what the file replaced."""
    if out is None:
        return
    if written:
        say(written)
    say(f"look at them: arc-solve show {out}")
    typer.echo(json.dumps({"out": str(out), **facts}) if as_json else str(out))


def _made(make: Callable[[], T]) -> T:
    """What `make` makes; ConfigError if it refuses, since nothing but the options can be at fault."""
    from arc_solver.config import ConfigError
    from arc_solver.storage.text import DataError

    try:
        return make()
    except DataError as error:
        raise ConfigError(str(error)) from None


def _generate_tasks(
    num: int, side: int | None, pairs: int | None, seed: int, out: Path | None, quiet: bool, as_json: bool
) -> None:
    """Write tasks of the generator's library: those that `synthetic:NUM:SEED:SIDE:PAIRS` names."""
    from arc_solver.corpus.synthetic.tasks import DEFAULT_MAX_SIDE, SyntheticName, synthetic_tasks
    from arc_solver.progress import progress
    from arc_solver.storage.files import sweep_beside
    from arc_solver.storage.output_lock import own_outputs
    from arc_solver.tasks.writer import tasks_json
    from submission.messages import count

    name = (
        f"synthetic:{num}:{seed}:{DEFAULT_MAX_SIDE if side is None else side}{f':{pairs}' if pairs else ''}"
    )
    drawn = _made(lambda: synthetic_tasks(SyntheticName.parse(name)))
    written = writing(out)
    with own_outputs(out):
        sweep_beside(out)
        tasks = []
        with progress("generate", "task", num, quiet=quiet) as bar:
            for task in drawn:
                tasks.append(task)
                bar.update()
        _write(out, [tasks_json(tasks)])
    num_tests = sum(len(task.test) for task in tasks)
    say = sayer(quiet)
    say(f"{count(num, 'task')} with {count(num_tests, 'output')}, those that {name} names")
    _tell(out, {"num": num, "outputs": num_tests, "name": name}, written(), say, as_json)
