"""Options that several commands share."""

from __future__ import annotations

import typer

from arc_solver.commands.completion import DEVICES, among, settings, sources, weights
from arc_solver.config import MAX_SEED

TASKS_HELP = (
    "A file, a folder, '-', a set (arc1, arc2:evaluation, synthetic:5), a task's id, or a Sudoku as 16, 36 "
    "or 81 characters."
)
SOURCE = typer.Argument(None, metavar="TASKS", help=TASKS_HELP, autocompletion=sources)
TASKS = typer.Option(None, "--tasks", help="The tasks or boards, as an option.", autocompletion=sources)
MAX_CANVAS = typer.Option(
    None, "--max-canvas", min=2, max=30, help="Only tasks that fit on a canvas of this side."
)
LENIENT = typer.Option(False, "--lenient", help='Accept cells written as text ("3").')
CHECKPOINT = typer.Option(
    None,
    "--checkpoint",
    help="Weights in place of those that ship with the package: a file, the folder of a run, or a name such "
    "as arc.",
    autocompletion=weights,
)
SETTINGS = typer.Option(
    [],
    "--set",
    metavar="KEY=VALUE",
    help="Any field of the recipe, such as learning_rate=0.01; `arc-solve info PRESET` lists them.",
    autocompletion=settings,
)
SEED = typer.Option(0, "--seed", min=0, max=MAX_SEED - 1, help="Seed of everything random.")
DEVICE = typer.Option(
    "auto", "--device", help="auto, cpu, cuda, cuda:N or mps.", autocompletion=among(DEVICES)
)
THREADS = typer.Option(None, "--threads", min=1, help="Threads of each process on a CPU.")
COLOR = typer.Option(None, "--color/--no-color", help="Colors; default: when the output is a terminal.")
QUIET = typer.Option(False, "--quiet", help="No progress and no remarks.")
AS_JSON = typer.Option(False, "--json", help="Print one JSON object.")
