"""The page about a submission: each task with demonstrations, both attempts, truth and differences."""

import html
from collections.abc import Mapping, Sequence
from typing import cast

import numpy.typing as npt

from arc_solver.report.grid_drawing import PALETTES
from arc_solver.report.html_page import checkboxes, document, radios, theme_switch
from arc_solver.report.outcome import Outcome, judge_task
from arc_solver.report.style import GRID_STYLE, TASK_STYLE, filter_style, palette_style
from arc_solver.report.task_article import NEAR_MISSES, Supports, anchor, article, classes
from arc_solver.storage.text import printable
from arc_solver.tasks.task import Task
from arc_solver.tasks.truth import carried_truth
from submission.grid import check_grid
from submission.messages import count
from submission.score import RULES, Score, score
from submission.truth import Truth as Known

Truth = Mapping[str, Sequence[npt.ArrayLike]]


def build_report(
    tasks: Sequence[Task],
    submission: object,
    *,
    truth: Truth | None = None,
    support: Supports | None = None,
    score_table: str | None = None,
    title: str = "Report",
    remarks: Sequence[str] = (),
) -> str:
    """The report as one HTML page without scripts or requests; the same arguments give the same text.

    `submission` is `{task_id: [{"attempt_1": grid, "attempt_2": grid}, ...]}` as read from JSON, or anything
    else that the scorer reads; the rest is shown as missing or malformed. `truth` holds the outputs by id, by
    default those that the tasks carry. `support` is that of each attempt, `score_table` is shown as it is,
    `remarks` are lines below the title. TruthError for a bad truth.
    """
    outputs = carried_truth(tasks) if truth is None else truth
    # The scorer says what is wrong with a truth.
    summary = _tiles(score(submission, cast(Known, outputs), "")) if outputs else ""
    known = {task_id: [check_grid(grid) for grid in grids] for task_id, grids in outputs.items()}
    entries = submission if isinstance(submission, Mapping) else {}
    outcomes = [judge_task(task, entries, known.get(task.id, ())) for task in tasks]
    anchors = [anchor(task.id, place) for place, task in enumerate(tasks)]
    articles = [
        article(outcome, name, support or {}) for outcome, name in zip(outcomes, anchors, strict=True)
    ]
    table = f'<pre class="table" tabindex="0">{_lines(score_table)}</pre>' if score_table else ""
    parts = [
        '<a class="skip" href="#tasks">Skip to the tasks</a>',
        f"<header><h1>{_text(title)}</h1>",
        *(f'<p class="note">{note}</p>' for note in _notes(outcomes, entries, known)),
        *(f'<p class="note">{html.escape(printable(remark, 300))}</p>' for remark in remarks),
        summary,
        f"<details><summary>The score in full</summary>{table}</details>" if table else "",
        "</header>",
        _bar(outcomes, bool(known)),
        _wall(outcomes, anchors),
        '<main id="tasks" tabindex="-1">',
        *articles,
        "</main>",
    ]
    filters = ("solved", "partly", "missed", *NEAR_MISSES, "malformed")
    style = GRID_STYLE + TASK_STYLE + palette_style() + filter_style(filters, list(NEAR_MISSES))
    return document(printable(title), "\n".join(parts), style)


def _text(text: str) -> str:
    return html.escape(printable(text))


def _lines(text: str) -> str:
    return "\n".join(html.escape(printable(line, 400)) for line in text.splitlines())


def _notes(outcomes: Sequence[Outcome], submission: Mapping[str, object], truth: Truth) -> list[str]:
    ids = {outcome.task.id for outcome in outcomes}
    num_outputs = sum(len(outcome.answers) for outcome in outcomes)
    notes = [f"{count(len(outcomes), 'task')}, {count(num_outputs, 'output')}"]
    if absent := len(ids - submission.keys()):
        notes.append(f"{absent} of the tasks {_are(absent)} missing from the submission")
    if extra := len(submission.keys() - ids):
        notes.append(
            f"{count(extra, 'id')} of the submission {_are(extra)} not among these tasks and not shown"
        )
    if truth and (unjudged := sum(1 for outcome in outcomes if not outcome.judged)):
        notes.append(
            f"{count(unjudged, 'task')} shown {_are(unjudged)} without a known answer and not judged"
        )
    if unseen := len(truth.keys() - ids):
        notes.append(f"{count(unseen, 'task')} of the truth {_are(unseen)} counted but not shown")
    return notes


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _tiles(result: Score) -> str:
    tiles = []
    for rule, name in RULES.items():
        both, first = result.rate(rule, 2), result.rate(rule, 1)
        low, high = both.interval
        unit = "output" if rule == "per_output" else "task"
        tiles.append(
            f'<section class="tile"><h2>{name}</h2><strong>{100 * both.value:.2f} %</strong>'
            f'<i style="--part:{100 * both.value:.2f}%"></i>'
            f"<p>{both.solved:.6g} of {count(both.total, unit)} with two attempts</p>"
            f'<p class="note">95 % interval {100 * low:.1f} to {100 * high:.1f} %; '
            f"with the first attempt alone {100 * first.value:.2f} %</p></section>"
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _wall(outcomes: Sequence[Outcome], anchors: Sequence[str]) -> str:
    links = "".join(
        f'<a class="{" ".join(classes(outcome))}" href="#{name}">{_text(outcome.task.id)}</a>'
        for outcome, name in zip(outcomes, anchors, strict=True)
    )
    return (
        '<nav aria-label="tasks"><details open><summary>All tasks at a glance</summary>'
        f'<div class="wall">{links}</div></details></nav>'
    )


def _bar(outcomes: Sequence[Outcome], judged: bool) -> str:
    counted = [name for outcome in outcomes for name in classes(outcome)]
    options: list[tuple[str, str, int | None]] = [("all", "all", len(outcomes))]
    if judged:
        labels = [("solved", "solved"), ("partly", "partly solved"), ("missed", "missed")]
        labels += [(name, f"≤ {limit} wrong cells") for name, limit in NEAR_MISSES.items()]
        options += [(name, label, counted.count(name)) for name, label in labels]
    options.append(("malformed", "malformed or missing", counted.count("malformed")))
    palettes = [(name, name, None) for name in PALETTES]
    switches = [("digits", "digits", False), ("difference", "difference", True)][: 2 if judged else 1]
    return (
        f'<div class="bar"><div>{radios("show", "show", options)}{radios("palette", "palette", palettes)}'
        f"{checkboxes('draw', switches)}{theme_switch()}</div></div>"
    )
