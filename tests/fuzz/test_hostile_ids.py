"""Hostile ids write nothing outside the folder, change no line of a terminal and no element of a page.

ARC_SOLVER_FUZZ_COUNT sets how many ids and how many payloads are tried, up to 500 and 100.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from arc_solver.report.submission_page import build_report
from arc_solver.report.training_page import build_curves, parse_metrics
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Pair, Task
from tests.arc_solver.markup import Node, attribute_names, read, tags
from tests.arc_solver.terminal import Outcome, Terminal, attempts, write
from tests.faults.scene import prediction
from tests.fuzz.hostile import MARKUP, hostile_ids, is_id
from tests.tally import count, record, seed

IDS = hostile_ids(min(count("FUZZ", 60), 500), seed())
PAYLOADS = MARKUP[: min(count("FUZZ", 20), 100)]
GRID = [[1, 2], [3, 4]]
TASK = {"train": [{"input": GRID, "output": GRID}], "test": [{"input": GRID}]}
READING = (
    ["show", "tasks.json", "--no-color", "--limit", "999"],
    ["show", "tasks.json", "--no-color", "--submission", "submission.json", "--limit", "999"],
    ["validate", "submission.json", "--tasks", "tasks.json"],
    ["validate", "half.json", "--tasks", "tasks.json"],
    ["score", "half.json", "--solutions", "solutions.json", "--list"],
    ["score", "submission.json", "--solutions", "solutions.json", "--candidates", "a.jsonl", "--json"],
)
WRITING = (
    [
        "report",
        "half.json",
        "--tasks",
        "tasks.json",
        "--solutions",
        "solutions.json",
        "--candidates",
        "a.jsonl",
    ],
    [
        "merge",
        "a.jsonl",
        "b.jsonl",
        "--tasks",
        "tasks.json",
        "--solutions",
        "solutions.json",
        "--out",
        "m.json",
    ],
)
WRITTEN = {"report.html", "m.json", "m.manifest.json"}


@pytest.fixture
def arc_solve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, deep enough for a path to climb out of it unseen by nobody."""
    inner = tmp_path / "a" / "b" / "work"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    return inner


def fill(folder: Path, ids: Sequence[str]) -> None:
    """Tasks, solutions, candidates and two submissions about these ids, one of them wrong in every way."""
    write(folder / "tasks.json", dict.fromkeys(ids, TASK))
    solutions = {task_id: [GRID] for task_id in ids}
    write(folder / "solutions.json", solutions)
    write(folder / "submission.json", attempts(solutions))
    half = {
        task_id: [{"attempt_1": [[10]], task_id: GRID}] if place % 2 else {"attempt_1": []}
        for place, task_id in enumerate(ids)
    }
    write(folder / "half.json", half | {f"stranger {task_id}": 5 for task_id in ids})
    for name, grid in (("a", GRID), ("b", [[5]])):
        lines = [
            {"task": task_id, "index": 0, "grid": grid, "source": task_id if place < 3 else name}
            for place, task_id in enumerate(ids)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def is_inert(outcome: Outcome) -> bool:
    """Whether all lines are printable, none of them a traceback."""
    lines = (outcome.out + outcome.err).split("\n")
    return all(line.isprintable() for line in lines) and "Traceback" not in outcome.err


def test_ids_that_are_accepted_are_inert(arc_solve: Terminal, folder: Path, tmp_path: Path) -> None:
    ids = [each for each in IDS if is_id(each)]
    held = 0
    for start in range(0, len(ids), 50):
        some = ids[start : start + 50]
        fill(folder, some)
        before = everything(tmp_path)
        for command in (*READING, *WRITING):
            outcome = arc_solve(*command)
            assert is_inert(outcome), f"seed {seed()}, from id {start}: {command}: {outcome}"
            assert outcome.code == (4 if command[:2] == ["validate", "half.json"] else 0), outcome.err
        new = everything(tmp_path) - before
        assert new <= {f"a/b/work/{name}" for name in WRITTEN}, f"seed {seed()}, from id {start}"
        held += len(some)
    record(15, "hostile ids", len(ids), held)
    assert held == len(ids) > len(IDS) // 3


def test_ids_that_are_refused_cost_one_line(arc_solve: Terminal, folder: Path, tmp_path: Path) -> None:
    ids = [each for each in IDS if not is_id(each)]
    reading = (
        ["show", "tasks.json"],
        ["score", "submission.json", "--solutions", "solutions.json"],
        ["merge", "a.jsonl", "--tasks", "one.json", "--out", "m.json"],
        ["report", "submission.json", "--tasks", "tasks.json"],
    )
    write(folder / "one.json", {"one": TASK})
    held = 0
    for task_id in ids:
        fill(folder, [task_id])
        before = everything(tmp_path)
        for command in reading:
            outcome = arc_solve(*command)
            assert outcome.code == 3, f"{task_id!r}: {command}: {outcome}"
            assert len(outcome.error_line()) < 500, repr(task_id)
            assert outcome.err.count("\n") == 1, f"{task_id!r}: {command}: {outcome}"
            assert is_inert(outcome), f"{task_id!r}: {command}: {outcome}"
        assert arc_solve("validate", "submission.json", "--tasks", "one.json").code == 4
        assert everything(tmp_path) == before, repr(task_id)
        held += 1
    record(15, "hostile ids", len(ids), held)
    assert held == len(ids) > len(IDS) // 10


def test_a_prediction_of_hostile_ids_stays_in_its_folder(folder: Path, tmp_path: Path) -> None:
    ids = [each for each in IDS if is_id(each)]
    write(folder / "tasks.json", dict.fromkeys(ids, TASK))
    said: list[str] = []
    run = prediction(folder, read_tasks(folder / "tasks.json"), "sane", workers=2)
    run.say = said.append
    before = everything(tmp_path)
    facts = run.run()
    new = everything(tmp_path) - before
    assert {path for path in new if "/starts/" not in path} == {
        "a/b/work/submission.json",
        "a/b/work/submission.manifest.json",
    }
    assert facts["unanswered"] == 0
    assert all(line.isprintable() for line in said)
    written = json.loads((folder / "submission.json").read_text())
    assert list(written) == ids
    assert all(entries[0]["attempt_1"] == GRID for entries in written.values())


def page_of(names: Sequence[str], payload: str) -> Node:
    """A report on tasks of these names with the payload wherever text of others may stand."""
    grid = np.array(GRID, np.uint8)
    tasks = [Task(name, (Pair(grid, grid),), (Pair(grid, None),)) for name in names]
    submission = {name: [{"attempt_1": GRID, payload: GRID}] for name in names}
    text = build_report(
        tasks,
        submission,
        truth={name: [grid] for name in names},
        score_table=f"{payload}\n{payload}",
        title=payload,
        remarks=[payload],
    )
    assert all(each == "\n" or each.isprintable() for each in text)
    return read(text)


def curves_of(payload: str) -> Node:
    """The curves of a run whose figures are named by the payload."""
    records = [{"step": step, payload: step, f"loss/{payload}": 1.0} for step in range(1, 4)]
    lines = "".join(json.dumps(each) + "\n" for each in records)
    return read(build_curves(parse_metrics(lines.encode(), "metrics.jsonl")[0], payload))


def test_markup_stays_text() -> None:
    usual, curves = page_of(["a", "b"], "c"), curves_of("figure")
    held = 0
    for payload in PAYLOADS:
        page = page_of([payload, "b" + payload], payload)
        assert tags(page) == tags(usual), payload
        assert attribute_names(page) == attribute_names(usual), payload
        assert page.every("h1")[0].content() == payload
        anchors = [article.attributes["id"] for article in page.every("article")]
        assert [link.attributes["href"] for link in page.every("nav")[0].every("a")] == [
            f"#{each}" for each in anchors
        ]
        drawn = curves_of(payload)
        assert set(tags(drawn)) == set(tags(curves)), payload
        assert attribute_names(drawn) == attribute_names(curves), payload
        held += 1
    record(15, "markup in a page", len(PAYLOADS), held)
    assert held == len(PAYLOADS)
