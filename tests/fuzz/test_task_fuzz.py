"""Damaged task files: never a traceback, never a wrong acceptance or refusal, against an independent check.

ARC_SOLVER_FUZZ_COUNT sets how many files are tried, ARC_SOLVER_FUZZ_SEED the first seed.
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

import pytest

from arc_solver.storage.text import DataError
from arc_solver.tasks.reader import read_tasks, read_tasks_softly
from arc_solver.tasks.task import Pair, Task
from tests.fuzz.damage import damaged, hangs_are_seen, outcome
from tests.tally import count, record

COUNT = count("FUZZ", 600)
SEED = int(os.environ.get("ARC_SOLVER_FUZZ_SEED", "1"))
Content = dict[str, tuple[list[Any], list[Any]]]

# The independent check: slow, plain Python, written from the description of the format alone.


class RefusedError(Exception):
    pass


def demand(condition: object) -> None:
    if not condition:
        raise RefusedError


def judged(data: bytes, stem: str) -> Content:
    """What the file holds as {id: (train, test)}, or RefusedError."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise RefusedError from error
    demand(not data.startswith(b"\xef\xbb\xbf"))
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=judged_object,
            parse_constant=lambda _: demand(False),
            parse_int=judged_integer,
        )
    except (ValueError, RecursionError) as error:
        raise RefusedError from error
    judge_values(value, 1)
    found: Content = {}
    for key, task in judged_tasks(value, stem):
        demand(found.setdefault(key, task) == task)
    return found


def judged_tasks(value: Any, stem: str) -> list[tuple[str, tuple[list[Any], list[Any]]]]:
    """The tasks of a list, of an object, of the splits of an object; what is no task is passed over."""
    if isinstance(value, list):
        if not lists_tasks(value):
            return [(stem, (judged_pairs(value, True), []))]
        named = [
            (
                next(
                    (each[key] for key in ("id", "name", "task_id") if type(each.get(key)) is str),
                    f"{stem}-{n}",
                ),
                each,
            )
            for n, each in enumerate(value)
            if is_task_like(each)
        ]
        return [(judged_id(name), judged_task(each)) for name, each in named]
    demand(isinstance(value, dict) and value)
    alone = has_both_lists(value) or not any(map(is_task_like, value.values()))
    if is_task_like(value) and not has_splits(value) and alone:
        return [(judged_id(stem), judged_task(value))]
    found = []
    for key, each in value.items():
        if is_task_like(each) and not has_splits(each):
            found.append((judged_id(key), judged_task(each)))
        elif lists_tasks(each) or (isinstance(each, dict) and holds_tasks(each)):
            found += judged_tasks(each, key)
    demand(found)
    return found


def has_pairs(value: Any) -> bool:
    """Whether this has at least one pair under "train" or "test"."""
    if not isinstance(value, dict):
        return False
    parts = [value.get("train"), value.get("test")]
    pairs = [pair for part in parts if isinstance(part, list) for pair in part if isinstance(pair, dict)]
    return any({"input", "output"} & set(pair) for pair in pairs)


def is_pair(value: Any) -> bool:
    return isinstance(value, dict) and bool({"input", "output"} & set(value))


def lists_tasks(value: Any) -> bool:
    return isinstance(value, list) and any(map(has_pairs, value)) and not any(map(is_pair, value))


def holds_tasks(value: Any) -> bool:
    return isinstance(value, dict) and any(
        has_pairs(each) or lists_tasks(each) or holds_tasks(each) for each in value.values()
    )


def has_splits(value: Any) -> bool:
    """Whether "train" or "test" hold tasks, in a list or by id, and neither of them pairs."""
    parts = [value.get("train"), value.get("test")]
    held = [list(part.values()) if isinstance(part, dict) else part for part in parts]
    return any(map(lists_tasks, held)) and not any(
        isinstance(part, list) and any(map(is_pair, part)) for part in parts
    )


def judged_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    demand(sorted(keys) == sorted(set(keys)))
    return dict(pairs)


def judged_integer(text: str) -> int:
    demand(len(text.replace("-", "")) <= 18)
    return int(text)


def judge_values(value: Any, depth: int) -> None:
    if isinstance(value, float):
        demand(not math.isinf(value))
    if isinstance(value, str):
        demand(not any(0xD800 <= ord(each) <= 0xDFFF for each in value))
    if isinstance(value, dict | list):
        demand(depth <= 8)
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        for each in inside:
            judge_values(each, depth + 1)


def is_task_like(value: Any) -> bool:
    """Meant as a task: no list of names, and not settings under "train" or "test" alone."""
    if not isinstance(value, dict):
        return False
    parts = [value[name] for name in ("train", "test") if name in value]
    if len(parts) == 1 and isinstance(parts[0], dict):
        return False
    names = [part for part in parts if isinstance(part, list) and part and {str} == set(map(type, part))]
    return bool(parts) and not names


def has_both_lists(value: dict[str, Any]) -> bool:
    return type(value.get("train")) is list and type(value.get("test")) is list


def judged_id(text: str) -> str:
    demand(1 <= len(text) <= 128)
    demand(all(ord(each) >= 32 and not 127 <= ord(each) < 160 for each in text))
    return text


def judged_task(value: Any) -> tuple[list[Any], list[Any]]:
    demand(isinstance(value, dict) and "train" in value and "test" in value)
    return judged_pairs(value["train"], True), judged_pairs(value["test"], False)


def judged_pairs(value: Any, with_outputs: bool) -> list[Any]:
    demand(isinstance(value, list) and value)
    for pair in value:
        demand(isinstance(pair, dict) and "input" in pair and ("output" in pair or not with_outputs))
        unknown = not with_outputs and pair.get("output") in (None, [])
        for name in ["input"] if unknown else ["input", "output"]:
            judge_grid(pair[name])
    return [(pair["input"], pair.get("output") or None) for pair in value]


def judge_grid(grid: Any) -> None:
    demand(type(grid) is list and 1 <= len(grid) <= 30)
    for row in grid:
        demand(type(row) is list and len(row) == len(grid[0]) and 1 <= len(row) <= 30)
        for cell in row:
            demand(type(cell) is int and cell in range(10))


def base(rng: random.Random) -> Any:
    """A small sound file of some layout."""

    def grid() -> list[list[int]]:
        height, width = rng.choice([(1, 1), (1, 3), (2, 2), (3, 1), (30, 1), (1, 30)])
        return [[rng.randrange(10) for _ in range(width)] for _ in range(height)]

    def pair(closed: bool) -> dict[str, Any]:
        return {"input": grid(), "output": grid()} if closed else {"input": grid()}

    def task() -> dict[str, Any]:
        parts = {
            "train": [pair(True) for _ in range(rng.randint(1, 3))],
            "test": [pair(rng.random() < 0.5) for _ in range(rng.randint(1, 2))],
        }
        extra = (
            {"name": rng.choice(["n", "\n", 1.5, {"a": ["b", {"c": None}]}, parts])}
            if rng.random() < 0.3
            else {}
        )
        return {**extra, **dict(sorted(parts.items(), reverse=rng.random() < 0.5))}

    layout = rng.randrange(4)
    if layout == 0:
        return task()
    if layout == 1:
        return [pair(True) for _ in range(rng.randint(1, 3))]
    ids = rng.sample(["00d62c1b", "a", "train", "test", "7", "ü\u202e", "x" * 128], rng.randint(1, 3))
    return {each: task() for each in ids}


def content(tasks: list[Task]) -> Content:
    def pairs(some: tuple[Pair, ...]) -> list[Any]:
        return [(pair.input.tolist(), None if pair.output is None else pair.output.tolist()) for pair in some]

    return {task.id: (pairs(task.train), pairs(task.test)) for task in tasks}


def verdict(judge: Callable[[], Content]) -> Content | None:
    try:
        return judge()
    except RefusedError:
        return None


def check_file(path: Path, where: str) -> bool:
    """Compare both readers with the independent check; whether the file was accepted."""
    wanted = verdict(lambda: judged(path.read_bytes(), path.stem))
    found, line = outcome(lambda: content(read_tasks(path)), DataError)
    assert found == wanted, f"{where}: {line or 'accepted'}: {path.read_bytes()[:2000]!r}"
    heard: list[str] = []
    softly, soft_line = outcome(lambda: read_tasks_softly(path, notice=heard.append), DataError)
    for text in filter(None, (line, soft_line)):
        assert text.isprintable(), where
        assert text.startswith(f"{path}: "), where
    if softly is None:
        assert wanted is None, where
        return False
    tasks, faults = softly
    assert content(tasks) == (wanted or content(tasks)), where
    assert wanted is None or not faults, where
    # A flaw in what is no task refuses the file, and costs no task anything.
    assert wanted is not None or faults or any("no tasks, skipped" in line for line in heard), where
    assert not set(faults) & {task.id for task in tasks}, where
    for task in tasks:
        alone = json.dumps({task.id: as_json(task)}) if task.test else json.dumps(as_json(task)["train"])
        assert judged(alone.encode(), task.id) == content([task]), where
    return wanted is not None


def as_json(task: Task) -> dict[str, Any]:
    train, test = content([task])[task.id]
    return {
        name: [{"input": one} if two is None else {"input": one, "output": two} for one, two in pairs]
        for name, pairs in (("train", train), ("test", test))
    }


def test_damaged_files_are_judged_as_the_independent_check_does(tmp_path: Path) -> None:
    path = tmp_path / "00d62c1b.json"
    num_accepted = held = 0
    for seed in range(SEED, SEED + COUNT):
        rng = random.Random(seed)
        path.write_bytes(damaged(rng, base(rng)))
        with hangs_are_seen():
            num_accepted += check_file(path, f"ARC_SOLVER_FUZZ_SEED={seed}")
        held += 1
    record(12, "damaged task files", COUNT, held)
    # Both verdicts must be common, or the comparison says little.
    assert 0.1 < num_accepted / COUNT < 0.9, f"{num_accepted} of {COUNT} accepted"


# Small texts on which JSON parsers are known to differ, as a cell, as an extra value, and as the whole file.
CORPUS_LINES = r"""
    0 -0 00 - -01 1. .5 1.5 1e1 1E+2 1e 0x1 1_0 Infinity nan NaN True none nil undefined '1' " "a "\" "\x41"
    "\u12" "\ud800\udc00" "\udc00\ud800" "\ud800x" "\/" [ ] [] [,] [1,] [1,,2] [[] []] [1]2 [1],[2] { {} {"a"}
    {"a":} [1,2],[3],[4,5,6]
    {"a":1,} {a:1} {"a":1,"a":1} {"a":{"b":1},"a":2} {"":1} {[1]:2} {"\u0061":1,"a":2} /*1*/ 1// # 1e308 1e309
    -1e309 "\\" "\\\"" "\\\"[[[[[[[[[" "\\",[[[[[[[[[ "[[[[[[[[[ \
    [[]] [[[]]] [[[[]]]] [[[[[]]]]] [[[[[[]]]]]] [[[[[[[]]]]]]] [[[[[[[[]]]]]]]] \u0031 １ ٣ true null
"""
CORPUS = [
    *CORPUS_LINES.split(),
    *(f'["{text}",{"[" * 9}1{"]" * 9}]' for text in ("", "]]]]", r"\"", r"\\", r"\\\"", r"\\\\", r"\u0022")),
    *(f'["{text}",[1]]' for text in ("[" * 9, r"\"[[[[[[[[[", r"\\[[[[[[[[[", r"\\\"[[[[[[[[[")),
    *("", " ", "\t1\r\n", "1 ", "[1 2]", '{"a" 1}', '{"a":1 "b":2}', "\f1", "\v1", "\x001", "1\x00"),
    *(
        '"\t"',
        '"\x00"',
        '"\x7f"',
        '"\u2028"',
        "\ufeff1",
        "\u00a01",
        "\u20091",
        "1" * 18,
        "1" * 19,
        "-" + "1" * 18,
    ),
    *("-" + "1" * 19, "1" * 400, "0." + "1" * 400, "1" * 400 + ".0", "1" * 5000, "[1]" * 9),
    *("[" * 9 + "]" * 9, "[" * 500, "]" * 500, '{"a":' * 500),
]
HOLDERS = {
    "cell": '{"train":[{"input":[[%s]],"output":[[1]]}],"test":[{"input":[[1]]}]}',
    "row": '{"train":[{"input":[%s],"output":[[1]]}],"test":[{"input":[[1]]}]}',
    "extra": '{"train":[{"input":[[1]],"output":[[1]],"note":%s}],"test":[{"input":[[1]]}]}',
    "task": '{"a":%s,"b":{"train":[{"input":[[1]],"output":[[1]]}],"test":[{"input":[[1]]}]}}',
    "file": "%s",
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_the_corpus_is_judged_as_the_independent_check_does(tmp_path: Path, holder: str) -> None:
    path = tmp_path / "00d62c1b.json"
    for text in CORPUS:
        path.write_bytes((HOLDERS[holder] % text).encode("utf-8", "surrogatepass"))
        check_file(path, f"{holder}: {text[:80]!r}")
