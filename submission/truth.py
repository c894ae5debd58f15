"""The right answers: `{id: [grid, ...]}` from a solutions file, or from tasks that hold their outputs."""

import hashlib
from pathlib import Path
from typing import Any

from submission.document import DocumentError, parse, read_bytes, repeated_keys, require_id
from submission.grid import Grid, GridError, check_grid
from submission.messages import describe, quote

Truth = dict[str, list[Grid]]


class TruthError(ValueError):
    """The file cannot serve as the truth; the text names file, task and place."""

    exit_code = 3


def read_solutions(path: Path) -> tuple[Truth, str]:
    """The outputs per task and the SHA-256 of the (unpacked) content, else TruthError.

    Takes `{id: [grid, ...]}`, `{id: {"test": [{"output": grid}, ...]}}`, or one task, named after its file.
    """
    try:
        data = read_bytes(path)
    except DocumentError as error:
        raise TruthError(str(error)) from error
    try:
        return parse_solutions(parse(data), path.name.split(".")[0]), hashlib.sha256(data).hexdigest()
    except (DocumentError, TruthError) as error:
        raise TruthError(f"{path}: {error}") from error


def parse_solutions(value: Any, own_id: str) -> Truth:
    """The truth in a parsed solutions or challenges file; `own_id` is the id of a file of one task."""
    if not isinstance(value, dict) or not value:
        raise TruthError(f"{describe(value)}, expected a filled object of task ids")
    if repeated_keys(value):
        raise TruthError(f"task {quote(repeated_keys(value)[0])} comes more than once")
    if _is_task(value):
        value = {own_id: value}
    truth: Truth = {}
    for task_id, solution in value.items():
        require_id(task_id, "task id")
        truth[task_id] = _outputs(task_id, solution)
    return truth


def _is_task(value: dict[str, Any]) -> bool:
    """Whether the object is one task, and not the outputs of tasks with the ids "train" and "test"."""
    tests = value.get("test")
    return (
        isinstance(value.get("train"), list)
        and isinstance(tests, list)
        and all(isinstance(pair, dict) for pair in tests)
    )


def _outputs(task_id: str, solution: object) -> list[Grid]:
    place = f"task {quote(task_id)}"
    outputs = _test_outputs(place, solution) if isinstance(solution, dict) else solution
    if not isinstance(outputs, list) or not outputs:
        raise TruthError(f"{place}: {describe(outputs)} without outputs, expected a list of grids")
    grids = []
    for index, output in enumerate(outputs):
        try:
            grids.append(check_grid(output))
        except GridError as error:
            raise TruthError(f"{place} test {index}: {error}") from error
    return grids


def _test_outputs(place: str, task: dict[str, Any]) -> list[object]:
    if repeated_keys(task):
        raise TruthError(f"{place}: key {quote(repeated_keys(task)[0])} comes more than once")
    tests = task.get("test")
    if not isinstance(tests, list):
        raise TruthError(f'{place}: "test" is {describe(tests)}, expected a list of pairs')
    for index, pair in enumerate(tests):
        if not isinstance(pair, dict) or pair.get("output") in (None, []):
            raise TruthError(
                f"{place} test {index}: no output here, so pass the solutions file; "
                "without answers nothing is scored"
            )
        if repeated_keys(pair):
            raise TruthError(
                f"{place} test {index}: key {quote(repeated_keys(pair)[0])} comes more than once"
            )
    return [pair["output"] for pair in tests]
