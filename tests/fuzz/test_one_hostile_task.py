"""One hostile task among good ones: the answers to the others stay the same, to the byte.

ARC_SOLVER_FUZZ_COUNT sets how many kinds of fault are tried with a real prediction; all are read.
"""

import json
import random
from pathlib import Path

import pytest

from arc_solver.tasks.reader import read_tasks, read_tasks_softly
from tests.arc_solver.terminal import Terminal, challenges
from tests.tally import record, seed, some

GOOD = {task_id: json.dumps(task) for task_id, task in challenges(4).items()}
PAIR = '{"input":[[1]],"output":[[2]]}'
GRIDS = {
    "no rows": "[]",
    "empty row": "[[]]",
    "ragged": "[[1,2],[3]]",
    "31 rows": json.dumps([[0]] * 31),
    "31 columns": json.dumps([[0] * 31]),
    "no list": '"grid"',
    "flat": "[1,2]",
    "deep": "[[[1]]]",
    "ten": "[[10]]",
    "negative": "[[-1]]",
    "float": "[[1.0]]",
    "text": '[["1"]]',
    "true": "[[true]]",
    "null": "[[null]]",
    "huge": f"[[{'9' * 400}]]",
    "nan": "[[NaN]]",
    "infinity": "[[1e999]]",
    "surrogate": r'[["\ud800"]]',
    "9 deep": f"[[{'[' * 9}{']' * 9}]]",
}
FAULTS = {
    f"input {name}": f'{{"train":[{PAIR}],"test":[{{"input":{grid}}}]}}' for name, grid in GRIDS.items()
}
FAULTS |= {
    f"output {name}": f'{{"train":[{{"input":[[1]],"output":{grid}}}],"test":[{{"input":[[1]]}}]}}'
    for name, grid in GRIDS.items()
}
FAULTS |= {
    "null": "null",
    "number": "7",
    "list": "[]",
    "nothing": "{}",
    "no train": '{"test":[{"input":[[1]]}]}',
    "no test": f'{{"train":[{PAIR}]}}',
    "empty train": '{"train":[],"test":[{"input":[[1]]},{"input":[[1]]}]}',
    "empty test": f'{{"train":[{PAIR}],"test":[]}}',
    "train of numbers": '{"train":[1],"test":[{"input":[[1]]}]}',
    "test without input": f'{{"train":[{PAIR}],"test":[{{"output":[[1]]}}]}}',
    "pair without output": '{"train":[{"input":[[1]]}],"test":[{"input":[[1]]}]}',
    "key twice": f'{{"train":[{PAIR}],"train":[{PAIR}],"test":[{{"input":[[1]]}}]}}',
}
IDS = {"id empty": "", "id long": "x" * 129, "id control": "\x1b[31m", "id surrogate": "\ud800"}
WHOLE = f'{{"train":[{PAIR}],"test":[{{"input":[[1]]}}]}}'
CLASSES = [*FAULTS, *IDS]
# What has neither train nor test is no task: it is passed over, and no submission names it.
NO_TASKS = ("null", "number", "list", "nothing")


def text_with(name: str | None, place: int) -> bytes:
    """A file of the good tasks, with the fault of that name in the given place among them."""
    parts = [f"{json.dumps(task_id)}:{task}" for task_id, task in GOOD.items()]
    if name is not None:
        parts.insert(place, f"{json.dumps(IDS.get(name, 'bad'))}:{FAULTS.get(name, WHOLE)}")
    return f"{{{','.join(parts)}}}".encode()


def test_every_fault_is_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_bytes(text_with(None, 0))
    good = read_tasks(path)
    held = 0
    for name in CLASSES:
        for place in range(len(GOOD) + 1):
            path.write_bytes(text_with(name, place))
            tasks, faults = read_tasks_softly(path)
            assert tasks == good, f"{name} at {place}"
            wanted = [] if name in NO_TASKS else [IDS.get(name, "bad")]
            assert list(faults) == wanted, f"{name} at {place}"
            if name in NO_TASKS:
                continue
            (fault,) = faults.values()
            assert fault.text.isprintable(), f"{name} at {place}"
            assert fault.text.startswith(f"{path}: "), f"{name} at {place}"
        held += 1
    record(13, "kinds of fault read", len(CLASSES), held)


def test_the_answers_to_the_others_stay_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arc_solve = Terminal(monkeypatch, capsys)
    tiny = ("width=32", "num_heads=2", "num_layers=1", "batch_size=8")
    options = [option for setting in tiny for option in ("--set", setting)]
    options += ["--views", "3", "--ages", "1", "--threads", "1", "--adapt-steps", "2", "--quiet"]

    def answers(name: str | None, place: int) -> dict[str, object]:
        (tmp_path / "tasks.json").write_bytes(text_with(name, place))
        outcome = arc_solve("predict", "--tasks", "tasks.json", *options)
        assert outcome.code == 0, f"{name} at {place}: {outcome.err}"
        found: dict[str, object] = json.loads((tmp_path / "submission.json").read_bytes())
        return found

    alone = answers(None, 0)
    rng = random.Random(seed())
    chosen = some(CLASSES, "FUZZ", 1)
    held = 0
    for name in chosen:
        place = rng.randint(0, len(GOOD))
        together = answers(name, place)
        others = {task_id: together[task_id] for task_id in GOOD}
        assert json.dumps(others) == json.dumps(alone), f"seed {seed()}: {name} at {place}"
        assert together.keys() - GOOD.keys() == (set() if name in (*IDS, *NO_TASKS) else {"bad"}), name
        held += 1
    record(13, "predictions with one of them", len(chosen), held)
    assert held == len(chosen)
