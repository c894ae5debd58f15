"""Damaged candidates, solutions and submissions, each against a check written from the docs alone.

ARC_SOLVER_FUZZ_COUNT sets how many of each are tried, up to 10,000; ARC_SOLVER_FUZZ_SEED the first seed.
"""

import gzip
import json
import math
import os
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from submission.candidates import CandidateError, read_candidates
from submission.kaggle_json import SubmissionError
from submission.lenient_reader import load_answers
from submission.score import score
from submission.truth import TruthError, read_solutions
from submission.validation import validate
from tests.fuzz.damage import damage_text, damaged, hangs_are_seen, outcome
from tests.fuzz.hostile import is_id
from tests.tally import count, record

COUNT = min(count("FUZZ", 300), 10_000)
SEED = int(os.environ.get("ARC_SOLVER_FUZZ_SEED", "1"))
OWED = {"a": 1, "b": 3}


class RefusedError(Exception):
    pass


class Object(dict[str, Any]):
    """An object of JSON that remembers whether a key came twice."""

    twice = False


def demand(condition: object) -> None:
    if not condition:
        raise RefusedError


def unpacked(data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedError from error


def parsed(data: bytes) -> Any:
    def collected(pairs: list[tuple[str, Any]]) -> Object:
        found = Object(pairs)
        found.twice = len(found) < len(pairs)
        return found

    def whole(text: str) -> int | float:
        return int(text) if len(text) < 400 else math.inf

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=collected, parse_int=whole)
    except (ValueError, RecursionError) as error:
        raise RefusedError from error


def judge_grid(grid: Any) -> list[list[int]]:
    demand(type(grid) is list and 1 <= len(grid) <= 30)
    for row in grid:
        demand(type(row) is list and len(row) == len(grid[0]) and 1 <= len(row) <= 30)
        demand(all(type(cell) is int and cell in range(10) for cell in row))
    return grid


def judged_candidates(data: bytes, stem: str) -> list[tuple[Any, ...]]:
    found = []
    for line in unpacked(data).split(b"\n"):
        if not line.strip():
            continue
        demand(len(line) < 1 << 16)
        value = parsed(line.strip())
        demand(isinstance(value, Object) and not value.twice and {"task", "index", "grid"} <= set(value))
        source = value.get("source", stem)
        for text in (value["task"], source):
            demand(type(text) is str and is_id(text))
        demand(type(value["index"]) is int and 0 <= value["index"] <= 10_000)
        weight = value.get("weight", 1)
        demand(type(weight) in (int, float) and 0 < weight < 1e308)
        votes, views, sure = (value.get(name, 0) for name in ("votes", "views", "confidence"))
        demand(all(type(number) is int and 0 <= number <= 2**53 for number in (votes, views)))
        demand("votes" not in value or "views" not in value or votes <= views)
        demand(type(sure) in (int, float) and 0 <= sure <= 1)
        told = tuple(value.get(name) for name in ("votes", "confidence", "views"))
        found.append((value["task"], value["index"], judge_grid(value["grid"]), float(weight), source, *told))
    return found


def judged_solutions(data: bytes, stem: str) -> dict[str, Any]:
    value = parsed(unpacked(data))
    demand(isinstance(value, Object) and value and not value.twice)
    lists = [value.get(name) for name in ("train", "test")]
    if all(type(each) is list for each in lists) and all(isinstance(pair, dict) for pair in lists[1]):
        value = {stem: value}
    truth = {}
    for task_id, solution in value.items():
        demand(is_id(task_id))
        if isinstance(solution, Object):
            demand(not solution.twice and type(solution.get("test")) is list)
            demand(all(isinstance(pair, Object) and not pair.twice for pair in solution["test"]))
            solution = [pair.get("output") for pair in solution["test"]]
        demand(type(solution) is list and solution)
        truth[task_id] = [judge_grid(grid) for grid in solution]
    return truth


def judge_submission(data: bytes) -> None:
    value = parsed(data)
    demand(isinstance(value, Object) and not value.twice and set(value) == set(OWED))
    for task_id, num in OWED.items():
        demand(type(value[task_id]) is list and len(value[task_id]) == num)
        for entry in value[task_id]:
            demand(isinstance(entry, Object) and not entry.twice)
            demand(set(entry) == {"attempt_1", "attempt_2"})
            for grid in entry.values():
                judge_grid(grid)


def grid_of(rng: random.Random) -> list[list[int]]:
    height, width = rng.choice([(1, 1), (1, 3), (2, 2), (30, 1), (1, 30)])
    return [[rng.randrange(10) for _ in range(width)] for _ in range(height)]


def candidates_of(rng: random.Random) -> bytes:
    lines = []
    for _ in range(rng.randint(1, 3)):
        line = {
            "task": rng.choice(["a", "b", "ü"]),
            "index": rng.randrange(3),
            "grid": grid_of(rng),
            "weight": rng.choice([1, 0.25, 17, 1e300, 10**25]),
            "source": "s",
        }
        if rng.random() < 0.5:
            line |= {
                "votes": rng.choice([0, 1, 2**53]),
                "confidence": rng.choice([0, 1, 0.5]),
                "views": 2**53,
            }
        lines.append(damaged(rng, line) if rng.random() < 0.5 else json.dumps(line).encode())
    data = b"\n".join(lines)
    data = gzip.compress(data, mtime=0) if rng.random() < 0.1 else data
    return damage_text(rng, data) if rng.random() < 0.1 else data


def solutions_of(rng: random.Random) -> bytes:
    outputs = {task_id: [grid_of(rng) for _ in range(num)] for task_id, num in OWED.items()}
    tasks = {
        task_id: {"train": [], "test": [{"input": grid_of(rng), "output": grid} for grid in grids]}
        for task_id, grids in outputs.items()
    }
    called = {"train": outputs["a"], "test": outputs["b"]}
    return damaged(rng, rng.choice([outputs, tasks, tasks["b"], called]))


def submission_of(rng: random.Random) -> bytes:
    value = {
        task_id: [{"attempt_1": grid_of(rng), "attempt_2": grid_of(rng)} for _ in range(num)]
        for task_id, num in OWED.items()
    }
    return damaged(rng, value) if rng.random() < 0.7 else json.dumps(value).encode()


def verdict(judge: Callable[[], Any]) -> Any:
    """What an independent check makes of a file, or None."""
    try:
        return judge()
    except RefusedError:
        return None


def compare(
    path: Path,
    make: Callable[[random.Random], bytes],
    read: Callable[[], Any],
    judge: Callable[[bytes], Any],
    error: type[Exception],
) -> None:
    """Read and judge COUNT damaged files; both verdicts must be common, or the comparison says little."""
    num_accepted = 0
    for seed in range(SEED, SEED + COUNT):
        data = make(random.Random(seed))
        path.write_bytes(data)
        where = f"ARC_SOLVER_FUZZ_SEED={seed}"
        wanted = verdict(lambda data=data: judge(data))
        with hangs_are_seen():
            found, line = outcome(read, error)
        assert found == wanted, f"{where}: {line or 'accepted'}: {data[:2000]!r}"
        assert line.isprintable(), where
        assert not line or line.startswith(str(path)), f"{where}: {line}"
        num_accepted += wanted is not None
    record(12, f"damaged {path.stem}", COUNT, COUNT)
    assert 0.1 < num_accepted / COUNT < 0.9, f"{num_accepted} of {COUNT} accepted"


def test_damaged_candidates(tmp_path: Path) -> None:
    path = tmp_path / "candidates.jsonl"

    def read() -> list[tuple[Any, ...]]:
        return [
            (
                *(each.query.task_id, each.query.index, each.grid.tolist(), each.weight, each.source),
                *(each.votes, each.confidence, each.views),
            )
            for each in read_candidates(path)
        ]

    compare(path, candidates_of, read, lambda data: judged_candidates(data, path.stem), CandidateError)


def test_damaged_solutions(tmp_path: Path) -> None:
    path = tmp_path / "solutions.json"

    def read() -> dict[str, Any]:
        truth, _ = read_solutions(path)
        return {task_id: [grid.tolist() for grid in grids] for task_id, grids in truth.items()}

    compare(path, solutions_of, read, lambda data: judged_solutions(data, path.stem), TruthError)


def test_damaged_submissions() -> None:
    truth = {task_id: [[[1]]] * num for task_id, num in OWED.items()}
    num_valid = 0
    for seed in range(SEED, SEED + COUNT):
        data = submission_of(random.Random(seed))
        where = f"ARC_SOLVER_FUZZ_SEED={seed}: {data[:2000]!r}"
        wanted = verdict(lambda data=data: (judge_submission(data), True))
        with hangs_are_seen():
            defects = [str(defect) for defect in validate(data, OWED)]
            scored, line = outcome(
                lambda data=data: score(load_answers(data), truth, "").table(), SubmissionError
            )
        assert bool(defects) == (wanted is None), where
        texts = [*defects, line, *(scored or "").splitlines()]
        assert all(text.isascii() and text.isprintable() for text in texts), where
        assert scored or defects, where
        num_valid += not defects
    record(17, "damaged submissions", COUNT, COUNT)
    assert 0.1 < num_valid / COUNT < 0.9, f"{num_valid} of {COUNT} valid"
