"""The Kaggle file: what is owed, a submission that is complete by construction, and its bytes."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import orjson

from submission.grid import Grid, GridError, blank_grid, check_grid, same_grid
from submission.messages import count, quote
from submission.validation import ATTEMPTS, validate_value
from submission.vote import Query

Submission = dict[str, list[dict[str, Grid]]]
_SHOWN_DEFECTS = 3


class SubmissionError(ValueError):
    """The submission may not be written or read: incomplete, malformed, or not JSON at all."""

    exit_code = 4


def count_tests(challenges: Mapping[str, object] | Iterable[tuple[str, int]]) -> dict[str, int]:
    """Test inputs per task id, in order, of a challenges object, of id -> number, or of (id, number) pairs.

    A task without a proper list of tests has none, and its entry is empty.
    """
    pairs = list(challenges.items() if isinstance(challenges, Mapping) else challenges)
    counts = {task_id: _num_tests(value) for task_id, value in pairs}
    if len(counts) != len(pairs):
        raise SubmissionError("a task id came twice, expected distinct ids")
    return counts


def expected_queries(challenges: Mapping[str, object] | Iterable[tuple[str, int]]) -> list[Query]:
    """Every test input that is owed two attempts, in the order of the challenges."""
    return [Query(task_id, index) for task_id, num in count_tests(challenges).items() for index in range(num)]


def build_submission(num_tests: Mapping[str, int], attempts: Mapping[Query, Sequence[Grid]]) -> Submission:
    """Every id of `num_tests` in order with both attempts of every output; `[[0]]` where there is no guess.

    The first two distinct grids of each query are taken, so attempts differ whenever two candidates exist.
    SubmissionError for a query that is not owed, or for a value that is not a grid.
    """
    submission = {
        task_id: [_entry(Query(task_id, index), attempts) for index in range(num)]
        for task_id, num in num_tests.items()
    }
    for query in attempts:
        if not 0 <= query.index < num_tests.get(query.task_id, 0):
            place = f"task {quote(query.task_id)} test {query.index}"
            raise SubmissionError(f"attempts for {place}, which the challenges do not ask for")
    return submission


def dump_submission(submission: Submission) -> bytes:
    """The submission as one line of JSON; SubmissionError if it holds anything that may not be written."""
    defects = validate_value(submission, None)
    if defects:
        shown = "; ".join(map(str, defects[:_SHOWN_DEFECTS]))
        more = f"; and {len(defects) - _SHOWN_DEFECTS} more" if len(defects) > _SHOWN_DEFECTS else ""
        raise SubmissionError(f"submission: {count(len(defects), 'defect')}: {shown}{more}")
    # The grids are checked; orjson wants contiguous ones, and would take other integer types than uint8.
    plain = {
        task_id: [
            {name: np.ascontiguousarray(grid, np.uint8) for name, grid in entry.items()} for entry in entries
        ]
        for task_id, entries in submission.items()
    }
    return orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _num_tests(value: object) -> int:
    if isinstance(value, Mapping):
        tests = value.get("test")
        return len(tests) if isinstance(tests, Sequence) and not isinstance(tests, str) else 0
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return 0


def _entry(query: Query, attempts: Mapping[Query, Sequence[Grid]]) -> dict[str, Grid]:
    chosen: list[Grid] = []
    for guess in attempts.get(query, ()):
        try:
            grid = check_grid(guess)
        except GridError as error:
            place = f"task {quote(query.task_id)} test {query.index}"
            raise SubmissionError(f"{place}: a guess is no grid: {error}") from error
        if not any(same_grid(grid, other) for other in chosen):
            chosen.append(grid)
        if len(chosen) == len(ATTEMPTS):
            break
    chosen += [blank_grid() for _ in ATTEMPTS[len(chosen) :]]
    return dict(zip(ATTEMPTS, chosen, strict=True))
