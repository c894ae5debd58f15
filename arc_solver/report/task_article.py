"""The section of the report about one task: demonstrations, then a row per test input with both attempts."""

import html
import re
from collections.abc import Mapping, Sequence

from arc_solver.report.grid_drawing import html_grid
from arc_solver.report.outcome import Answer, Attempt, Outcome
from arc_solver.storage.text import printable
from submission.grid import Grid
from submission.messages import count
from submission.support import Support
from submission.vote import Query

NEAR_MISSES = {"near3": 3, "near10": 10, "near30": 30}
PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The usual width of a picture, within limits for the size of a cell.
PICTURE_PIXELS = 176
MIN_CELL, MAX_CELL = 5, 18

Supports = Mapping[Query, Sequence[Support | None]]


def anchor(task_id: str, place: int) -> str:
    """The anchor of a task in the page: its id if that is plain, else its number."""
    # The two prefixes keep an id from being another task's anchor.
    return f"task-{task_id}" if PLAIN_ID.fullmatch(task_id) else f"place-{place}"


def status(outcome: Outcome) -> str:
    """`solved`, `partly` (some outputs), `missed`, or `unjudged` without a known truth."""
    if not outcome.judged:
        return "unjudged"
    if outcome.num_solved == len(outcome.judged):
        return "solved"
    return "partly" if outcome.num_solved else "missed"


def classes(outcome: Outcome) -> list[str]:
    """The filters that show a task: its status, its near misses, and `malformed`."""
    distance = outcome.distance
    near = [name for name, limit in NEAR_MISSES.items() if distance is not None and 0 < distance <= limit]
    return [status(outcome), *near, *(["malformed"] if outcome.defects else [])]


def article(outcome: Outcome, name: str, support: Supports) -> str:
    """The HTML of one task with the anchor `name`; `support` as for the report."""
    task = outcome.task
    grids = [grid for pair in (*task.train, *task.test) for grid in (pair.input, pair.output)]
    grids += [attempt.grid for answer in outcome.answers for attempt in answer.attempts]
    side = max(max(grid.shape) for grid in grids if grid is not None)
    cell = min(MAX_CELL, max(MIN_CELL, PICTURE_PIXELS // side))
    nearest = 999_999 if outcome.distance is None else outcome.distance
    demonstrations = "".join(
        f"<figure><figcaption>demonstration {number}</figcaption><div class=pair>"
        f"{html_grid(pair.input, f'demonstration {number}, input, {_size(pair.input)}')}<span>→</span>"
        f"{html_grid(pair.output, f'demonstration {number}, output, {_size(pair.output)}')}</div></figure>"
        for number, pair in enumerate(task.train, start=1)
        if pair.output is not None
    )
    rows = "".join(
        _row(answer, index, support.get(Query(task.id, index), ()))
        for index, answer in enumerate(outcome.answers)
    )
    defects = "".join(f"<li>{html.escape(printable(defect, 300))}</li>" for defect in outcome.defects)
    listed = f"<ul class=defects>{defects}</ul>" if defects else ""
    return (
        f'<article id="{name}" class="{" ".join(classes(outcome))}" style="--cell:{cell}px;--n:{nearest}">'
        f'<h2><a href="#{name}">{html.escape(printable(task.id))}</a>'
        f"<span class=badge>{_verdict(outcome)}</span></h2>"
        f'{listed}<div class="row demonstrations">{demonstrations}</div>{rows}</article>'
    )


def _verdict(outcome: Outcome) -> str:
    state, num, solved = status(outcome), len(outcome.judged), outcome.num_solved
    if state == "unjudged":
        return "no truth given"
    counts = "" if num == 1 else f", {solved} of {num} outputs"
    if state == "solved":
        return f"✓ solved{counts}"
    if outcome.absent:
        return "✗ not in the submission"
    distance = "wrong shape" if outcome.distance is None else count(outcome.distance, "wrong cell")
    return f"{'◐ partly solved' if solved else '✗ missed'}{counts}, {distance}"


def _row(answer: Answer, index: int, support: Sequence[Support | None]) -> str:
    name = f"test {index + 1}"
    figures = []
    if answer.question is not None:
        figures.append(_figure(f"<b>{name}</b>{_size(answer.question)}", answer.question, f"{name}, input"))
    for place, attempt in enumerate(answer.attempts):
        behind = support[place] if place < len(support) else None
        figures.append(_attempt(answer, attempt, f"{name}, attempt {place + 1}", behind))
    if answer.truth is not None:
        figures.append(_figure(f"<b>truth</b>{_size(answer.truth)}", answer.truth, f"{name}, truth"))
    return f"<div class=row>{''.join(figures)}</div>"


def _figure(caption: str, grid: Grid, alt: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{html_grid(grid, f'{alt}, {_size(grid)}')}</figure>"


def _attempt(answer: Answer, attempt: Attempt, name: str, support: Support | None) -> str:
    short = name.partition(", ")[2]
    behind = "" if support is None else f"<span>{support}</span>"
    if attempt.grid is None:
        return (
            f"<figure class=wrong><figcaption><b>{short} ✗</b>{behind}</figcaption>"
            f'<div class=none role=img aria-label="{name}: no grid">no grid</div></figure>'
        )
    kind, verdict = "", _size(attempt.grid)
    if answer.truth is not None:
        wrong = attempt.num_wrong
        kind = " class=right" if wrong == 0 else " class=wrong"
        verdict = (
            f"✗ {verdict}, wrong shape"
            if wrong is None
            else "✓ right"
            if wrong == 0
            else f"✗ {count(wrong, 'wrong cell')}"
        )
    mask = attempt.wrong if attempt.num_wrong else None
    picture = html_grid(attempt.grid, f"{name}, {_size(attempt.grid)}, {verdict}", mask)
    return f"<figure{kind}><figcaption><b>{short} {verdict}</b>{behind}</figcaption>{picture}</figure>"


def _size(grid: Grid) -> str:
    height, width = grid.shape
    return f"{height}×{width}"
