"""arc-solve watch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc_solver.commands.console import refuse_options, sayer, set_threads

if TYPE_CHECKING:
    from arc_solver.checkpoints.weights import Loaded
    from arc_solver.domains.boards.board_set import BoardSet

EPILOG = "\b\nExample: arc-solve watch --checkpoint final.safetensors --tasks arc1:evaluation --id 00576224"
FORMATS = (".gif", ".png")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(watch)


def watch(
    checkpoint: Path = typer.Option(..., help="The weights that think."),
    tasks: str = typer.Option(
        ..., help="Tasks: a file, a folder or a name such as arc1:training; or boards (csv, txt)."
    ),
    task_id: str = typer.Option(..., "--id", help="The task to watch; of boards the number, from 1."),
    out: Path = typer.Option(
        Path("thinking.gif"), help="An animation (.gif), or all ages on one sheet (.png)."
    ),
    index: int = typer.Option(0, min=0, help="Which of its test inputs, from 0."),
    ages: int | None = typer.Option(
        None, min=1, help="How many refinements; default: as the checkpoint predicts."
    ),
    adapt_steps: int | None = typer.Option(None, min=1, help="Learn an unknown task this many steps first."),
    seed: int = typer.Option(0, min=0, help="Seed of the learning."),
    device: str = typer.Option("auto", help="auto, cpu, cuda, cuda:N or mps."),
    threads: int | None = typer.Option(None, min=1, help="Threads of torch on a CPU."),
    quiet: bool = typer.Option(False, help="No progress and no remarks."),
) -> None:
    """Draw an answer after every age.

    An animation or one sheet of the answer to one test input or board, with the halting probability.
    """
    if out.suffix not in FORMATS:
        raise typer.BadParameter(f"--out {out}: expected a name that ends in {' or '.join(FORMATS)}")
    format = out.suffix.removeprefix(".")
    if Path(tasks).name.removesuffix(".gz").endswith((".csv", ".txt")):
        refuse_options({"--index": index, "--adapt-steps": adapt_steps}, f"for tasks; {tasks} holds boards")
        board = _board(tasks, task_id)
        from arc_solver.checkpoints.weights import load

        set_threads(threads)
        picture = _watch_board(load(checkpoint), checkpoint.name, board, ages, device, format, task_id)
        return _written(out, picture)
    from arc_solver.tasks.reader import read_tasks

    found = [task for task in read_tasks(tasks) if task.id == task_id]
    if not found:
        raise typer.BadParameter(f"--id {task_id!r}: no such task in {tasks}")
    if index >= len(found[0].test):
        raise typer.BadParameter(
            f"--index {index}: the task has {len(found[0].test)} test inputs, counted from 0"
        )
    from arc_solver.checkpoints.file_format import check_domain
    from arc_solver.checkpoints.weights import load
    from arc_solver.hardware.torch_device import choose_device
    from arc_solver.inference.trace import Subject, follow_answer
    from arc_solver.report.animation import draw_thinking

    set_threads(threads)
    loaded = load(checkpoint)
    check_domain(loaded.metadata, "arc", checkpoint.name)
    subject = Subject.find(loaded, found[0], adapt_steps, seed, choose_device(device), quiet=quiet)
    sayer(quiet)(f"task {task_id}: {subject.remark}")
    answers, logits = follow_answer(subject, index, ages or loaded.preset.predict.ages)
    return _written(out, draw_thinking(answers, logits, title=f"{task_id}, test {index}", format=format))


def _board(source: str, number: str) -> BoardSet:
    """Board `number`, counted from 1, of a file."""
    from arc_solver.domains.boards.board_file import read_boards

    boards, _ = read_boards(source)
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(boards)):
        raise typer.BadParameter(f"--id {number!r}: expected the number of a board, 1 to {len(boards)}")
    return boards.take(slice(int(number) - 1, int(number)))


def _watch_board(
    loaded: Loaded, name: str, board: BoardSet, ages: int | None, device: str, format: str, number: str
) -> bytes:
    """The picture of what the weights think of one board."""
    from arc_solver.hardware.torch_device import choose_device
    from arc_solver.inference.trace import follow_board
    from arc_solver.prediction.board_work import check_weights
    from arc_solver.report.animation import draw_thinking, maze_look, sudoku_look

    check_weights(loaded, board, name)
    look = sudoku_look(board.side) if board.kind == "sudoku" else maze_look()
    model = loaded.model.to(choose_device(device))
    answers, logits = follow_board(model, board, ages or loaded.preset.predict.ages)
    return draw_thinking(answers, logits, look=look, title=f"{board.kind} {number}", format=format)


def _written(out: Path, picture: bytes) -> None:
    from arc_solver.storage.files import sweep_beside, write_atomic

    sweep_beside(out)
    write_atomic(out, picture)
    typer.echo(str(out))
