"""arc-solve score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc_solver.commands.completion import sources
from arc_solver.commands.console import refuse_options
from arc_solver.commands.options import AS_JSON

if TYPE_CHECKING:
    from submission.score import Score

EPILOG = "\b\nExample: arc-solve score submission.json --solutions arc-agi_evaluation_solutions.json"


def score(
    submission: Path = typer.Argument(
        ..., help="The submission, a folder of one file per task, or answers to boards."
    ),
    solutions: str = typer.Option(
        ...,
        help="Solutions, tasks with outputs, boards with answers, or a name such as arc1:evaluation.",
        autocompletion=sources,
    ),
    candidates: Path | None = typer.Option(None, help="Candidates (JSON lines) for pass@k."),
    list_tasks: bool = typer.Option(
        False, "--list", help="List the tasks that are solved, partly solved and missed."
    ),
    only_submitted: bool = typer.Option(
        False,
        "--only-submitted",
        help="Score only the tasks that the submission holds, and say so: it is not Kaggle's score.",
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Score a submission by three rules.

    Prints each score with its interval, what was missing or odd, and the hash of the truth.
    """
    from arc_solver.domains.boards.domain import BoardDomain
    from arc_solver.domains.domains import domain_of

    refuse_own_truth(submission, solutions)
    if isinstance(domain_of(str(submission)), BoardDomain):
        refuse_options(
            {"--candidates": candidates, "--list": list_tasks}, f"for tasks; {submission} holds boards"
        )
        if not Path(solutions).exists():
            raise typer.BadParameter(
                f"--solutions {solutions}: no such file; {submission} holds boards and needs a file"
            )
        _score_boards(submission, solutions, only_submitted, as_json)
        return
    result, remarks = _judged(submission, solutions, candidates, only_submitted)
    (_print_json if as_json else _print_text)(result, remarks, solutions, only_submitted)
    if list_tasks and not as_json:
        _print_tasks(result)


def _judged(
    submission: Path, solutions: str, candidates: Path | None, only_submitted: bool
) -> tuple[Score, list[str]]:
    """The score of a submission, and remarks on its form."""
    from arc_solver.prediction.truth import ranked_candidates, read_truth
    from submission.document import is_packed
    from submission.lenient_reader import form_remark, load_answers
    from submission.score import score as judge
    from submission.truth import TruthError

    truth, truth_hash = read_truth(solutions)
    answers = load_answers(submission)
    packed = f"{submission} is gzipped, so `validate` refuses it" if is_packed(submission) else None
    if only_submitted:
        truth = {task_id: grids for task_id, grids in truth.items() if task_id in answers}
        if not truth:
            raise TruthError(
                f"{solutions}: answers no task that {submission} holds, so there is nothing to score"
            )
    result = judge(answers, truth, truth_hash, ranked_candidates(candidates) if candidates else None)
    odd = (form_remark(answers), packed, _copy_remark(answers, result), _other_ids(answers, truth))
    return result, [remark for remark in odd if remark]


def _print_json(result: Score, remarks: list[str], solutions: str, only_submitted: bool) -> None:
    from arc_solver.prediction.truth import by_canvas

    canvases = {
        name: part.to_json()["rules"]["per_output"] for name, part in by_canvas(result, solutions).items()
    }
    more = {"only_submitted": only_submitted, "by_canvas": canvases, "form": remarks}
    typer.echo(json.dumps(result.to_json() | {name: value for name, value in more.items() if value}))


def _print_text(result: Score, remarks: list[str], solutions: str, only_submitted: bool) -> None:
    from arc_solver.prediction.truth import by_canvas
    from submission.messages import count

    if only_submitted:
        held = count(result.num_tasks, "task")
        typer.echo(f"scored: only the {held} in the submission")
    typer.echo(result.table() + "".join(f"{remark}\n" for remark in remarks), nl=False)
    for name, part in by_canvas(result, solutions).items():
        once, twice = part.rate(depth=1).share, part.rate().share
        tasks = count(part.num_tasks, "task")
        typer.echo(f"{name}: {tasks}, outputs solved on the first attempt {once}, in two attempts {twice}")


def _print_tasks(result: Score) -> None:
    from submission.messages import named

    for name, ids in result.tasks().items():
        outcome = "partly solved" if name == "partly" else name
        listed = f" ({len(ids)}): {' '.join(map(named, ids))}" if ids else ": no task"
        typer.echo(f"{outcome}{listed}")


def refuse_own_truth(submission: Path, solutions: str) -> None:
    """A usage error if the truth itself is scored."""
    if Path(solutions).exists() and submission.exists() and submission.samefile(solutions):
        raise typer.BadParameter(f"--solutions {solutions}: this is what is scored; give the right answers")


def refuse_boards(submission: Path) -> None:
    """DataError if the answers to boards stand in the place of a submission."""
    from arc_solver.domains.boards.domain import BoardDomain
    from arc_solver.domains.domains import domain_of
    from arc_solver.storage.text import DataError

    # A pipe can be read once.
    if submission.is_file() and isinstance(domain_of(str(submission)), BoardDomain):
        raise DataError(
            f"{submission}: boards, expected a submission; `arc-solve show` draws boards, `score` scores them"
        )


def _copy_remark(answers: Mapping[str, object], result: Score) -> str | None:
    """A remark that the submission is the truth itself, with one grid per output as in a solutions file."""
    is_solutions = all(
        isinstance(value, list) and not any(isinstance(entry, dict) for entry in value)
        for value in answers.values()
    )
    if is_solutions and len(result.solved_outputs(1)) == result.num_outputs:
        return "one grid for each output, and all of them right: this is a solutions file, not a submission"
    return None


def _other_ids(answers: Mapping[str, object], truth: Mapping[str, object]) -> str | None:
    """A remark that the ids of the submission are mostly not those of the solutions."""
    from arc_solver.storage.text import near
    from submission.messages import named

    others = [task_id for task_id in answers if task_id not in truth]
    num_common = len(answers) - len(others)
    if 2 * num_common >= min(len(answers), len(truth)):
        return None
    hint = near(others[0], truth) or f", which name {named(next(iter(truth)))}"
    few = f"only {num_common}" if num_common else "none"
    which = f"{few} of the {len(answers):,} tasks submitted can" if len(answers) > 1 else "the task cannot"
    return (
        f"{which} be scored: ids must match "
        f"(a task alone in a file is named after it); {named(others[0])} is not in the solutions{hint}"
    )


def _score_boards(answers: Path, solutions: str, only_submitted: bool, as_json: bool) -> None:
    import filecmp

    from arc_solver.domains.boards.board_score import score_boards
    from submission.score import Rate

    result = score_boards(answers, solutions, only_submitted=only_submitted)
    is_copy = Path(solutions).is_file() and filecmp.cmp(answers, solutions, shallow=False)
    remarks = ["these answers are the solutions themselves: the two files are equal"] if is_copy else []
    flags = {"exact": result.exact, "valid": result.valid}
    intervals = {name: Rate(int(each.sum()), len(each)).interval for name, each in flags.items()}
    if as_json:
        more = {"interval": intervals} | ({"form": remarks} if remarks else {})
        typer.echo(json.dumps(result.to_json() | more))
        return
    words = ", ".join(
        f"{name} {100 * low:.1f} to {100 * high:.1f} %" for name, (low, high) in intervals.items()
    )
    remarks.insert(0, f"95 % Wilson intervals: {words}")
    typer.echo(result.table() + "".join(f"{remark}\n" for remark in remarks), nl=False)
