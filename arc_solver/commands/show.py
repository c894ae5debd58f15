"""arc-solve show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc_solver.commands.console import chosen, refuse_ending, refuse_options, sayer, tell, writing
from arc_solver.commands.options import COLOR, LENIENT, MAX_CANVAS, SOURCE, TASKS
from arc_solver.commands.screen import Screen
from arc_solver.commands.source import board_place, one_source, read_source

if TYPE_CHECKING:
    from arc_solver.domains.boards.board_set import BoardSet
    from arc_solver.report.panels import Cells, Frame, Opening
    from arc_solver.tasks.task import Task
    from submission.grid import Grid

EPILOG = (
    "\b\nExample: arc-solve show arc1:training --id 00d62c1b\n         arc-solve show answers.csv --limit 10"
)
LIMIT = 3


def show(
    source: str | None = SOURCE,
    tasks: str | None = TASKS,
    task_id: list[str] | None = typer.Option(
        None,
        "--id",
        metavar="ID",
        help="Only this task (for boards, the number, counting from 1); may be repeated.",
    ),
    limit: int | None = typer.Option(
        None, min=1, help="How many at most; default: 3, or all of synthetic:COUNT."
    ),
    max_canvas: int | None = MAX_CANVAS,
    lenient: bool = LENIENT,
    skip_bad: bool = typer.Option(False, "--skip-bad", help="Leave out bad tasks, and count them."),
    submission: Path | None = typer.Option(
        None, help="Draw the two attempts of this submission too, or these answers (csv) to boards."
    ),
    out: Path | None = typer.Option(None, help="A picture (.png) in place of the terminal."),
    color: bool | None = COLOR,
) -> None:
    """Draw tasks, boards and answers.

    In the terminal or as a picture. Answers are marked right or wrong where the truth is known, and so are
    the rules that a Sudoku or a maze breaks.
    """
    refuse_ending("--out", out, ".png")
    from arc_solver.tasks.reader import faults_line, refuse_unreadable

    given = one_source(source, tasks)
    found, faults = read_source(
        given, with_solutions=submission is not None, lenient=lenient, notice=sayer(False)
    )
    screen = Screen.find(color)
    if not isinstance(found, list):
        refuse_options({"--max-canvas": max_canvas, "--lenient": lenient}, "for tasks; these are boards")
        return _show_boards(found, task_id, limit or LIMIT, submission, screen, out)
    asked = {name: faults[name] for name in task_id or () if name in faults}
    refuse_unreadable([] if asked or not (skip_bad or task_id) else found, asked or faults)
    if faults and skip_bad:
        print(faults_line(given, faults), file=sys.stderr)
    most = limit or (len(found) if given.startswith("synthetic:") else LIMIT)
    listed = chosen(found, most, task_id, max_canvas, given, "--id")
    if limit is None and not task_id and max_canvas is None and len(listed) < len(found):
        _say_more(len(listed), len(found), "tasks")
    attempts = {} if submission is None else _attempts(listed, submission)
    if out is not None:
        from arc_solver.report.task_story import shown

        return _write([shown(task, attempts.get(task.id, [])) for task in listed], out)
    from arc_solver.report.terminal import ansi_task

    for task in listed:
        guesses = attempts.get(task.id, ())
        screen.write(ansi_task(task, screen.columns, color=screen.color, attempts=guesses) + "\n\n")


def _say_more(shown: int, total: int, noun: str) -> None:
    print(f"{shown} of {total} {noun}; --limit N shows more, --id one of them", file=sys.stderr)


def _attempts(tasks: list[Task], submission: Path) -> dict[str, list[list[Grid | None]]]:
    """The two attempts at every test input of the tasks; None for one that is no grid."""
    from submission.lenient_reader import NUM_ATTEMPTS, load_answers, read_answers

    owed = {task.id: len(task.test) for task in tasks}
    rankings, remarks = read_answers(load_answers(submission), owed)
    remarks.extra_tasks.clear()  # those that are not drawn
    for line in remarks.lines():
        print(f"warning: {submission}: {line}", file=sys.stderr)
    return {
        task.id: [[*found, None, None][:NUM_ATTEMPTS] for found in rankings.get(task.id, ())]
        for task in tasks
    }


def _show_boards(
    boards: BoardSet,
    numbers: list[str] | None,
    limit: int,
    submission: Path | None,
    screen: Screen,
    out: Path | None,
) -> None:
    """Draw boards with their own answers, or with those of another file."""
    from arc_solver.report.board_story import BoardStory, legend_of
    from arc_solver.report.playback import Player

    num = len(boards)
    places = [board_place(number, num) for number in numbers] if numbers else range(min(limit, num))
    if not numbers and len(places) < num:
        _say_more(len(places), num, "boards")
    given = None if submission is None else _answers(submission, boards.kind)
    shape = (boards.side, boards.side)
    frames = []
    for place in places:
        story = BoardStory.of(boards, place)
        answer = story.truth if given is None else given.get(story.question.tobytes())
        frames.append(story.shown(None if answer is None else answer.reshape(shape), apart=given is not None))
    opening = legend_of(boards.kind, boards.side)
    if out is not None:
        return _write([(opening, frames)], out)
    player = Player(screen.write, screen.columns, screen.lines, screen.color, animated=False)
    player.begin(opening)
    for frame in frames:
        player.show(frame)


def _answers(path: Path, kind: str) -> dict[bytes, Cells]:
    """The answers of a file, by their questions."""
    from arc_solver.domains.boards.board_file import boards_as_they_stand
    from arc_solver.storage.text import DataError

    answers = boards_as_they_stand(path)
    if answers.kind != kind:
        raise DataError(f"{path}: answers to boards of kind {answers.kind}, expected {kind}")
    pairs = zip(answers.questions, answers.answers, strict=True)
    return {question.tobytes(): answer for question, answer in pairs if answer.any()}


def _write(sheets: list[tuple[Opening, list[Frame]]], out: Path) -> None:
    from arc_solver.report.animation import draw_sheets
    from arc_solver.storage.files import sweep_beside, write_atomic

    sweep_beside(out)
    written = writing(out)
    write_atomic(out, draw_sheets(sheets))
    tell(written())
    typer.echo(str(out))
