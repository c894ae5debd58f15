"""The command `arc-solve`: assembles the commands and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback

import typer

from arc_solver.commands import (
    bench,
    convert,
    doctor,
    generate,
    info,
    merge,
    predict,
    report,
    score,
    show,
    train,
    validate,
    watch,
)
from arc_solver.commands.console import usage_line
from arc_solver.commands.grouped_help import GroupedCommand
from arc_solver.storage.standard_streams import guard_streams, lost_output
from arc_solver.storage.surroundings import settle

app = typer.Typer(
    name="arc-solve",
    help="Solve ARC-AGI tasks, Sudoku and mazes with tiny recursive models.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    *(train, predict, score, validate, report, show, watch),
    *(merge, info, convert, generate, bench, doctor),
):
    command = getattr(module, module.__name__.rpartition(".")[2])
    app.command(epilog=module.EPILOG, cls=GroupedCommand)(command)
# These only print: if that fails, they fail. The others write a file or return an exit code.
SIGNALED = (128 + signal.SIGINT, 128 + signal.SIGTERM)
PRINTING = {"score", "show", "info", "bench", "doctor"}


def _version(wanted: bool) -> None:
    if wanted:
        from arc_solver import __version__

        typer.echo(f"arc-solve {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", "-V", callback=_version, is_eager=True, help="Print the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error (allowed anywhere)."),
) -> None:
    """Solve ARC-AGI tasks, Sudoku and mazes with tiny recursive models."""


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    """Entry point; exits 0 done, 1 failure, 2 usage, 3 bad input, 4 bad submission, 130/143 on signals."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    if sys.argv[1:2] in ([], ["help"]):
        sys.argv = [sys.argv[0], *sys.argv[2:3], "--help"]
    guard_streams()
    settle()
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # go on when the terminal is closed
    try:
        code = app(prog_name="arc-solve", standalone_mode=False)
    except SystemExit as end:
        code = end.code
        if code in SIGNALED and not _follows():
            print(f"stopped: {_stands(end)}", file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - the one place where any error becomes a line
        code = getattr(error, "exit_code", 1)
        # All processes of a run meet the same refusals and signals; a failure may be that of one.
        if code == 1 or not _follows():
            if debug:
                traceback.print_exc()
            # What a signal ended after saving is no error.
            said = "" if code in SIGNALED else "error: "
            print(f"{said}{_line(error, debug)}", file=sys.stderr)
    raise SystemExit(code or _lost_result())


def _stands(end: SystemExit) -> str:
    """What a signal left, and how to go on: as the command noted, else what is true of all others."""
    if sys.argv[1:2] == ["train"]:
        return "the same command goes on from what was saved"
    return next(iter(getattr(end, "__notes__", ())), "nothing was written; the same command starts over")


def _lost_result() -> int:
    """1 if the command only prints and its output was lost, else 0; silent if the reader left."""
    lost = lost_output()
    command = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    if lost is None or not (command is None or command in PRINTING):
        return 0
    if not isinstance(lost, BrokenPipeError):
        print(f"error: standard output cannot be written: {lost.strerror}", file=sys.stderr)
    return 1


def _follows() -> bool:
    """Whether torchrun started another process on this machine that prints for this one."""
    return os.environ.get("LOCAL_RANK", "0") != "0"


def _line(error: Exception, debug: bool) -> str:
    said = usage_line(error) if hasattr(error, "format_message") else str(error)
    words = " ".join(said.split()) or type(error).__name__
    # It may hold names from files: characters that control the terminal are escaped.
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
    if hasattr(error, "exit_code"):
        return text
    hint = "" if debug else " (--debug shows where)"
    return f"{type(error).__name__}: {text}{hint}"


if __name__ == "__main__":
    main()
