"""The answers to a few tasks for people: the grids with their votes, and whether they were learned."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from arc_solver.commands.screen import Screen

if TYPE_CHECKING:
    from arc_solver.prediction.submission_sheet import SubmissionSheet
    from submission.grid import Grid
    from submission.vote import Query

DRAWN, PIPED_COLUMNS = 4, 80


def draw_answers(sheet: SubmissionSheet) -> None:
    """Draw the test inputs with both attempts, their votes and the truth where known, if there are few."""
    from arc_solver.report.terminal import ansi_answer

    if sum(len(task.test) for task in sheet.tasks) > DRAWN:
        return
    screen = Screen.find(None)
    columns = screen.columns if sys.stdout.isatty() else min(screen.columns, PIPED_COLUMNS)
    for task in sheet.tasks:
        for index, pair in enumerate(task.test):
            grids, votes = _attempts(sheet, _query(task.id, index))
            title = task.id if len(task.test) == 1 else f"{task.id}, test input {index + 1}"
            screen.write(ansi_answer(title, pair, grids, votes, columns, color=screen.color) + "\n\n")


def _query(task_id: str, index: int) -> Query:
    from submission.vote import Query

    return Query(task_id, index)


def _attempts(sheet: SubmissionSheet, query: Query) -> tuple[list[Grid | None], list[str]]:
    """Both attempts, None without a guess, and what views say of each in words."""
    answer = sheet.answers.get(query)
    tallies = answer.tallies[:2] if answer else ()
    grids: list[Grid | None] = [None, None]
    votes = ["no guess", "no other guess"] if not tallies else ["", "no other guess"]
    for place, tally in enumerate(tallies):
        assert answer is not None
        grids[place] = tally.grid
        views = f"{answer.ballots} views" if answer.ballots != 1 else "1 view"
        votes[place] = f"{tally.votes} of {views}"
    return grids, votes


def is_missed(sheet: SubmissionSheet) -> bool:
    """Whether neither attempt at a test input of known output is right."""
    import numpy as np

    return any(
        not any(
            grid is not None and np.array_equal(grid, pair.output)
            for grid in _attempts(sheet, _query(task.id, index))[0]
        )
        for task in sheet.tasks
        for index, pair in enumerate(task.test)
        if pair.output is not None
    )


def learned_share(facts: Iterable[Mapping[str, Any]]) -> float | None:
    """The smallest share of training examples that were right at the end of learning; None if none was."""
    shares = [each["adapted"].get("exact") for each in facts if "adapted" in each]
    return min((share for share in shares if share is not None), default=None)
