"""No command writes over what it reads, and no two of its files are one; nothing is written before that."""

import json
import os
from pathlib import Path

import pytest

from arc_solver.storage.files import TEMP_PREFIX, TEMP_SUFFIX
from tests.arc_solver.terminal import Terminal, attempts, challenges, solutions, write

PREDICT = ["predict", "--tasks", "t.json"]
MERGE = ["merge", "a.jsonl", "--tasks"]
INPUT, TWICE = "this is one of the inputs", "the same file as"
CLASHES = {
    "tasks": ([*PREDICT, "--out", "t.json"], f"--out t.json: {INPUT}"),
    "a link to the tasks": ([*PREDICT, "--out", "link.json"], f"--out link.json: {INPUT}"),
    "weights": ([*PREDICT, "--out", "w.safetensors", "--checkpoint", "w.safetensors"], INPUT),
    "candidates and tasks": ([*PREDICT, "--candidates", "t.json"], f"--candidates t.json: {INPUT}"),
    "candidates and out": (
        [*PREDICT, "--out", "new.json", "--candidates", "./here/../new.json"],
        f"{TWICE} --out",
    ),
    "candidates and manifest": (
        [*PREDICT, "--out", "s.json", "--candidates", "s.manifest.json"],
        f"{TWICE} the manifest of --out",
    ),
    "keep and tasks": ([*PREDICT, "--keep", "t.json"], f"--keep t.json: {INPUT}"),
    "keep and out": ([*PREDICT, "--out", "new", "--keep", "new"], f"--keep new: {TWICE} --out"),
    "keep and candidates": ([*PREDICT, "--candidates", "new", "--keep", "new"], f"{TWICE} --candidates"),
    "manifest and tasks": (
        ["predict", "--tasks", "t.manifest.json", "--out", "t"],
        f"the manifest of --out t.manifest.json: {INPUT}",
    ),
    "a task of a folder": (["predict", "--tasks", "here", "--out", "here/one.json"], INPUT),
    "boards": (["predict", "--tasks", "answers.csv"], f"--out answers.csv: {INPUT}"),
    "merge: manifest": (
        [*MERGE, "here/k.manifest.json", "--out", "here/k.json"],
        f"the manifest of --out here/k.manifest.json: {INPUT}",
    ),
    "merge: candidates": ([*MERGE, "t.json", "--out", "a.jsonl"], INPUT),
    "generate: excluded": (
        ["generate", "sudoku", "--num", "1", "--exclude", "answers.csv", "--out", "answers.csv"],
        INPUT,
    ),
    "convert: model": (["convert", "w.safetensors", "--out", "w.safetensors"], INPUT),
    "convert: names": (["convert", "w.safetensors", "--identifiers", "t.json", "--out", "t.json"], INPUT),
    "report: log": (["report", "--run", "here", "--out", "here/metrics.jsonl"], INPUT),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something under every name that the commands below read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for name in ("t.json", "t.manifest.json", "here/k.manifest.json"):
        write(tmp_path / name, challenges())
    write(tmp_path / "here" / "one.json", challenges()["task-0"])
    (tmp_path / "link.json").symlink_to("t.json")
    for name in ("w.safetensors", "a.jsonl", "answers.csv", "here/metrics.jsonl"):
        (tmp_path / name).write_text("{}\n")
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", CLASHES)
def test_a_clash_is_a_usage_error_and_writes_nothing(name: str, arc_solve: Terminal, folder: Path) -> None:
    before = contents(folder)
    arguments, text = CLASHES[name]
    outcome = arc_solve(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert text in " ".join(outcome.err.split())
    assert contents(folder) == before


def test_what_only_looks_alike_is_no_clash(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "s.json", attempts(solutions()))
    (folder / "a.jsonl").write_text(json.dumps({"task": "task-0", "index": 0, "grid": [[1]]}))
    assert arc_solve(*MERGE, "t.json", "--out", "here/t.json").code == 0
    assert arc_solve(*MERGE, "here/t.json", "--out", "s.json").code == 3  # a submission holds no tasks
    assert arc_solve("report", "s.json", "--tasks", "t.json", "--out", "here/s.html").code == 0
    assert arc_solve("report", "s.json", "--tasks", "t.json", "--out", "here/s.html").code == 0


def test_commands_sweep_the_folder_that_they_write_into(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "s.json", attempts(solutions()))
    (folder / "a.jsonl").write_text(json.dumps({"task": "task-0", "index": 0, "grid": [[1]]}))
    (folder / "here" / "link.html").symlink_to(folder / "page.html")
    stale = [folder / f"{TEMP_PREFIX}{os.getpid()}-999{TEMP_SUFFIX}"]
    stale.append(folder / "here" / stale[0].name)
    for arguments, place in (
        ([*MERGE, "t.json", "--out", "here/m.json"], 1),
        (["report", "s.json", "--tasks", "t.json", "--out", "here/page.html"], 1),
        (["report", "s.json", "--tasks", "t.json", "--out", "here/link.html"], 0),
        (["generate", "sudoku", "--num", "1", "--side", "4", "--out", "here/b.csv"], 1),
    ):
        for path in stale:
            path.touch()
        assert arc_solve(*arguments).code == 0
        assert [path.exists() for path in stale] == [place != 0, place != 1]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--checkpoint", "ark"),
        ("--set", "foo=1"),
        ("--preset", "nope"),
        ("--device", "tpu"),
        ("--keep", "t.json/kept"),
    ],
)
def test_a_refused_prediction_announces_and_touches_nothing(
    wrong: tuple[str, str], arc_solve: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for name in ("submission.json", "submission.manifest.json"):
        (folder / name).write_text("{}")
        os.utime(folder / name, (1, 1))
    outcome = arc_solve("predict", "t.json", *wrong)
    assert outcome.code in (1, 2, 3)
    assert outcome.err == outcome.error_line() + "\n"
    assert [(folder / n).stat().st_mtime for n in ("submission.json", "submission.manifest.json")] == [1, 1]
