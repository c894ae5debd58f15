"""The validator against a naive one, and against bytes damaged at random."""

import json
import random

from submission.kaggle_json import SubmissionError
from submission.lenient_reader import load_answers
from submission.score import score
from submission.validation import validate

NUM_TESTS = {"a": 1, "b": 2, "c": 3}
ODD = [None, True, False, 1.0, "1", [], {}, [[]], [[1]], [[1, 2], [3]], -1, 10, 9, 0, "a", [0] * 31]


def is_valid(value):
    """The format in one expression."""
    return (
        type(value) is dict
        and set(value) == set(NUM_TESTS)
        and all(
            type(entries) is list
            and len(entries) == NUM_TESTS[task_id]
            and all(
                type(entry) is dict
                and set(entry) == {"attempt_1", "attempt_2"}
                and all(
                    type(grid) is list
                    and 1 <= len(grid) <= 30
                    and all(
                        type(row) is list and 1 <= len(row) <= 30 and len(row) == len(grid[0]) for row in grid
                    )
                    and all(type(cell) is int and 0 <= cell <= 9 for row in grid for cell in row)
                    for grid in entry.values()
                )
                for entry in entries
            )
            for task_id, entries in value.items()
        )
    )


def complete(rng):
    def grid():
        width = rng.randint(1, 3)
        return [[rng.randint(0, 9) for _ in range(width)] for _ in range(rng.randint(1, 3))]

    return {
        task_id: [{"attempt_1": grid(), "attempt_2": grid()} for _ in range(num)]
        for task_id, num in NUM_TESTS.items()
    }


def places(value):
    """Every (container, key) in a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from places(inner)


def change(value, rng):
    container, key = rng.choice(list(places(value)))
    kind = rng.randrange(4)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, list):
        container.insert(key, container[key])
    elif kind == 2 and isinstance(container, dict):
        container[rng.choice(["a", "z", "attempt_1", "attempt_3"])] = container.pop(key)
    else:
        container[key] = rng.choice(ODD)


def test_the_two_validators_agree():
    seed = 23
    rng = random.Random(seed)
    seen = {True: 0, False: 0}
    for number in range(1500):
        value = complete(rng)
        if number % 10:
            change(value, rng)
        valid = validate(json.dumps(value).encode(), NUM_TESTS) == []
        assert valid == is_valid(value), f"seed {seed}, number {number}: {value}"
        seen[valid] += 1
    assert min(seen.values()) > 100


def outcome(data, truth):
    """The table of a score, or the refusal; and whether it was scored."""
    try:
        return score(load_answers(data), truth, "").table(), True
    except SubmissionError as error:
        return str(error), False


def test_damaged_bytes_never_raise_but_by_name():
    seed = 29
    rng = random.Random(seed)
    truth = {task_id: [[[1]]] * num for task_id, num in NUM_TESTS.items()}
    refused = 0
    for number in range(1500):
        data = bytearray(json.dumps(complete(rng)).encode())
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(data))
            data[place : place + rng.choice([0, 1, 1, 5])] = rng.choice(
                [b"[", b"]", b"{", b'"', b",", b"9", b"1e9", b"\xff", b"\x00", b"\\ud800", b"-", b"null", b""]
            )
        where = f"seed {seed}, number {number}: {bytes(data)!r}"
        defects = [str(defect) for defect in validate(bytes(data), NUM_TESTS)]
        assert all(text.isascii() and text.isprintable() for text in defects), where
        text, is_scored = outcome(bytes(data), truth)
        assert all(line.isprintable() for line in text.splitlines()), where
        assert is_scored or defects, where
        refused += not is_scored
    assert 300 < refused < 1500
