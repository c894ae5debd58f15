"""The scorer against a naive one, written from the text of the format alone, on hostile submissions."""

import json
import random

import numpy as np
import pytest

from submission.lenient_reader import load_answers
from submission.score import score
from tests.tally import record

NUM_SUBMISSIONS = 1000


def same(guess, truth):
    """Equal as nested lists of true integers."""
    return (
        type(guess) is list
        and len(guess) == len(truth)
        and all(
            type(row) is list
            and len(row) == len(right)
            and all(type(cell) is int and cell == color for cell, color in zip(row, right, strict=True))
            for row, right in zip(guess, truth, strict=True)
        )
    )


def solves(entry, truth, depth):
    """Whether one of the first `depth` attempts of an entry is the truth."""
    if type(entry) is dict:
        return any(same(entry.get(f"attempt_{number}"), truth) for number in range(1, depth + 1))
    if type(entry) is list:
        return same(entry, truth) or any(same(guess, truth) for guess in entry[:depth])
    return False


def naive_score(submission, truth, depth):
    """Solved outputs, sum over tasks of the solved share, tasks solved whole."""
    solved, shares, whole = 0, 0.0, 0
    for task_id, outputs in truth.items():
        entries = submission.get(task_id) if type(submission) is dict else None
        if type(entries) is dict or (len(outputs) == 1 and same(entries, outputs[0])):
            entries = [entries]
        if type(entries) is not list:
            entries = []
        right = sum(
            place < len(entries) and solves(entries[place], output, depth)
            for place, output in enumerate(outputs)
        )
        solved, shares, whole = solved + right, shares + right / len(outputs), whole + (right == len(outputs))
    return [solved, shares, whole]


def naive_interval(solved, total):
    """The 95 % Wilson interval as the two roots of (share - p)² = z² p (1 - p) / total."""
    z, share = 1.959963984540054, solved / total
    a, b, c = 1 + z**2 / total, -(2 * share + z**2 / total), share**2
    root = max(0.0, b**2 - 4 * a * c) ** 0.5
    return [(-b - root) / (2 * a), (-b + root) / (2 * a)]


def random_grid(rng):
    width = rng.randint(1, 4)
    return [[rng.randint(0, 9) for _ in range(width)] for _ in range(rng.randint(1, 4))]


def spoil(grid, rng):
    """Something that is not the grid, often only just."""
    copy = [list(row) for row in grid]
    row, column = rng.randrange(len(grid)), rng.randrange(len(grid[0]))
    cell = grid[row][column]
    kind = rng.randrange(8)
    if kind == 0:
        copy[row][column] = rng.choice(
            [float(cell), bool(cell), str(cell), None, [cell], float("nan"), -1, 10]
        )
    elif kind == 1:
        copy[row][column] = (cell + 1) % 10
    elif kind == 2:
        copy[row].append(cell)
    elif kind == 3:
        copy.append(list(copy[0]))
    elif kind == 4:
        copy[row] = rng.choice([None, 3, "12", {}])
    elif kind == 5:
        return rng.choice([[], [[]], [[], []], None, 7, "grid", {}, {"grid": grid}, [[grid]], [10**30]])
    elif kind == 6:
        return [[0] * 31] * 31
    else:
        return [[cell for row in grid for cell in row] + [0]]
    return copy


def random_entry(output, rng):
    def guess():
        return [list(row) for row in output] if rng.random() < 0.5 else spoil(output, rng)

    kind = rng.randrange(10)
    if kind < 6:
        return {"attempt_1": guess(), "attempt_2": guess()}
    if kind == 6:
        return {f"attempt_{number}": guess() for number in rng.sample([1, 2, 3, 10], rng.randint(0, 3))}
    if kind == 7:
        return {"attempt_01": guess(), "Attempt_1": guess(), "attempt_2 ": guess(), "attempt_1": guess()}
    if kind == 8:
        return [guess(), guess()]
    return rng.choice([None, 5, "entry", [], {}, [None], guess()])


def random_case(rng):
    truth = {f"t{number}": [random_grid(rng) for _ in range(rng.randint(1, 4))] for number in range(6)}
    submission = {}
    for task_id in rng.sample(sorted(truth), rng.randint(0, 6)):
        entries = [random_entry(output, rng) for output in truth[task_id]]
        kind = rng.randrange(12)
        if kind == 0:
            entries = entries[: rng.randrange(len(entries) + 1)]
        elif kind == 1:
            entries = entries + entries
        elif kind == 2:
            entries.reverse()
        elif kind == 3:
            entries = rng.choice([None, 3, "tasks", {}, entries[0], truth[task_id][0]])
        submission[task_id] = entries
    for _ in range(rng.randrange(3)):
        submission[rng.choice(["extra", "", "\ud800", "<b>", "x" * 500])] = rng.choice([None, [], [[[1]]]])
    return truth, rng.choice([None, [], 3, "text"]) if rng.random() < 0.03 else submission


def test_the_two_scorers_agree():
    seed = 17
    rng = random.Random(seed)
    partly = held = 0
    for number in range(NUM_SUBMISSIONS):
        truth, submission = random_case(rng)
        grids = {task_id: [np.array(output, np.uint8) for output in truth[task_id]] for task_id in truth}
        # Loading refuses what is no object; the scorer alone gives it nothing.
        is_object = type(submission) is dict
        result = score(load_answers(json.dumps(submission).encode()) if is_object else submission, grids, "")
        assert result.table().isascii()
        totals = [sum(map(len, truth.values())), len(truth), len(truth)]
        held_ids = set(submission) if is_object else set()
        assert set(result.remarks.missing_tasks) == set(truth) - held_ids, f"submission {number}"
        assert set(result.remarks.extra_tasks) == held_ids - set(truth), f"submission {number}"
        for depth in (1, 2):
            expected = naive_score(submission, truth, depth)
            rates = [result.rate(rule, depth) for rule in ("per_output", "per_task", "strict")]
            where = f"seed {seed}, submission {number}, pass@{depth}"
            assert [rate.solved for rate in rates] == pytest.approx(expected), where
            assert [rate.total for rate in rates] == totals, where
            for rate in rates:
                interval = naive_interval(rate.solved, rate.total)
                assert rate.interval == pytest.approx(interval, abs=1e-9), where
            partly += 0 < expected[0] < result.num_outputs
        held += 1
    record(17, "random submissions", NUM_SUBMISSIONS, held)
    assert partly > NUM_SUBMISSIONS, "most submissions should be neither right nor wrong throughout"
