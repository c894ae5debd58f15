"""The answers to a few tasks for people: the grids with their votes, and whether they were learned."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from arc_solver.commands.console import without_options
from arc_solver.commands.screen import Screen

if TYPE_CHECKING:
    from arc_solver.prediction.prediction import Prediction
    from arc_solver.prediction.submission_sheet import SubmissionSheet
    from submission.grid import Grid
    from submission.vote import Query

DRAWN, PIPED_COLUMNS = 4, 80  # outputs that are drawn
ADVISED, LEARNED = 3, 0.95  # tasks; the share of training examples that are right once they are learned


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
    from submission.messages import count

    answer = sheet.answers.get(query)
    tallies = answer.tallies[:2] if answer else ()
    grids: list[Grid | None] = [None, None]
    votes = ["no guess", "no other guess"] if not tallies else ["", "no other guess"]
    for place, tally in enumerate(tallies):
        assert answer is not None
        grids[place] = tally.grid
        votes[place] = f"{tally.votes} of {count(answer.ballots, 'view')}"
        if round(tally.weight, 1) != tally.votes:
            votes[place] += f", weight {tally.weight:.1f}"
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


def _has_truth(sheet: SubmissionSheet) -> bool:
    return all(pair.output is not None for task in sheet.tasks for pair in task.test)


def learned_share(facts: Iterable[Mapping[str, Any]]) -> float | None:
    """The smallest share of training examples that were right at the end of learning; None if none was."""
    shares = [each["adapted"].get("exact") for each in facts if "adapted" in each]
    return min((share for share in shares if share is not None), default=None)


def advice(prediction: Prediction) -> str | None:
    """What to type where few tasks were not learned or not solved; None where that is not known."""
    from arc_solver.prediction.submission_sheet import SubmissionSheet

    sheet = prediction.sheet
    if not isinstance(sheet, SubmissionSheet) or len(sheet.owed) > ADVISED:
        return None
    share, missed = learned_share(prediction.facts.values()), is_missed(sheet)
    in_doubt = share is not None and share < LEARNED and not _has_truth(sheet)
    if not (missed or in_doubt) or prediction.request.solve.adapt is False:
        return None
    seconds = time.monotonic() - prediction.times.started
    return more_time(share, seconds, prediction.request.solve.seed, len(sheet.owed))


def more_time(share: float | None, seconds: float, seed: int, num_tasks: int = 1) -> str:
    """This command with more time than the `seconds` it took, after which `share` was learned, and why."""
    from arc_solver.inference.own_budget import longer

    words = without_options(sys.argv[1:], "--time-limit", "--adapt-steps")
    more = ["--time-limit", longer(seconds)]
    if share is not None and share >= LEARNED:
        why = "not solved though its demonstrations are learned"
        words = without_options(words, "--seed")
        more += ["--seed", str(seed + 1)]
    elif share is not None:
        why = f"its demonstrations are not learned yet ({100 * share:.0f} % of them right)"
    else:
        why = "not solved"
    if num_tasks > 1:
        why = why.replace("its", "their")
    return f"{why}; to give it more time: arc-solve {shlex.join([*words, *more])}"
