"""The answers in a foreign submission, read leniently: nothing is refused, everything odd is named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from submission.document import (
    BYTE_ORDER_MARK,
    DocumentError,
    OversizeError,
    parse,
    read_bytes,
    repeated_keys,
)
from submission.grid import MAX_SIDE, EmptyGridError, Grid, GridError, check_grid
from submission.kaggle_json import SubmissionError
from submission.messages import clean, count, describe, quote
from submission.validation import ATTEMPTS

_ATTEMPT = re.compile(r"attempt_([1-9][0-9]{0,2})", re.ASCII)
NUM_ATTEMPTS = len(ATTEMPTS)
_SHOWN_PLACES = 3
_MAX_TESTS = 100


@dataclass
class Remarks:
    """What was odd about a submission; places are texts such as `task "a" test 0 attempt_1`."""

    missing_tasks: list[str] = field(default_factory=list)
    extra_tasks: list[str] = field(default_factory=list)
    missing_outputs: list[str] = field(default_factory=list)
    extra_outputs: list[str] = field(default_factory=list)
    missing_attempts: list[str] = field(default_factory=list)
    empty_attempts: list[str] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    surplus_attempts: list[str] = field(default_factory=list)
    bare_tasks: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, list[str]]:
        """Every list under its name, with clean strings."""
        return {name: [clean(place) for place in places] for name, places in vars(self).items()}

    def lines(self) -> list[str]:
        """One printable line per kind of oddity that occurred, with the first places."""
        kinds = [
            (self.missing_tasks, "missing task", " (counted as wrong)"),
            (self.extra_tasks, "extra task", " (not in the truth, ignored)"),
            (self.missing_outputs, "missing output", " (counted as wrong)"),
            (self.extra_outputs, "overlong task", " (what the truth does not ask for is ignored)"),
            (self.missing_attempts, "missing attempt", ""),
            (self.empty_attempts, "empty attempt", " (counted as wrong)"),
            (self.malformed, "malformed place", ""),
            (
                self.surplus_attempts,
                "output",
                " with attempts beyond the second (those count for pass@k only)",
            ),
            (
                self.bare_tasks,
                "task",
                " whose entry is not in a list (read as its only one; not Kaggle's form)",
            ),
        ]
        filled = [kind for kind in kinds if kind[0]]
        return [f"{count(len(places), noun)}{note}: {_first(places)}" for places, noun, note in filled]


Ranking = list[Grid | None]


def load_answers(source: bytes | Path) -> Mapping[str, object]:
    """The JSON object of a submission file, or of a folder with one list of attempts per task (`<id>.json`).

    DocumentError if the file cannot be read or is too large, SubmissionError if it holds no object or begins
    with a byte order mark, which JSON readers refuse.
    """
    if isinstance(source, Path) and source.is_dir():
        return _load_folder(source)
    name = str(source) if isinstance(source, Path) else "submission"
    value = _load(source, name)
    if not isinstance(value, Mapping):
        raise SubmissionError(f"{name}: {describe(value)}, expected an object of task ids")
    return value


def _load(source: bytes | Path, name: str) -> object:
    data = read_bytes(source) if isinstance(source, Path) else source
    if data.startswith(BYTE_ORDER_MARK):
        raise SubmissionError(f"{name}: starts with a byte order mark; save it as UTF-8 without one")
    try:
        return parse(data)
    except OversizeError as error:
        raise OversizeError(f"{name}: {error}") from error
    except DocumentError as error:
        raise SubmissionError(f"{name}: {error}") from error


def _load_folder(folder: Path) -> dict[str, object]:
    """The attempts per task, as arc-agi-benchmarking writes them; other files are skipped."""
    found: dict[str, object] = {}
    for path in sorted(folder.glob("*.json")):
        value = _load(path, str(path))
        if isinstance(value, list) and value and all(map(_holds_attempts, value)):
            found[path.name.removesuffix(".json")] = _in_order(value)
    if not found:
        inner = next((path.name for path in sorted(folder.iterdir()) if path.is_dir()), None)
        remedy = f"; is it {inner}?" if inner else ""
        raise SubmissionError(f"{folder}: no lists of attempts (<task id>.json) in this folder{remedy}")
    return found


def _holds_attempts(entry: object) -> bool:
    return isinstance(entry, Mapping) and any(map(_ATTEMPT.fullmatch, map(str, entry)))


def _in_order(entries: list[Any]) -> list[Any]:
    """The entries by their test input, if each names a different one, with empty entries in the gaps."""
    numbers = [number for number in map(_pair_index, entries) if number is not None]
    if len(numbers) < len(entries) or len(set(numbers)) < len(numbers) or max(numbers) >= _MAX_TESTS:
        return entries
    placed = dict(zip(numbers, entries, strict=True))
    return [placed.get(number, {}) for number in range(max(numbers) + 1)]


def _pair_index(entry: Mapping[str, object]) -> int | None:
    for attempt in entry.values():
        facts = attempt.get("metadata") if isinstance(attempt, Mapping) else None
        number = facts.get("pair_index") if isinstance(facts, Mapping) else None
        if type(number) is int and number >= 0:
            return number
    return None


def read_answers(
    submission: object, num_outputs: Mapping[str, int]
) -> tuple[dict[str, list[Ranking]], Remarks]:
    """The ranked guesses for each output of every task of the truth, None for what is not a grid.

    Besides Kaggle's own form this takes a list of attempts or one grid per output, attempts that are objects
    with an "answer", `attempt_3` and beyond, and a task whose only entry is not in a list.
    """
    remarks = Remarks()
    if not isinstance(submission, Mapping):
        remarks.malformed.append(f"the submission: {describe(submission)}, expected an object of task ids")
        submission = {}
    remarks.malformed += [f"task {quote(key)}: comes more than once" for key in repeated_keys(submission)]
    remarks.extra_tasks += [str(task_id) for task_id in submission if task_id not in num_outputs]
    answers: dict[str, list[Ranking]] = {}
    for task_id, num in num_outputs.items():
        if task_id not in submission:
            remarks.missing_tasks.append(task_id)
            answers[task_id] = [[] for _ in range(num)]
        else:
            answers[task_id] = _read_task(task_id, submission[task_id], num, remarks)
    return answers, remarks


def form_remark(submission: Mapping[str, object]) -> str | None:
    """One line about where a submission is in another form than Kaggle's; None if it is in that form."""
    places = [
        f"task {quote(str(task_id))}" for task_id, value in submission.items() if not _is_kaggles(value)
    ]
    if not places:
        return None
    return f"{count(len(places), 'task')} not in Kaggle's form, so `validate` refuses it: {_first(places)}"


def _is_kaggles(value: object) -> bool:
    """Whether a value is a list of objects whose attempts are not objects, whatever else is wrong with it."""
    return isinstance(value, list) and all(
        isinstance(entry, Mapping) and not any(isinstance(attempt, Mapping) for attempt in entry.values())
        for entry in value
    )


def _read_task(task_id: str, value: object, num: int, remarks: Remarks) -> list[Ranking]:
    place = f"task {quote(task_id)}"
    if isinstance(value, Mapping) or (num == 1 and _levels(value) == 2 and not _holds_objects(value)):
        remarks.bare_tasks.append(place)
        entries = [value]
    elif isinstance(value, list):
        entries = value
    else:
        remarks.malformed.append(f"{place}: {describe(value)}, expected a list with one entry per test")
        entries = []
    if len(entries) < num:
        remarks.missing_outputs += [f"{place} test {index}" for index in range(len(entries), num)]
    if len(entries) > num:
        found = count(len(entries), "entry", "entries")
        remarks.extra_outputs.append(f"{place}: {found} for {count(num, 'output')}")
    rankings = [_read_entry(f"{place} test {i}", entry, remarks) for i, entry in enumerate(entries[:num])]
    return rankings + [[] for _ in range(num - len(rankings))]


def _read_entry(place: str, entry: object, remarks: Remarks) -> Ranking:
    if isinstance(entry, Mapping):
        attempts = _numbered(place, entry, remarks)
    elif isinstance(entry, list) and _levels(entry) >= 3:
        attempts = dict(enumerate(entry, start=1))
    elif isinstance(entry, list | np.ndarray):
        attempts = {1: entry}
    else:
        remarks.malformed.append(f"{place}: {describe(entry)}, expected an object with attempts")
        attempts = {}
    if max(attempts, default=0) > NUM_ATTEMPTS:
        remarks.surplus_attempts.append(place)
    ranking: Ranking = [None] * max(attempts, default=0)
    for number, value in attempts.items():
        try:
            ranking[number - 1] = check_grid(value)
        except EmptyGridError:
            remarks.empty_attempts.append(f"{place} attempt_{number}")
        except GridError as error:
            remarks.malformed.append(f"{place} attempt_{number}: {error}")
    return ranking


def _numbered(place: str, entry: Mapping[str, object], remarks: Remarks) -> dict[int, object]:
    remarks.malformed += [f"{place}: key {quote(key)} comes more than once" for key in repeated_keys(entry)]
    attempts = {}
    for key, value in entry.items():
        match = _ATTEMPT.fullmatch(key) if isinstance(key, str) else None
        if match is None:
            remarks.malformed.append(f"{place}: unexpected key {quote(str(key))}")
        else:
            attempts[int(match[1])] = _answer_in(value)
    remarks.missing_attempts += [
        f"{place} attempt_{number}" for number in range(1, NUM_ATTEMPTS + 1) if number not in attempts
    ]
    return attempts


def _answer_in(value: object) -> object:
    """The grid in an attempt that is an object with an "answer"; an empty list if that is not a list."""
    if not (isinstance(value, Mapping) and "answer" in value):
        return value
    return value["answer"] if isinstance(value["answer"], list) else []


def _first(places: list[str]) -> str:
    texts = [place if place.startswith(("task ", "the submission")) else quote(place) for place in places]
    more = f" and {len(texts) - _SHOWN_PLACES} more" if len(texts) > _SHOWN_PLACES else ""
    return ", ".join(texts[:_SHOWN_PLACES]) + more


def _levels(value: object, limit: int = 3) -> int:
    """How deep lists are nested in the first items of `value`, counted up to `limit`."""
    if not isinstance(value, list) or limit == 0:
        return 0
    return 1 + max((_levels(item, limit - 1) for item in value[:MAX_SIDE]), default=0)


def _holds_objects(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value[:MAX_SIDE])
