"""arc-solve watch."""

from __future__ import annotations

from pathlib import Path

import typer

from arc_solver.commands.console import sayer, set_threads

EPILOG = "\b\nExample: arc-solve watch --checkpoint final.safetensors --tasks arc1:evaluation --id 00576224"
FORMATS = (".gif", ".png")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=EPILOG)(watch)


def watch(
    checkpoint: Path = typer.Option(..., help="The weights that think."),
    tasks: str = typer.Option(..., help="Tasks: a file, a folder or a name such as arc1:training."),
    task_id: str = typer.Option(..., "--id", help="The task to watch."),
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

    An animation or one sheet of the answer to one test input, with the halting probability.
    """
    if out.suffix not in FORMATS:
        raise typer.BadParameter(f"--out {out}: expected a name that ends in {' or '.join(FORMATS)}")
    from arc_solver.task import read_tasks

    found = [task for task in read_tasks(tasks) if task.id == task_id]
    if not found:
        raise typer.BadParameter(f"--id {task_id!r}: no such task in {tasks}")
    if index >= len(found[0].test):
        raise typer.BadParameter(
            f"--index {index}: the task has {len(found[0].test)} test inputs, counted from 0"
        )
    from arc_solver.device import choose_device
    from arc_solver.files import write_atomic
    from arc_solver.inference.watching import Subject, follow_answer
    from arc_solver.thinking import draw_thinking
    from arc_solver.weights import load

    set_threads(threads)
    loaded = load(checkpoint)
    subject = Subject.find(loaded, found[0], adapt_steps, seed, choose_device(device), quiet=quiet)
    sayer(quiet)(f"task {task_id}: {subject.remark}")
    answers, logits = follow_answer(subject, index, ages or loaded.preset.predict.ages)
    title = f"{task_id}, test {index}"
    write_atomic(out, draw_thinking(answers, logits, title=title, format=out.suffix.removeprefix(".")))
    typer.echo(str(out))
