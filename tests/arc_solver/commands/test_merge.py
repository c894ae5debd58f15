"""Merging as a user types it: on tasks with answers, calibrated on others, and what a mistake says."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.arc_solver.terminal import Grid, Terminal, challenges, solutions, write

MERGE = ["merge", "a.jsonl", "b.jsonl", "--tasks", "tasks.json", "--out", "m.json"]
CALIBRATED = [*MERGE, "--calibrate", "old-a.jsonl", "--calibrate", "old-b.jsonl", "--solutions", "old.json"]
WRONG: Grid = [[5]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tasks.json", challenges())
    write(tmp_path / "solutions.json", solutions())
    return tmp_path


def tell(path: Path, answers: dict[str, Grid], **told: Any) -> None:
    """A candidate file with one grid for the first output of each task."""
    lines = [{"task": task_id, "index": 0, "grid": grid} | told for task_id, grid in answers.items()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def firsts() -> dict[str, Grid]:
    return {task_id: grids[0] for task_id, grids in solutions().items()}


def test_the_rules_are_compared_and_a_complete_submission_is_written(
    arc_solve: Terminal, folder: Path
) -> None:
    right = firsts()
    tell(folder / "a.jsonl", {"task-0": right["task-0"], "task-1": [[1]]})
    tell(folder / "b.jsonl", {"task-0": [[2]], "task-1": right["task-1"]})
    tell(folder / "c.jsonl", {"elsewhere": [[3]], "task-2": right["task-2"]})
    plain = arc_solve(*MERGE)
    assert (plain.code, plain.err) == (0, "")
    assert "3 tasks, 2 of 4 outputs answered, by votes" in plain.out
    assert arc_solve("validate", "m.json", "--tasks", "tasks.json").code == 0
    facts = arc_solve(*MERGE, "--solutions", "solutions.json", "--json").json()
    assert facts["trial"]["alone"]["a"]["solved"] == 1
    assert facts["trial"]["merged"]["votes"]["solved"] == 2
    assert facts["trial"]["recommended"] == {"merge": True, "rule": "votes"}
    assert (facts["rule"], facts["alone"]) == ("votes", None)
    assert abs(sum(facts["trial"]["trust"].values()) - 1) < 1e-9
    text = arc_solve(*MERGE, "--solutions", "solutions.json").out
    assert "outputs solved by a alone 1, b alone 1, both 0" in text
    three = arc_solve(*MERGE, "c.jsonl", "--solutions", "solutions.json", "--rule", "round-robin")
    assert "a alone 1, b alone 1, c alone 1, all 0" in three.out
    assert "1 candidate for other tasks left out" in three.out
    assert "answered, by round-robin" in three.out


def test_what_loses_is_not_recommended(arc_solve: Terminal, folder: Path) -> None:
    right = firsts()
    tell(folder / "a.jsonl", right)
    tell(folder / "b.jsonl", every(WRONG))
    outcome = arc_solve(*MERGE, "--solutions", "solutions.json")
    assert "recommended: do not merge, hand in a (a alone solves 3," in outcome.out
    assert 'by "a" alone' in outcome.out
    facts = arc_solve(*MERGE, "--solutions", "solutions.json", "--json").json()
    assert (facts["rule"], facts["alone"]) == (None, "a")
    handed = json.loads((folder / "m.json").read_text())
    assert handed["task-0"][0] == {"attempt_1": right["task-0"], "attempt_2": WRONG}


def test_what_the_best_alone_leaves_blank_is_filled_from_the_others(
    arc_solve: Terminal, folder: Path
) -> None:
    right = firsts()
    tell(folder / "a.jsonl", {"task-0": right["task-0"], "task-2": right["task-2"]})
    tell(folder / "b.jsonl", {"task-0": right["task-0"], "task-1": WRONG, "task-2": WRONG})
    lines = (folder / "a.jsonl").read_text()
    # Two of its own for one output: nothing is put in their place.
    second = {"task": "task-2", "index": 0, "grid": [[7]], "weight": 0.5}
    (folder / "a.jsonl").write_text(lines + json.dumps(second) + "\n")
    told = [*MERGE, "--solutions", "solutions.json"]
    facts = arc_solve(*told, "--json").json()
    assert (facts["alone"], facts["answered"]) == ("a", 3)
    assert facts["filled"] == {"attempts": 1, "outputs": 1, "without_any": 1}
    handed = json.loads((folder / "m.json").read_text())
    assert handed["task-0"][0] == {"attempt_1": right["task-0"], "attempt_2": [[0]]}
    assert handed["task-1"][0] == {"attempt_1": WRONG, "attempt_2": [[0]]}
    assert handed["task-2"][0] == {"attempt_1": right["task-2"], "attempt_2": [[7]]}
    assert json.loads((folder / "m.manifest.json").read_text())["merge"]["filled"]["attempts"] == 1
    said = (
        'left blank by "a", filled from the others: 1 attempt of 1 output, 1 of them without any of its own'
    )
    assert said in arc_solve(*told).out
    assert arc_solve(*MERGE, "--json").json()["filled"] is None


def every(grid: Grid) -> dict[str, Grid]:
    """The same grid for each task."""
    return dict.fromkeys(solutions(), grid)


def calibration(folder: Path, reliable: str) -> None:
    """Ten other tasks: "a" and "b" are sure of different grids; one of the two is always right."""
    old = {f"old-{number}": [[[number]]] for number in range(10)}
    write(folder / "old.json", old)
    for name in "ab":
        # Each is right alone on one task, or merging could never win.
        answers = {
            task_id: grids[0] if (name == reliable) != (task_id == "old-7") else WRONG
            for task_id, grids in old.items()
        }
        tell(folder / f"old-{name}.jsonl", answers)
    tell(folder / "a.jsonl", every([[1]]))
    tell(folder / "b.jsonl", every([[2]]))


@pytest.mark.parametrize("reliable", ["a", "b"])
def test_weights_are_learned_on_one_set_and_used_on_another(
    reliable: str, arc_solve: Terminal, folder: Path
) -> None:
    calibration(folder, reliable)
    facts = arc_solve(*CALIBRATED, "--json").json()
    assert facts["trial"]["num_outputs"] == 10
    assert facts["trial"]["alone"][reliable]["solved"] == 9
    assert facts["trial"]["merged"]["learnt"]["solved"] == 10
    assert facts["trial"]["trust"][reliable] > 0.75
    assert facts["alone"] is None
    arc_solve(*CALIBRATED, "--rule", "learnt")
    entry = json.loads((folder / "m.json").read_text())["task-0"][0]
    first, second = ([[1]], [[2]]) if reliable == "a" else ([[2]], [[1]])
    assert entry == {"attempt_1": first, "attempt_2": second}
    assert arc_solve("validate", "m.json", "--tasks", "tasks.json").code == 0


def test_a_merge_that_loses_elsewhere_is_not_written(arc_solve: Terminal, folder: Path) -> None:
    calibration(folder, "a")
    tell(folder / "old-b.jsonl", {f"old-{number}": WRONG for number in range(10)})
    facts = arc_solve(*CALIBRATED, "--json").json()
    assert facts["alone"] == "a"
    entry = json.loads((folder / "m.json").read_text())["task-0"][0]
    assert entry == {"attempt_1": [[1]], "attempt_2": [[2]]}


def test_an_empty_file_of_candidates_is_said(arc_solve: Terminal, folder: Path) -> None:
    tell(folder / "a.jsonl", firsts())
    tell(folder / "b.jsonl", {})
    merged = arc_solve(*MERGE)
    assert (merged.code, merged.err) == (0, "warning: b.jsonl: holds no candidate\n")


def test_sources_of_lines_are_kept_and_shared_ones_told_apart(arc_solve: Terminal, folder: Path) -> None:
    right = firsts()
    tell(folder / "a.jsonl", right, source="trm")
    tell(folder / "b.jsonl", right, source="other")
    assert arc_solve(*MERGE, "--json").json()["candidates"] == {"other": 3, "trm": 3}
    tell(folder / "b.jsonl", right, source="trm")
    assert arc_solve(*MERGE, "--json").json()["candidates"] == {"trm (1)": 3, "trm (2)": 3}
    lines = (folder / "a.jsonl").read_text() + (folder / "b.jsonl").read_text().replace("trm", "other")
    (folder / "a.jsonl").write_text(lines)
    alone = arc_solve("merge", "a.jsonl", "--tasks", "tasks.json", "--solutions", "solutions.json")
    assert "outputs solved by other alone 0, trm alone 0, both 3" in alone.out


def test_a_manifest_lies_beside_the_submission(arc_solve: Terminal, folder: Path) -> None:
    calibration(folder, "a")
    arc_solve(*CALIBRATED)
    manifest = json.loads((folder / "m.manifest.json").read_text())
    assert manifest["made_by"] == "merge"
    assert manifest["inputs"]["sha256"] == hashlib.sha256((folder / "tasks.json").read_bytes()).hexdigest()
    named = [*manifest["candidates"], *manifest["calibrated_on"]]
    assert [file["name"] for file in named] == ["a.jsonl", "b.jsonl", "old-a.jsonl", "old-b.jsonl"]
    assert all(
        file["sha256"] == hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() for file in named
    )
    trial = manifest["merge"]["trial"]
    assert trial["truth_sha256"] == hashlib.sha256((folder / "old.json").read_bytes()).hexdigest()
    assert set(trial["trust"]) == {"a", "b"}
    assert manifest["begun"] <= manifest["ended"]
    arc_solve(*MERGE)
    assert json.loads((folder / "m.manifest.json").read_text())["merge"]["trial"] is None


def test_nothing_is_recommended_for_a_source_that_was_not_tried(arc_solve: Terminal, folder: Path) -> None:
    calibration(folder, "a")
    tell(folder / "a.jsonl", every([[1]]), source="new")
    outcome = arc_solve(*CALIBRATED)
    assert outcome.code == 3
    assert 'none of source "new"' in outcome.error_line()
    assert not (folder / "m.json").exists()
    assert arc_solve(*CALIBRATED, "--rule", "votes").code == 0


MISTAKES = {
    "one file for two": (
        [*MERGE, "--calibrate", "old-a.jsonl", "--solutions", "old.json"],
        3,
        "one for each",
    ),
    "no answers": ([*MERGE, "--calibrate", "old-a.jsonl"], 2, ""),
    "answers of other tasks": ([*MERGE, "--solutions", "old.json"], 3, "with --calibrate"),
    "candidates for other tasks": (
        ["merge", "a.jsonl", "--tasks", "tasks.json", "--calibrate", "a.jsonl", "--solutions", "old.json"],
        3,
        "no candidate is for a task whose answer is known",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_cost_a_line_and_write_nothing(name: str, arc_solve: Terminal, folder: Path) -> None:
    calibration(folder, "a")
    before = sorted(folder.iterdir())
    arguments, code, text = MISTAKES[name]
    outcome = arc_solve(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert text in outcome.err
    if code != 2:
        assert outcome.error_line()
    assert sorted(folder.iterdir()) == before


def test_sources_that_do_not_match_are_refused(arc_solve: Terminal, folder: Path) -> None:
    calibration(folder, "a")
    tell(folder / "b.jsonl", every([[2]]), source="new")
    outcome = arc_solve(*CALIBRATED, "--rule", "learnt")
    assert outcome.code == 3
    assert 'the weight of source "new"' in outcome.error_line()
    tell(folder / "old-b.jsonl", {f"old-{number}": WRONG for number in range(10)})
    tell(folder / "a.jsonl", {})
    tell(folder / "b.jsonl", every([[2]]))
    outcome = arc_solve(*CALIBRATED)
    assert outcome.code == 3
    assert 'source "a" does best on the solutions but has no candidate' in outcome.error_line()
    assert not (folder / "m.json").exists()


def test_hostile_sources_are_inert(arc_solve: Terminal, folder: Path) -> None:
    calibration(folder, "a")
    hostile = "\u202e" + "x" * 120
    tell(folder / "a.jsonl", firsts(), source=hostile)
    for arguments in (MERGE, [*MERGE, "--solutions", "solutions.json"]):
        outcome = arc_solve(*arguments)
        assert outcome.code == 0
        assert all(line.isprintable() for line in outcome.out.splitlines())


def test_the_right_answers_are_no_solver(arc_solve: Terminal, folder: Path) -> None:
    """What is told apart by its path cannot be meant: neither merged nor shown as a submission."""
    write(folder / "truth.json", solutions())
    given = ["--tasks", "tasks.json", "--solutions", "truth.json", "--out", "x"]
    for words in (["merge", "a.jsonl", "truth.json"], ["report", "truth.json"]):
        outcome = arc_solve(*words, *given)
        assert outcome.code == 2
        assert "this is what is scored; give the right answers" in outcome.err
    assert not (folder / "x").exists()
