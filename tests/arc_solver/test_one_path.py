"""One path for every puzzle: a domain that lives in tests/ goes through the public commands by one object."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REGISTER = """
from arc_solver.domains import domains
from tests.latin_squares import LATIN
domains.DOMAINS = (*domains.DOMAINS, LATIN)
"""
# Of the preset for Sudokus of side 4, which has as many cells and values.
RECIPE = ["--preset", "cpu-sudoku4", "--set", "domain=latin", "--threads", "1", "--device", "cpu"]
# Over the rows and columns that the domain names.
RECIPE += ["--set", "mixers=group_sums", "--set", "positions=none"]


class ArcSolve:
    """Runs commands in processes that know the domain, their workers too."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        (folder / "site").mkdir()
        # Every Python that finds it imports this module when it starts.
        (folder / "site" / "sitecustomize.py").write_text(REGISTER)
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(repository)])
        }

    def __call__(self, *words: str, stdin: bytes = b"", code: int = 0) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "arc_solver.cli", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == code, f"{words}: {done.stderr.decode()}"
        return done


@pytest.fixture(scope="module")
def arc_solve(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> ArcSolve:
    """The commands in a folder with generated squares and the weights of a short training on them."""
    run = ArcSolve(tmp_path_factory.mktemp("latin"), repository)
    run("generate", "latin", "--num", "70", "--out", "squares.csv", "--quiet")
    settings = ["--set", "save_every=200", "--set", "batch_size=32", "--quiet"]
    run(
        "train",
        "--data",
        "squares.csv",
        *RECIPE,
        *settings,
        "--steps",
        "200",
        "--out",
        "run",
        "--eval-data",
        "squares.csv",
    )
    return run


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def predicted(arc_solve: ArcSolve, out: str, *words: str, stdin: bytes = b"") -> dict[str, object]:
    weights = [
        "--checkpoint",
        "run/final.safetensors",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--quiet",
        "--json",
    ]
    return json.loads(arc_solve("predict", *words, *weights, "--out", out, stdin=stdin).stdout)


def test_it_is_trained_and_scored_on_the_way(arc_solve: ArcSolve) -> None:
    told = (arc_solve.folder / "run" / "metrics.jsonl").read_text().splitlines()
    scores = [line for line in map(json.loads, told) if "eval_exact" in line]
    assert scores
    assert {"eval_exact", "eval_valid", "eval_ages"} <= scores[-1].keys()
    facts = json.loads(arc_solve("info", "run/final.safetensors", "--json").stdout)
    assert facts["train"]["domain"] == "latin"


def test_it_is_predicted_from_a_file_and_from_standard_input(arc_solve: ArcSolve) -> None:
    facts = predicted(arc_solve, "a.csv", "--tasks", "squares.csv", "--workers", "2")
    assert (facts["boards"], facts["unanswered"], facts["failures"]) == (70, 0, [])
    assert {"exact", "valid"} <= facts.keys()
    piped = (arc_solve.folder / "squares.csv").read_bytes()
    predicted(arc_solve, "b.csv", "--tasks", "-", stdin=piped)
    assert rows(arc_solve.folder / "a.csv") == rows(arc_solve.folder / "b.csv")
    few = predicted(
        arc_solve,
        "c.csv",
        "--tasks",
        "squares.csv",
        "--only",
        "3",
        "--rollouts",
        "3",
        "--candidates",
        "c.jsonl",
    )
    assert few["boards"] == 1
    assert (
        rows(arc_solve.folder / "c.csv")[0]["question"]
        == rows(arc_solve.folder / "squares.csv")[2]["question"]
    )


def test_its_answers_are_scored(arc_solve: ArcSolve) -> None:
    facts = predicted(arc_solve, "s.csv", "--tasks", "squares.csv")
    scored = json.loads(arc_solve("score", "s.csv", "--solutions", "squares.csv", "--json").stdout)
    assert scored["boards"] == 70
    assert scored["exact"] == pytest.approx(facts["exact"], abs=1e-5)


def test_it_is_shown_and_watched(arc_solve: ArcSolve) -> None:
    shown = arc_solve("show", "squares.csv", "--id", "2", "--no-color").stdout.decode()
    assert "Latin 2" in shown
    arc_solve("watch", "squares.csv", "--checkpoint", "run/final.safetensors", "--out", "w.png", "--quiet")
    assert (arc_solve.folder / "w.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_wrong_with_it_is_told_by_its_own_rules(arc_solve: ArcSolve) -> None:
    head, first, *_ = (arc_solve.folder / "squares.csv").read_text().splitlines()
    fields = first.split(",")
    fields[2] = "A" * 16
    (arc_solve.folder / "wrong.csv").write_text("\n".join([head, ",".join(fields)]))
    done = arc_solve("predict", "--tasks", "wrong.csv", code=3)
    assert "row 2: the answer is no Latin square" in done.stderr.decode()
    done = arc_solve("predict", "--tasks", "squares.csv", code=3)
    assert "no weights ship for latin;" in done.stderr.decode()


def test_weights_of_another_domain_are_refused(arc_solve: ArcSolve) -> None:
    arc_solve("generate", "sudoku", "--side", "4", "--num", "2", "--out", "sudoku.csv", "--quiet")
    weights = ["--checkpoint", "run/final.safetensors"]
    done = arc_solve("predict", "--tasks", "sudoku.csv", *weights, code=1)
    assert "weights for latin, but these are sudoku boards" in done.stderr.decode()
