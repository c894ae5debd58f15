"""The long runs: their pieces, with a player in place of arc-solve; then what they ask, done in small."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.arc_solver.terminal import Terminal, challenges, solutions, write

PROGRAMS = ("sudoku", "sudoku-att", "maze", "arc1", "arc2", "arc1-unseen", "arc2-unseen", "profile")
TINY = (
    *("width=16", "num_heads=2", "rounding=8", "num_layers=1", "cycles=1", "latent_steps=1"),
    *("prefix_length=2", "train.batch_size=2", "predict.batch_size=8", "num_views=2", "views=2", "ages=1"),
    *("warmup_steps=0", "train.compile=off", "steps=2"),
)
# Notes its words and leaves the file that the command would leave. Files beside it: `unfinished`, training
# does not come to its end; `fail`, the command with the word in it fails; `sleep`, it takes a minute.
PLAYER = """#!/usr/bin/env bash
echo "$@" >> "$HERE/asked"
while [ $# -gt 0 ]; do
    case $1 in --out) out=$2 ;; --sitting) sitting=$2 ;; esac
    [ ! -f "$HERE/fail" ] || [ "$1" != "$(cat "$HERE/fail")" ] || exit 3
    [ ! -f "$HERE/sleep" ] || [ "$1" != "$(cat "$HERE/sleep")" ] || exec sleep 60
    shift
done
case ${out:-} in
    */run) mkdir -p "$out"; [ -f "$HERE/unfinished" ] || echo weights > "$out/final.safetensors" ;;
    ?*) echo answers > "$out" ;;
esac
echo '{"boards": 4}'
"""


@dataclass(frozen=True)
class Stage:
    """Runs the script with the player in place of arc-solve."""

    script: Path
    folder: Path

    def __call__(self, program: str, code: int = 0, **environment: str) -> list[str]:
        """The commands that a call gave."""
        asked = self.folder / "asked"
        asked.unlink(missing_ok=True)
        player = str(self.folder / "player")
        own = {"HERE": str(self.folder), "ARC": player, "PYTHON": player, "DATA": str(self.folder / "data")}
        done = subprocess.run(
            ["bash", str(self.script), program],
            cwd=self.folder,
            env=os.environ | own | {"OUT": "out"} | environment,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == code, done.stderr
        if code == 2:
            assert re.fullmatch(r"error: .*\n", done.stderr)
        return asked.read_text().splitlines() if asked.exists() else []

    def say(self, name: str, word: str = "") -> Path:
        path = self.folder / name
        path.write_text(word)
        return path


@pytest.fixture
def stage(repository: Path, data: Path) -> Stage:
    player = data.parent / "player"
    player.write_text(PLAYER)
    player.chmod(0o755)
    return Stage(repository / "arc_solver" / "programs" / "gpu.sh", data.parent)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Tiny files under the names of the real ones."""
    folder = tmp_path / "data"
    folder.mkdir()
    row, column = np.indices((9, 9))
    solved = (3 * (row % 3) + row // 3 + column) % 9
    boards = ["source,question,answer,rating"]
    for shift in range(4):
        answer = "".join(str(1 + (digit + shift) % 9) for digit in solved.flatten())
        boards.append(f"made,{answer[:70]}{'.' * 11},{answer},0")
    corridor = "S    " + "#### " + "     " + " ####" + "    G"
    solution = "Soooo" + "####o" + "ooooo" + "o####" + "ooooG"
    mazes = ["source,question,answer,rating", *[f"made,{corridor},{solution},9"] * 3]
    for part in ("1k_train", "test_10k"):
        (folder / f"sudoku_extreme_{part}.csv").write_text("\n".join(boards) + "\n")
    for part in ("1k_train", "test_500"):
        (folder / f"maze_hard_{part}.csv").write_text("\n".join(mazes) + "\n")
    for name in ("arc1", "arc2"):
        for part, num in (("training", 2), ("evaluation", 3)):
            write(folder / f"{name}_{part}_challenges.json", renamed(challenges(num), part))
            write(folder / f"{name}_{part}_solutions.json", renamed(solutions(num), part))
    return folder


def renamed(tasks: dict[str, Any], part: str) -> dict[str, Any]:
    return {f"{part}-{name}": task for name, task in tasks.items()}


def kinds(asked: list[str]) -> list[str]:
    return [line.split()[0] for line in asked]


def test_every_program_has_a_target(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^gpu-([a-z0-9-]+): \$\(STAMP\) ## .*\n\t\$\(PROGRAM\)$", makefile, re.MULTILINE)
    assert sorted(targets) == sorted(PROGRAMS)


def test_what_is_done_is_not_done_again(stage: Stage) -> None:
    whole = ["train", *["predict"] * 4, "merge", "score"]
    assert kinds(stage("arc1")) == whole
    assert kinds(stage("arc1")) == ["merge", "score"]  # seconds each
    (stage.folder / "out/arc1/log/part-2.json").unlink()
    again = stage("arc1")
    assert kinds(again) == ["predict", "merge", "score"]
    assert "--shard 2/4" in again[0]
    (stage.folder / "out/arc1/run/final.safetensors").unlink()  # other weights: all of it anew
    assert kinds(stage("arc1")) == whole


def test_training_in_sittings_comes_before_answers(stage: Stage) -> None:
    unfinished = stage.say("unfinished")
    for _ in range(2):
        (line,) = stage("sudoku", PIECE="9m")
        assert re.search(r"--sitting 5\d\ds", line)
    unfinished.unlink()
    assert kinds(stage("sudoku", PIECE="9m")) == ["train", *["predict"] * 5]
    assert stage("sudoku", PIECE="9m") == []


def test_a_failure_is_the_end_and_is_tried_again(stage: Stage) -> None:
    fail = stage.say("fail", "2/4")
    assert len(stage("maze", code=3)) == 4
    fail.unlink()
    again = stage("maze")
    assert ["--shard 2/4" in line for line in again] == [True, False, False]


def test_a_command_longer_than_its_piece_is_stopped(stage: Stage) -> None:
    stage("arc1-unseen", PARTS="2")
    (stage.folder / "out/arc1-unseen/log/part-2.json").unlink()
    sleep = stage.say("sleep", "predict")
    (line,) = stage("arc1-unseen", PIECE="1s", PARTS="2")
    assert "--keep out/arc1-unseen/learnt-2 --adapt-steps 5001" in line
    sleep.unlink()
    assert kinds(stage("arc1-unseen", PARTS="2")) == ["predict", "merge", "score"]


def test_cards_share_the_work(stage: Stage) -> None:
    asked = stage("arc2-unseen", GPUS="8", ARGS="--set compile=blocks --seed 3")
    launcher = "-m torch.distributed.run --standalone --nproc-per-node 8 -m arc_solver.cli train"
    assert asked[0].startswith(f"{launcher} --data arc2:training")
    assert asked[0].endswith("--set compile=blocks --seed 3")
    assert all("--workers 8" in line and "--adapt-steps 313" in line for line in asked[1:5])
    assert "--preset cpu-sudoku9" in stage("sudoku", PRESET="cpu-sudoku9")[0]


def test_the_profile_keeps_what_a_piece_had_time_for(stage: Stage) -> None:
    assert [line.split()[:2] for line in stage("profile")] == [
        ["bench", "profile-blocks"],
        ["-m", "pytest"],
        ["bench", "profile"],
    ]


def test_missing_data_and_wrong_words_are_one_line(stage: Stage) -> None:
    assert stage("sodoku", code=2) == []
    for wrong in ("9", "m", "1.5m", "-1s", "9 m", "9mm", "9ms"):
        assert stage("maze", code=2, PIECE=wrong) == []
    assert stage("maze", PIECE="08m") != []
    for name, program in (
        ("maze_hard_test_500.csv", "maze"),
        ("arc1_evaluation_solutions.json", "arc1-unseen"),
    ):
        (stage.folder / "data" / name).unlink()
        assert stage(program, code=2) == []


# rehearsals: what the script asks for, done


def rehearse(asked: list[str], folder: Path, arc_solve: Terminal) -> list[Any]:
    """Every command with a tiny network on a CPU; what it printed."""
    (folder / "out").rename(folder / "played")
    arc_solve.monkeypatch.chdir(folder)
    found = []
    for line in asked:
        words = shlex.split(line)
        if words[0] == "train":
            words += [part for setting in TINY for part in ("--set", setting)]
        if words[0] in ("train", "predict"):
            words += ["--threads", "1"]
        done = arc_solve(*words)
        assert done.code == 0, done.err
        found.append(json.loads(done.out.splitlines()[-1]) if "--json" in words else None)
    return found


@pytest.mark.parametrize("name", ["sudoku", "maze"])
def test_boards(name: str, stage: Stage, arc_solve: Terminal) -> None:
    asked = stage(name, DEVICE="cpu", PARTS="2", ROLLOUTS="2")
    found = rehearse(asked, stage.folder, arc_solve)
    assert found[0]["complete"]
    assert found[1]["boards"] == found[2]["boards"] + found[3]["boards"] >= 3


@pytest.mark.parametrize("name", ["arc1", "arc1-unseen"])
def test_arc(name: str, stage: Stage, arc_solve: Terminal) -> None:
    asked = stage(name, DEVICE="cpu", PARTS="1", LEARNING_STEPS="1")
    found = rehearse(asked, stage.folder, arc_solve)
    assert kinds(asked) == ["train", "predict", "merge", "score"]
    assert found[-1]["num_outputs"] == 4


@pytest.mark.parametrize("name", ["arc2", "arc2-unseen"])
def test_arc2_asks_as_arc1_does(name: str, stage: Stage) -> None:
    other = name.replace("arc2", "arc1")
    assert [re.sub(r"\barc2", "arc1", line) for line in stage(name)] == stage(other)


def test_attention_asks_as_the_mixer_does(stage: Stage, arc_solve: Terminal) -> None:
    asked = stage("sudoku-att", DEVICE="cpu")
    mixer = stage("sudoku", DEVICE="cpu")
    assert asked[0].replace("sudoku-att", "sudoku-mlp") == mixer[0].replace("out/sudoku/", "out/sudoku-mlp/")
    assert [line.replace("sudoku-att", "sudoku") for line in asked[1:]] == mixer[1:]
    facts = rehearse([f"{asked[0]} --dry-run"], stage.folder, arc_solve)[0]
    assert facts["steps"] == 2


def test_make_starts_the_script(repository: Path, stage: Stage) -> None:
    words = ["make", "-n", "gpu-sudoku", f"DATA={stage.folder}/data", "PIECE=9m"]
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True, timeout=20, check=True)
    assert "bash arc_solver/programs/gpu.sh sudoku" in done.stdout
