"""Candidate files: one JSON line per guess of any solver, the common currency of merging."""

import gzip
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

import orjson

from submission.document import DocumentError, OversizeError, opened, parse, repeated_keys, require_id
from submission.grid import Grid, GridError, blank_grid, check_grid, same_grid
from submission.kaggle_json import SubmissionError
from submission.lenient_reader import load_answers, read_answers
from submission.messages import describe, quote
from submission.vote import Query, Tally

MAX_LINE_BYTES = 64 << 10
MAX_FILE_BYTES = 2 << 30
MAX_CANDIDATES = 1_500_000
# A gzip file may unpack to FREE_BYTES, or to MAX_RATIO times its own size.
FREE_BYTES, MAX_RATIO = 1 << 24, 100
# Blank lines count: gzipped, a file of nothing else is tiny.
MAX_LINES = 5_000_000
_HEAD_BYTES = 1000  # of a long first line, within which a candidate would name its task
MAX_INDEX = 10_000
MAX_COUNT = 1 << 53
# What a line may hold besides.
OPTIONAL = ("votes", "confidence", "views")


class CandidateError(ValueError):
    """A candidate file breaks the schema; the text names file and line."""

    exit_code = 3


@dataclass(frozen=True, eq=False)
class Candidate:
    """One solver's guess for one output; weights compare only within one source and query.

    Optionally: the ballots for this grid, their mean confidence (0..1), and how many views of the output the
    solver answered, those without a grid included.
    """

    query: Query
    grid: Grid
    weight: float
    source: str
    votes: int | None = None
    confidence: float | None = None
    views: int | None = None


def from_tallies(
    query: Query, tallies: Iterable[Tally], source: str, views: int | None = None
) -> list[Candidate]:
    """The candidates of an election over `views` views, with their weights."""
    return [
        Candidate(query, tally.grid, tally.weight, source, tally.votes, tally.confidence, views)
        for tally in tallies
    ]


def write_candidates(candidates: Iterable[Candidate]) -> Iterator[bytes]:
    """One line of JSON per candidate, ready for the file writer."""
    for candidate in candidates:
        line = {
            "task": candidate.query.task_id,
            "index": candidate.query.index,
            "grid": check_grid(candidate.grid),
            "weight": candidate.weight,
            "source": candidate.source,
        }
        line |= {name: value for name in OPTIONAL if (value := getattr(candidate, name)) is not None}
        yield orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def read_candidates(path: Path, source: str | None = None) -> list[Candidate]:
    """All candidates of a file, plain or gzip, or the attempts of a submission; else CandidateError.

    A line without a source gets `source`, by default the file's name up to its first dot.
    """
    name = (path.name.split(".")[0] or path.name) if source is None else source
    try:
        with opened(path) as file:
            head = file.readline(MAX_LINE_BYTES + 1)
            if _begins_a_submission(head):
                return _of_submission(load_answers(path), name)
            return _read_lines(chain([head], _lines(file, path)), name)
    except CandidateError as error:
        raise CandidateError(f"{path} {error}") from error
    except (DocumentError, SubmissionError) as error:
        raise CandidateError(str(error)) from error


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The lines left, long ones in pieces; OversizeError if they unpack to far more than the file."""
    packed = file.fileobj if isinstance(file, gzip.GzipFile) else None
    size = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        size += len(line)
        if size > FREE_BYTES and packed and packed.seekable() and size > MAX_RATIO * packed.tell():
            raise OversizeError(f"{path}: unpacks to over {MAX_RATIO} times its size; is it damaged?")
        yield line


def keep_owed(candidates: Iterable[Candidate], queries: Iterable[Query]) -> tuple[list[Candidate], int]:
    """The candidates for these queries, and how many were left out."""
    owed = set(queries)
    everything = list(candidates)
    kept = [candidate for candidate in everything if candidate.query in owed]
    return kept, len(everything) - len(kept)


def _begins_a_submission(head: bytes) -> bool:
    """Whether a file with this first line is an object over several lines, or one of lists by id."""
    if not head.lstrip().startswith(b"{"):
        return False
    if len(head) > MAX_LINE_BYTES:
        return b'"task"' not in head[:_HEAD_BYTES]
    try:
        value = parse(head)
    except DocumentError:
        return head.strip() == b"{" or head.rstrip().endswith((b"[", b"{", b","))
    return isinstance(value, dict) and bool(value) and all(isinstance(v, list) for v in value.values())


def _of_submission(answers: Mapping[str, object], source: str) -> list[Candidate]:
    """The attempts as candidates, the first weighing more, without malformed and blank ones."""
    lengths = {task_id: len(value) if isinstance(value, list) else 1 for task_id, value in answers.items()}
    for task_id in answers:
        require_id(task_id, "task id")
    rankings, _ = read_answers(answers, lengths)
    return [
        Candidate(Query(task_id, index), grid, 1 / rank, source)
        for task_id, outputs in rankings.items()
        for index, guesses in enumerate(outputs)
        for rank, grid in enumerate(guesses, 1)
        if grid is not None and not same_grid(grid, blank_grid())
    ]


def _read_lines(lines: Iterable[bytes], source: str) -> list[Candidate]:
    candidates: list[Candidate] = []
    total = 0
    for number, line in enumerate(lines, start=1):
        total += len(line)
        try:
            if number > MAX_LINES:
                raise CandidateError(f"over {MAX_LINES} lines, blank ones included; leave those out")
            _check_size(len(line), total, len(candidates))
            if line.strip():
                candidates.append(_candidate(line.strip(), source))
        except (CandidateError, DocumentError, GridError) as error:
            raise CandidateError(f"line {number}: {error}") from error
    return candidates


def _check_size(line: int, total: int, num_candidates: int) -> None:
    if line > MAX_LINE_BYTES:
        raise CandidateError(f"over {MAX_LINE_BYTES} bytes, expected one candidate a line")
    if total > MAX_FILE_BYTES or num_candidates > MAX_CANDIDATES:
        limits = f"{MAX_CANDIDATES} candidates or {MAX_FILE_BYTES} bytes"
        raise CandidateError(f"the file holds over {limits}, keep the best of each output")


def _candidate(line: bytes, source: str) -> Candidate:
    value = parse(line)
    if not isinstance(value, dict):
        raise CandidateError(f'{describe(value)}, expected {{"task": ..., "index": ..., "grid": ...}}')
    if repeated_keys(value):
        raise CandidateError(f"key {quote(repeated_keys(value)[0])} comes more than once")
    for key in ("task", "index", "grid"):
        if key not in value:
            raise CandidateError(f'no "{key}", expected "task", "index" and "grid" in every line')
    votes, views = (_count(name, value[name]) if name in value else None for name in ("votes", "views"))
    if votes is not None and views is not None and votes > views:
        raise CandidateError(f'"votes" is {votes} of {views} "views", expected at most one vote a view')
    return Candidate(
        Query(_text(value, "task", ""), _count("index", value["index"], MAX_INDEX)),
        check_grid(value["grid"]),
        _weight(value.get("weight", 1.0)),
        _text(value, "source", source),
        votes,
        _confidence(value["confidence"]) if "confidence" in value else None,
        views,
    )


def _text(value: dict[str, Any], key: str, default: str) -> str:
    text = value.get(key, default)
    if not isinstance(text, str):
        raise CandidateError(f'"{key}" is {describe(text)}, expected a string')
    require_id(text, f'"{key}"')
    return text


def _count(name: str, value: object, most: int = MAX_COUNT) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise CandidateError(f'"{name}" is {describe(value)}, expected an integer from 0 to {most}')
    return value


def _confidence(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= cast(float, value) <= 1:
        raise CandidateError(f'"confidence" is {describe(value)}, expected a number from 0 to 1')
    return float(cast(float, value))


def _weight(value: object) -> float:
    if type(value) not in (int, float):
        raise CandidateError(f'"weight" is {describe(value)}, expected a number')
    try:
        weight = float(cast(float, value))
    except OverflowError:
        weight = math.inf if cast(int, value) > 0 else -math.inf
    if not math.isfinite(weight) or weight <= 0:
        raise CandidateError(f'"weight" is {weight}, expected a finite number above 0')
    return weight
