"""Helpers of the commands: durations, remarks, checks of options, choice of tasks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arc_solver.progress import announce_compiling

if TYPE_CHECKING:
    from arc_solver.domains.protocols import Domain, M, Numbers
    from arc_solver.tasks.task import Task

BOARD_ENDINGS = (".csv", ".txt")  # of files of boards that are written


def seconds_of(text: str | None) -> float | None:
    """`90s`, `25m`, `11h` (or a sum such as `1h30m`) in seconds; a usage error for anything else."""
    if text is None:
        return None
    from arc_solver.config import ConfigError
    from arc_solver.settings import seconds_from

    try:
        return seconds_from(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


def usage_line(error: Any) -> str:
    """What typer says is wrong with the command, as our own errors say it."""
    from arc_solver.storage.text import near

    text = str(error.format_message())
    if isinstance(error, typer.BadParameter) and text.startswith("Invalid value: "):
        return str(error.message)  # our own
    text = text.removeprefix("Invalid value for ").removesuffix(".").replace(". Did you", "; did you")
    if known := getattr(error, "possibilities", None):
        text = error.message + near(error.option_name, known)
    text = text[:1].lower() + text[1:]
    where = error.ctx.command_path if error.ctx else "arc-solve"
    return text if "did you mean" in text else f"{text}; see {where} -h"


def without_options(words: Sequence[str], *options: str) -> list[str]:
    """The words of a command without these options, each of which takes a value."""
    kept: list[str] = []
    passing = False
    for word in words:
        if not passing and word.partition("=")[0] not in options:
            kept.append(word)
        passing = not passing and word in options
    return kept


def sayer(quiet: bool) -> Callable[[str], None]:
    """A function that prints a line to stderr, or nothing if quiet."""
    if not quiet:
        announce_compiling()
    return (lambda _: None) if quiet else (lambda text: print(text, file=sys.stderr, flush=True))


def refuse_options(given: Mapping[str, object], reason: str) -> None:
    """A usage error that names the given options (neither None, False nor empty), if any."""
    named = [option for option, value in given.items() if value]
    if named:
        raise typer.BadParameter(f"{', '.join(named)}: {reason}")


def refuse_ending(option: str, path: Path | None, *endings: str) -> None:
    """A usage error if an output is named as a file of another kind; a name without an ending fits."""
    if path is not None and (str(path) == "-" or path.suffix.lower() not in (*endings, "")):
        wanted = " or ".join(endings)
        raise typer.BadParameter(f"{option} {path}: expected a name that ends in {wanted}")


def refuse_overwriting(outputs: Mapping[str, Path | None], *inputs: Path | str | None) -> None:
    """A usage error if an output, given with its option, is an input or another output.

    Task files in an input folder, at any depth, are inputs too; an earlier submission there is not.
    """
    written = [(option, path) for option, path in outputs.items() if path is not None]
    for option, path in written:
        if any(_is_of(path, Path(given)) for given in inputs if given is not None):
            raise typer.BadParameter(f"{option} {path}: this is one of the inputs; choose another path")
    named: dict[tuple[int, int] | str, str] = {}
    for option, path in written:
        first = named.setdefault(_identity(path), option)
        if first != option:
            raise typer.BadParameter(f"{option} {path}: the same file as {first}; choose another path")


def with_manifest(out: Path | None) -> dict[str, Path | None]:
    """`--out` and its manifest, as `refuse_overwriting` takes them."""
    from arc_solver.prediction.manifest import manifest_path

    return {"--out": out, "the manifest of --out": manifest_path(out) if out and out.name else None}


def writing(out: Path | None, *others: Path | None, manifest: bool = False) -> Callable[[], str | None]:
    """To be called before a command writes; what it returns says at the end which files were written.

    That is a line that names the files, those that replaced an earlier one and the manifest; None where it
    would only repeat the name of `out`, which commands print.
    """
    paths = [path for path in (out, *others) if path is not None]
    there = {path for path in paths if path.exists()}

    def line() -> str | None:
        named = [f"{path} (replaced the one there)" if path in there else str(path) for path in paths]
        if manifest and out:
            named.append(f"{with_manifest(out)['the manifest of --out']} (how it was made)")
        elif not there:
            return None
        *first, last = named
        return f"wrote {', '.join(first)} and {last}" if first else f"wrote {last}"

    return line


def tell(text: str | None) -> None:
    """Print a line to stderr, if there is one."""
    if text:
        print(text, file=sys.stderr)


def _is_of(path: Path, given: Path) -> bool:
    if _identity(path) == _identity(given):
        return True
    if not (given.is_dir() and path.name.endswith((".json", ".json.gz")) and path.is_file()):
        return False
    from arc_solver.tasks.layouts import holds_a_task

    return any(_identity(parent) == _identity(given) for parent in path.absolute().parents) and holds_a_task(
        path
    )


def _identity(path: Path) -> tuple[int, int] | str:
    """What identifies a file under any name; for a missing one, its real path."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def chosen(
    tasks: list[Task],
    limit: int | None,
    only: list[str] | None,
    max_canvas: int | None,
    source: str,
    option: str = "--only",
) -> list[Task]:
    """The tasks asked for, as `chosen_places`."""
    from arc_solver.domains.arc.domain import ARC

    places = chosen_places(ARC, tuple(tasks), limit, only, max_canvas, source, option)
    return tasks if places is None else [tasks[place] for place in places.tolist()]


def chosen_places(
    domain: Domain[M],
    material: M,
    limit: int | None,
    only: list[str] | None,
    max_canvas: int | None,
    source: str,
    option: str = "--only",
) -> Numbers | None:
    """The places of the chosen puzzles: by id, by canvas side, then the first `limit`; None for all.

    A usage error for an unknown id, or if no canvas is small enough.
    """
    if limit is None and not only and max_canvas is None:
        return None
    import numpy as np

    ids = domain.ids(material)
    places = np.arange(len(ids))
    if only:
        missing = sorted(set(only) - set(ids))
        if missing:
            from arc_solver.storage.text import label_of, near

            one, hint = "task" if domain.learns else "board", near(missing[0], set(ids))
            raise typer.BadParameter(f"{option} {missing[0]!r}: no such {one} in {label_of(source)}{hint}")
        wanted = set(only)
        places = places[[each in wanted for each in ids]]
    if max_canvas is not None:
        sides = np.array(domain.sides(domain.take(material, places)), np.int64)
        places = places[sides <= max_canvas]
        if not len(places):
            least = f"; the smallest is {sides.min()}" if len(sides) else ""
            raise typer.BadParameter(f"--max-canvas {max_canvas}: no task has so small a canvas{least}")
    return places[:limit]


def set_threads(threads: int | None) -> None:
    """Limit the threads of torch, unless None."""
    if threads is None:
        return
    import torch

    torch.set_num_threads(threads)
