"""Every command in README and the pages is run, but for those that are marked here as long."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from arc_solver.checkpoints.shipped import find_weights
from tests.arc_solver.terminal import Terminal, attempts, challenges, solutions, write
from tests.test_readme import CONSOLE, pages

# Hours, or what is to be had elsewhere only; their options are checked beside README's links.
LONG = {
    "train": "trains for minutes to days",
    "convert": "needs a published checkpoint",
    "bench": "measures for a minute or more",
}
LONG_PAGES = {"results.md": "runs as they were made, for hours", "weights.md": "the same"}
# What is taken in the place of a name that the reader is to choose.
CHOICES = {"FILE": "tasks.json", "FILE.jsonl": "c.jsonl", "ID": "task-0", "DIR": "run", "FOLDER": "run"}
# So that seconds are enough.
SHORTER = {"predict": "--adapt-steps 1 --views 1", "watch": "--adapt-steps 1 --views 1 --pause 0"}
SUDOKU = re.compile(r"[.1-9]{81}")


def is_command(words: list[str]) -> bool:
    """Whether it can be typed as it stands: no mention of a command, of an option or of a form."""
    complete = len(words) > 1 or words == ["doctor"] or words == ["info"]
    if words[0] in SHORTER and words[1:2] and words[1].startswith("--") and "--tasks" not in words:
        return False  # what to answer is left open
    if words[-1] == "-":
        return False  # reads what another command prints
    return complete and words[0].isalpha() and not words[-1].startswith(("--", "[")) and "[" not in words


def lines() -> list[str]:
    root = Path(__file__).parents[3]
    found = [
        " ".join(line.split(" # ")[0].split())
        for page in pages(root)
        if page.name not in LONG_PAGES
        for line in CONSOLE.findall(page.read_text().replace("\\\n", " "))
    ]
    return sorted({line for line in found if is_command(shlex.split(line)[1:])})


QUICK = [line for line in lines() if line.split()[1] not in {*LONG, *SHORTER}]
SLOW = [line for line in lines() if line.split()[1] in SHORTER]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the commands name."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "arc-agi_test_challenges.json", challenges())
    write(tmp_path / "task.json", challenges()["task-0"])
    write(tmp_path / "solutions.json", solutions())
    write(tmp_path / "submission.json", attempts(solutions()))
    whole = challenges()
    for task_id, grids in solutions().items():
        for pair, output in zip(whole[task_id]["test"], grids, strict=True):
            pair["output"] = output
    write(tmp_path / "tasks.json", whole)
    candidate = {"index": 0, "grid": [[1]], "weight": 1, "source": "x"}
    for name in ("ours", "theirs"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(candidate | {"task": "task-0"}) + "\n")
        known = candidate | {"task": "66e6c45b"}
        (tmp_path / f"{name}-evaluation.jsonl").write_text(json.dumps(known) + "\n")
    for name in ("puzzles.csv", "truth.csv", "answers.csv"):
        (tmp_path / name).write_text("question,answer\n1234341221434..1,1234341221434321\n")
    (tmp_path / "runs" / "arc").mkdir(parents=True)
    shutil.copy(find_weights("arc"), tmp_path / "runs" / "arc" / "final.safetensors")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text('{"step": 1, "loss": 3}\n')
    return tmp_path


def words_of(line: str) -> list[str]:
    """The command as it is run here."""
    words = [CHOICES.get(word, word) for word in shlex.split(re.sub(r"--num \d+", "--num 2", line))[1:]]
    is_board = any(SUDOKU.fullmatch(word) or word == "puzzles.csv" for word in words)
    shorter = SHORTER.get(words[0], "").split()
    return words + (shorter[2:] if is_board else shorter)


def test_the_pages_are_read_and_most_commands_are_run() -> None:
    assert len(QUICK) > 15
    assert len(SLOW) > 6
    assert not is_command(["predict"])
    assert not is_command(["predict", "--tasks"])
    assert not is_command(["predict", "-"])
    assert not is_command(["predict", "--candidates", "FILE.jsonl"])


@pytest.mark.parametrize("line", QUICK)
def test_a_command_of_the_pages_runs(line: str, arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*words_of(line))
    assert outcome.code == 0, outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("line", SLOW)
def test_a_command_that_answers_runs(line: str, arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve(*words_of(line))
    assert outcome.code == 0, outcome.err
