"""Right answers and candidate files, as commands read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from arc_solver.corpus.named_tasks import drawn_tasks
from arc_solver.domains.arc.domain import tasks_of_source
from arc_solver.domains.arc.examples import task_side
from arc_solver.storage.files import sha256_file
from arc_solver.storage.source import exists
from arc_solver.storage.text import DataError
from arc_solver.tasks.arckit_sets import named_tasks
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task, TaskFault
from arc_solver.tasks.truth import carried_truth, truth_hash
from submission.candidates import read_candidates
from submission.document import id_fault
from submission.grid import Grid
from submission.lenient_reader import read_answers
from submission.merge import merge_votes
from submission.score import Score
from submission.support import Support, support
from submission.truth import Truth, TruthError, read_solutions
from submission.vote import Query


def read_truth(source: str) -> tuple[Truth, str]:
    """The outputs per task and a hash of the file, or of the outputs for named sets and folders."""
    path, tasks = Path(source), _tasks_by_name(source)
    if tasks is None and not path.is_dir():
        try:
            return read_solutions(path)
        except TruthError:
            truth = _truth_of_other_layouts(path)
            if not truth:
                raise
            return truth, sha256_file(path)
    truth = carried_truth(tasks_of_source(source) if tasks is None else tasks)
    if not truth:
        raise TruthError(f"{source}: no task there carries all of its outputs")
    return truth, truth_hash(truth)


def _tasks_by_name(source: str) -> list[Task] | None:
    return None if exists(source) else drawn_tasks(source) or named_tasks(source)


def _truth_of_other_layouts(path: Path) -> Truth:
    """The outputs of tasks in a layout that only the reader of tasks knows: a list, splits, other keys."""
    try:
        return carried_truth(read_tasks(path))
    except DataError:
        return {}


def by_canvas(result: Score, source: str) -> dict[str, Score]:
    """The score of the tasks of every canvas side, ascending; empty where `source` holds no test inputs."""
    try:
        tasks = _tasks_by_name(source) or tasks_of_source(source)
    except DataError:  # solutions alone
        return {}
    ids: dict[int, set[str]] = {}
    for task in tasks:
        if task.id in result.ranks:
            ids.setdefault(task_side(task), set()).add(task.id)
    return {f"canvas {side}": result.of_tasks(ids[side]) for side in sorted(ids)}


def ranked_candidates(path: Path) -> dict[Query, list[Grid]]:
    """The grids of a candidate file per query, best first; CandidateError if it breaks the schema."""
    return merge_votes(read_candidates(path))


def attempt_support(
    path: Path, submission: object, num_outputs: Mapping[str, int]
) -> dict[Query, list[Support | None]]:
    """The support of every attempt of a submission by the candidates of a file; None for malformed ones."""
    rankings, _ = read_answers(submission, num_outputs)
    attempts = {
        Query(task_id, index): ranking
        for task_id, outputs in rankings.items()
        for index, ranking in enumerate(outputs)
    }
    return support(read_candidates(path), attempts)


def owed_outputs(tasks: Sequence[Task], faults: Mapping[str, TaskFault]) -> dict[str, int]:
    """The number of test inputs that a submission owes per task id, faulty tasks last.

    A fault whose id a submission may not hold (empty, too long, control characters) is left out.
    """
    owed = {task.id: len(task.test) for task in tasks}
    return owed | {fault.id: fault.num_tests for fault in faults.values() if id_fault(fault.id) is None}
